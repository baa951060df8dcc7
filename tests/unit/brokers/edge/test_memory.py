import subprocess
import sys

import pytest

from zbus_brokers.edge._memory import limit_memory

CHILD = """
import resource
from zbus_brokers.edge._memory import limit_memory
limit_memory(1 << 30)
print(resource.getrlimit(resource.RLIMIT_AS)[0], resource.getrlimit(resource.RLIMIT_CORE)[0])
try:
    bytearray(2 << 30)
except MemoryError:
    print("refused")
"""


@pytest.mark.skipif(sys.platform != "linux", reason="address space is bounded on Linux")
def test_a_process_gets_no_more_than_its_limit():
    told = subprocess.run([sys.executable, "-c", CHILD], capture_output=True, text=True, check=True)
    assert told.stdout.split() == [str(1 << 30), "0", "refused"]


def test_a_hard_limit_that_is_lower_stays(monkeypatch):
    resource = pytest.importorskip("resource")
    limits = []
    monkeypatch.setattr(resource, "getrlimit", lambda kind: (100, 100))
    monkeypatch.setattr(resource, "setrlimit", lambda kind, pair: limits.append((kind, pair)))
    limit_memory(1000)
    assert limits == [(resource.RLIMIT_AS, (100, 100)), (resource.RLIMIT_CORE, (0, 100))]
