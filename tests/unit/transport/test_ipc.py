import errno
import io
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from zbus.errors import AddressInUse, TransportError
from zbus.transport import IpcName, Publisher, Subscriber, runtime_dir
from zbus.transport._ipc import has_ipc

from .messages import TOPIC, event

_HOLDER = """
import sys
from pathlib import Path
from zbus.transport import Publisher
with Publisher("n1", ipc_folder=Path(sys.argv[1])) as publisher:
    print(publisher.endpoints[0], flush=True)
    sys.stdin.read()
"""


def hold_in_a_process(folder: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", _HOLDER, str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline().startswith("ipc://")
    return process


def test_one_process_has_a_name_at_a_time(tmp_path: Path):
    first, second = IpcName(tmp_path, "n1"), IpcName(tmp_path, "n1")
    first.acquire()
    assert second.is_held()
    with pytest.raises(AddressInUse) as refused:
        second.acquire()
    assert str(os.getpid()) in refused.value.next_step
    first.release()
    first.release()
    assert not second.is_held()
    second.acquire()
    second.release()


def test_taking_a_name_twice_is_having_it(tmp_path: Path):
    name = IpcName(tmp_path, "n1")
    name.acquire()
    name.acquire()
    name.release()
    assert not name.is_held()


def test_a_publisher_does_not_steal_the_name_of_another(tmp_path: Path, wait_until):
    with (
        Publisher("n1", ipc_folder=tmp_path) as owner,
        Subscriber(owner.endpoints[0], "event/") as subscriber,
    ):
        with pytest.raises(AddressInUse), Publisher("n1", ipc_folder=tmp_path):
            pass
        wait_until(lambda: owner.wants(TOPIC))
        owner.send(TOPIC, event())
        assert subscriber.recv(10)


def test_two_sockets_of_one_node_have_two_names(tmp_path: Path):
    with (
        Publisher("n1", ipc_folder=tmp_path) as one,
        Publisher("n1", ipc_folder=tmp_path, ipc_name="n1-frames") as two,
    ):
        assert one.endpoints != two.endpoints


def test_the_name_of_a_process_that_was_killed_is_free(tmp_path: Path, wait_until):
    with hold_in_a_process(tmp_path) as holder:
        try:
            with pytest.raises(AddressInUse, match=r"n1\.ipc"), Publisher("n1", ipc_folder=tmp_path):
                pass
        finally:
            holder.send_signal(signal.SIGKILL)
            holder.wait()
    assert (tmp_path / "n1.ipc").exists()
    with (
        Publisher("n1", ipc_folder=tmp_path) as heir,
        Subscriber(heir.endpoints[0], "event/") as subscriber,
    ):
        wait_until(lambda: heir.wants(TOPIC))
        heir.send(TOPIC, event())
        assert subscriber.recv(10)
    assert not (tmp_path / "n1.ipc").exists()


@pytest.mark.parametrize("name", ["", "../n1", "a/b", ".hidden", "a b", "x" * 65])
def test_names_that_lead_elsewhere_are_refused(tmp_path: Path, name: str):
    with pytest.raises(TransportError, match="cannot name a socket"):
        IpcName(tmp_path, name)


def test_a_folder_that_is_not_there_is_an_error_of_ours(tmp_path: Path):
    with pytest.raises(TransportError, match="No such file"):
        IpcName(tmp_path / "no", "n1").acquire()
    assert not IpcName(tmp_path / "no", "n1").is_held()


class _FullDisk(io.TextIOWrapper):
    def flush(self) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_full_folder_is_named_and_leaves_the_name_free(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    name = IpcName(tmp_path, "n1")
    with monkeypatch.context() as patch:
        patch.setattr(IpcName, "_open_lock", lambda self: _FullDisk((tmp_path / "n1.lock").open("ab+")))
        with pytest.raises(TransportError, match="cannot be written to: No space left") as refused:
            name.acquire()
    assert str(tmp_path) in refused.value.cause
    assert "XDG_RUNTIME_DIR" in refused.value.next_step
    assert not name.is_held()
    name.acquire()
    name.release()


def test_a_path_too_long_for_a_socket_is_left_out(tmp_path: Path):
    deep = tmp_path / ("d" * 90)
    assert has_ipc(tmp_path / "d", "n1") or len(str(tmp_path)) > 80
    assert not has_ipc(deep, "n1")
    with Publisher("n1", bind=["tcp://127.0.0.1:0"], ipc_folder=deep) as publisher:
        assert [endpoint[:6] for endpoint in publisher.endpoints] == ["tcp://"]


def test_the_runtime_folder_is_private(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    (tmp_path / "zbus").mkdir(mode=0o777)
    folder = runtime_dir("rig1")
    assert folder == tmp_path / "zbus" / "rig1"
    assert {place.stat().st_mode & 0o777 for place in (folder, folder.parent)} == {0o700}
    assert runtime_dir("rig1") == folder


def test_without_a_runtime_folder_the_one_in_the_temporary_folder_is_private_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    folder = runtime_dir("rig1")
    assert folder.parent.parent.parent == tmp_path
    assert folder.parent.parent.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("depth", [0, 1, 2])
def test_a_link_in_the_place_of_the_folder_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, depth: int
):
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    folder = runtime_dir("rig1")
    place = [folder.parent.parent, folder.parent, folder][depth]
    place.rename(tmp_path / "elsewhere")
    place.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(TransportError, match="link or belongs to another user"):
        runtime_dir("rig1")


def test_a_folder_of_another_user_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    runtime_dir("rig1")
    monkeypatch.setattr(os, "getuid", lambda: 12_345)
    with pytest.raises(TransportError, match="another user"):
        runtime_dir("rig1")


@pytest.mark.parametrize("rig", ["", "../rig", "a/b"])
def test_a_rig_whose_name_leads_elsewhere_is_refused(rig: str):
    with pytest.raises(TransportError, match="not a name for a rig"):
        runtime_dir(rig)
