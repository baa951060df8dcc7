"""What a rig opens by itself: loopback only, and a folder that nobody else of this machine can enter."""

from __future__ import annotations

import ipaddress
import os
import stat
import subprocess
import sys

import psutil
import pytest
from rig_process import ARENA, RunningRig, rig_up, run_zbus, runtime_folder, small_rig

from zbus.cli._demo_rig import choose_ports
from zbus.config import BrokerPlan, CameraPlan, GatewayPlan, OverlayPlan, Rig, TrackerPlan

pytestmark = pytest.mark.fault

NOBODY = 65_534
# Connects to a socket of the rig as somebody else.
_SOMEBODY_ELSE = """
import os, socket, sys
os.setgroups([])
os.setgid(int(sys.argv[1]))
os.setuid(int(sys.argv[1]))
try:
    socket.socket(socket.AF_UNIX).connect(sys.argv[2])
except PermissionError:
    print("refused")
"""


@pytest.fixture(scope="module")
def rig():
    """All that a rig has by default, and a page."""
    whole = Rig(
        "lab",
        cameras={"arena": CameraPlan("sim", ARENA)},
        trackers={"tracker": TrackerPlan("arena", settings={"animals": ARENA["animals"]})},
        overlay=OverlayPlan(),
        gateway=GatewayPlan(),
    )
    with runtime_folder() as folder, rig_up(choose_ports(whole), folder) as running:
        yield running


def processes(rig: RunningRig) -> list[psutil.Process]:
    return [psutil.Process(rig.process.process.pid), *rig.process.children()]


def test_s1_a_rig_listens_on_loopback_only(rig: RunningRig):
    listening = [
        found.laddr.ip
        for process in processes(rig)
        for found in process.net_connections("inet")
        if found.laddr and (found.status == psutil.CONN_LISTEN or not found.raddr)
    ]
    # The broker's three ports, the door and the page.
    assert len(listening) >= 5
    assert [ip for ip in listening if not ipaddress.ip_address(ip).is_loopback] == []


def test_s1_no_socket_without_a_file_that_keeps_others_out(rig: RunningRig):
    """An abstract one, whose name begins with @ or a zero, is open to every user of the machine."""
    names = [
        found.laddr for process in processes(rig) for found in process.net_connections("unix") if found.laddr
    ]
    assert [name for name in names if name.endswith("arena.ipc")]
    assert [name for name in names if not name.startswith(str(rig.folder))] == []


@pytest.mark.parametrize(
    "command",
    [
        ["broker", "--directory", "tcp://0.0.0.0:{port}"],
        ["broker", "--subscribe", "tcp://*:{port}"],
        ["broker", "--publish", "tcp://[::]:{port}"],
        ["overlay", "--bind", "tcp://0.0.0.0:{port}"],
        ["gateway", "--bind", "0.0.0.0:{port}"],
    ],
    ids=" ".join,
)
def test_s1_another_address_is_refused_and_told_how_it_is_done(command, free_endpoint):
    port = free_endpoint().rsplit(":", 1)[1]
    with runtime_folder() as folder:
        run = run_zbus(*[word.format(port=port) for word in command], folder=folder)
    assert run.returncode not in (0, None)
    assert "other machines" in run.stderr
    assert "Traceback" not in run.stderr


def test_s29_folder_sockets_and_locks_are_the_user_s_alone(rig: RunningRig):
    (folder,) = (path for path in (rig.folder / "zbus").iterdir() if path.is_dir())
    for private in (folder, folder.parent):
        assert stat.S_IMODE(private.stat().st_mode) == 0o700
        assert private.stat().st_uid == os.getuid()
    kinds = {path.suffix for path in folder.iterdir()}
    assert {".ipc", ".lock", ".json"} <= kinds
    for path in folder.rglob("*"):
        assert not path.is_symlink()
        # A socket's own mode is the system's affair: who cannot enter the folder cannot connect.
        assert path.is_socket() or not path.stat().st_mode & 0o022


def test_s29_another_user_cannot_connect(rig: RunningRig):
    if os.getuid() != 0:
        pytest.skip("being another user needs root")
    socket = next((rig.folder / "zbus").rglob("arena.ipc"))
    # So that only the rig's own folders can be what keeps them out.
    rig.folder.chmod(0o755)
    run = subprocess.run(
        [sys.executable, "-S", "-c", _SOMEBODY_ELSE, str(NOBODY), str(socket)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout == "refused\n"


def test_s29_a_name_that_is_taken_stays_with_who_has_it(rig: RunningRig):
    broker = rig.rig.broker
    run = run_zbus("camera", "sim", "--id", "arena", *directions(broker), folder=rig.folder)
    assert run.returncode not in (0, None)
    assert str(rig.children()["arena"]["pid"]) in run.stderr
    frames, tracks = len(rig.listener.frames), len(rig.listener.tracks)
    rig.listener.until(lambda: len(rig.listener.frames) > frames + 10)
    rig.listener.until(lambda: len(rig.listener.tracks) > tracks + 10)


def test_s29_a_folder_that_is_somebody_else_s_is_refused():
    """A link in its place leads to where others may read and write."""
    with runtime_folder() as folder, runtime_folder() as theirs:
        (folder / "zbus").symlink_to(theirs)
        plan = small_rig(tracked=False).broker
        run = run_zbus("camera", "sim", *directions(plan), folder=folder)
        assert run.returncode not in (0, None)
        assert str(folder / "zbus") in run.stderr
        assert list(theirs.iterdir()) == []


def directions(plan: BrokerPlan) -> list[str]:
    return ["--directory", plan.directory, "--publish", plan.publish, "--subscribe", plan.subscribe]
