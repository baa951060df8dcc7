import resource
import subprocess
import sys

import pytest

from zbus.nodes._open_files import OPEN_FILES

_RUN = """
import resource, sys
from zbus.nodes import allow_many_files
resource.setrlimit(resource.RLIMIT_NOFILE, (int(sys.argv[1]), int(sys.argv[2])))
print(allow_many_files(), *resource.getrlimit(resource.RLIMIT_NOFILE))
"""


@pytest.mark.parametrize(("soft", "hard", "then"), [(256, 1_000, 1_000), (1_000, 1_000, 1_000)])
def test_the_limit_is_raised_as_far_as_it_may(soft: int, hard: int, then: int):
    run = subprocess.run(
        [sys.executable, "-c", _RUN, str(soft), str(hard)], capture_output=True, text=True, check=True
    )
    assert run.stdout.split() == [str(then), str(then), str(hard)]


def test_it_is_never_lowered_and_never_more_than_is_needed():
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    run = subprocess.run(
        [sys.executable, "-c", _RUN, "256", str(hard)], capture_output=True, text=True, check=True
    )
    limit = int(run.stdout.split()[0])
    assert limit == (OPEN_FILES if hard == resource.RLIM_INFINITY else min(hard, OPEN_FILES))
