import os
import subprocess
import sys
import time

import pytest

from zbus.transport import RingWriter, sweep_rings
from zbus.transport import _ring_sweep as sweep_module

WRITER = """
import sys, time
from zbus.transport import RingWriter
ring = RingWriter("cam1", 4, 100, __import__("pathlib").Path(sys.argv[1]))
ring.open()
print(ring.name, flush=True)
time.sleep(60)
"""


@pytest.fixture
def dead(tmp_path):
    """The ring of a writer that was killed."""
    writer = subprocess.Popen([sys.executable, "-c", WRITER, tmp_path], stdout=subprocess.PIPE, text=True)
    assert writer.stdout is not None
    name = writer.stdout.readline().strip()
    assert sweep_rings(tmp_path) == []
    writer.kill()
    writer.wait()
    writer.stdout.close()
    return tmp_path / name


def test_a_dead_writers_ring_is_removed_and_a_living_ones_is_not(dead, tmp_path):
    with RingWriter("cam1", 4, 100, tmp_path) as living:
        assert sweep_rings(tmp_path) == [dead.name]
        assert [path.name for path in tmp_path.iterdir()] == [living.name]
        assert sweep_rings(tmp_path) == []


def test_a_locked_ring_stays_whoever_is_dead(dead, tmp_path):
    """The writer may live in a container whose process numbers are not seen here."""
    import fcntl

    with dead.open("rb") as holder:
        fcntl.flock(holder, fcntl.LOCK_SH)
        assert sweep_rings(tmp_path) == []
    assert sweep_rings(tmp_path) == [dead.name]


def test_an_unlocked_ring_of_a_living_process_stays(tmp_path, monkeypatch):
    import fcntl

    monkeypatch.setattr(fcntl, "flock", lambda *_: None)
    with RingWriter("cam1", 4, 100, tmp_path):
        assert sweep_rings(tmp_path) == []


def test_another_users_ring_stays(dead, tmp_path, monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    assert sweep_rings(tmp_path) == []


def test_what_is_not_a_ring_is_not_touched(tmp_path):
    for name in ("zbus.cam1.ring", "other.0011223344556677.ring", "zbus.cam1.00112233445566zz.ring"):
        (tmp_path / name).write_bytes(b"")
    (tmp_path / "zbus.cam1.0011223344556677.ring").symlink_to(tmp_path / "zbus.cam1.ring")
    assert sweep_rings(tmp_path) == []
    assert len(list(tmp_path.iterdir())) == 4


def test_a_file_without_header_may_be_in_the_making(tmp_path):
    path = tmp_path / "zbus.cam1.0011223344556677.ring"
    path.write_bytes(b"")
    assert sweep_rings(tmp_path) == []
    long_ago = time.time() - sweep_module.HEADLESS_MAX_AGE_S - 1
    os.utime(path, (long_ago, long_ago))
    assert sweep_rings(tmp_path) == [path.name]


def test_without_the_folder_there_is_nothing_to_do(tmp_path):
    assert sweep_rings(tmp_path / "no") == []
