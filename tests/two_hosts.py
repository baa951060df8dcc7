"""Two hosts on one machine: namespaces with names, addresses and folders of their own, and a bad cable.

    def test_it(two_hosts):                     # the fixture of tests/conftest.py; skips where it cannot be
        with two_hosts() as (left, right, link):
            with left.zbus("up", path, "--host", "left"), right.zbus("up", path, "--host", "right"):
                link.impair(delay_s=0.05, jitter_s=0.01, loss=0.02, rate_bits_s=20e6)
                with link.partition():
                    ...

Each has 10.77.0.1 and 10.77.0.2, a host name, an XDG_RUNTIME_DIR, and a /dev/shm that the other cannot see.
Both have one clock, since it is one machine: ages on one side may be judged by times of the other.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
from impaired_link import ImpairedLink
from rig_process import ZbusProcess

COMMAND_TIMEOUT_S = 30.0
MTU_BYTES = 1_500
ADDRESSES = ("10.77.0.1", "10.77.0.2")

_NAME = re.compile(r"zbt(\d+)[lr]")
_SHM = Path("/dev/shm")
# The host name and the shared memory of a host; what is run in it keeps the process id.
_ENTER = 'echo "$1" > /proc/sys/kernel/hostname && mount --bind "$2" /dev/shm && shift 2 && exec "$@"'


def why_no_hosts() -> str:
    """Why two hosts cannot be made here; empty where they can."""
    if sys.platform != "linux":
        return "network namespaces are Linux's"
    if os.geteuid() != 0:
        return "making network namespaces needs root"
    missing = [tool for tool in ("ip", "unshare", "mount", "sh") if shutil.which(tool) is None]
    if missing:
        return f"no {missing[0]!r} here; Debian has it in iproute2 or util-linux"
    try:
        os.close(os.open("/dev/net/tun", os.O_RDWR))
    except OSError as error:
        return f"no TUN devices here: {error}"
    tried = subprocess.run(
        ["unshare", "--net", "--uts", "--mount", "true"], capture_output=True, text=True, check=False
    )
    return f"namespaces are refused here: {tried.stderr.strip()}" if tried.returncode else ""


@dataclass(frozen=True)
class Host:
    """One of the two. `within` stands before a command to run there; `folder` is its runtime folder."""

    name: str
    namespace: str
    address: str
    folder: Path
    within: tuple[str, ...]
    started: list[subprocess.Popen[str]] = field(default_factory=list, repr=False, compare=False)

    @property
    def env(self) -> dict[str, str]:
        return {**os.environ, "XDG_RUNTIME_DIR": str(self.folder)}

    def run(self, *command: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        return subprocess.run(
            [*self.within, *command],
            env=self.env,
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=COMMAND_TIMEOUT_S,
            check=check,
        )

    def start(self, *command: str, **settings: Any) -> subprocess.Popen[str]:
        """Start a command; what is still there when the hosts end is killed."""
        process = subprocess.Popen(
            [*self.within, *command], env=self.env, cwd=self.folder, text=True, **settings
        )
        self.started.append(process)
        return process

    def end(self) -> None:
        """Kill what was started here, and what that has started."""
        # Why these too: one that has not yet got as far as the namespace is not found in it.
        for process in self.started:
            process.kill()
            process.wait()
        _kill_all_in(self.namespace)

    def zbus(self, *arguments: str) -> ZbusProcess:
        """A zbus command that runs on, for `with`."""
        return ZbusProcess(*arguments, folder=self.folder, within=self.within)


@contextmanager
def make_two_hosts(
    names: Sequence[str] = ("left", "right"), mtu_bytes: int = MTU_BYTES
) -> Iterator[tuple[Host, Host, ImpairedLink]]:
    """Both hosts and the cable between them, in `with`; way 0 leads from the first to the second."""
    _sweep()
    with ExitStack() as undo:
        # Short: the name of a device has 15 characters at most.
        link = undo.enter_context(ImpairedLink(f"zbt{uuid.uuid4().hex[:8]}"))
        left, right = (
            undo.enter_context(_host(name, side, address, device, mtu_bytes))
            for name, side, address, device in zip(names, "lr", ADDRESSES, link.devices, strict=True)
        )
        yield left, right, link


@contextmanager
def _host(name: str, side: str, address: str, device: str, mtu_bytes: int) -> Iterator[Host]:
    namespace = f"zbt{os.getpid()}{side}"
    with ExitStack() as undo:
        _ip("netns", "add", namespace)
        undo.callback(_ip, "netns", "del", namespace)
        shm = _SHM / namespace
        shm.mkdir(mode=0o700)
        undo.callback(shutil.rmtree, shm, ignore_errors=True)
        # Short: the names of sockets may not be long.
        folder = Path(
            undo.enter_context(tempfile.TemporaryDirectory(prefix="zb", ignore_cleanup_errors=True))
        )
        _ip("link", "set", device, "netns", namespace)
        inside = ("-n", namespace)
        _ip(*inside, "addr", "add", f"{address}/24", "dev", device)
        # Why: else the kernel itself sends packets, which would be counted.
        _ip(*inside, "link", "set", device, "mtu", str(mtu_bytes), "addrgenmode", "none", "up")
        _ip(*inside, "link", "set", "lo", "up")
        enter = ("unshare", "--uts", "--mount", "sh", "-c", _ENTER, "sh", name, str(shm))
        host = Host(name, namespace, address, folder, ("ip", "netns", "exec", namespace, *enter))
        undo.callback(host.end)
        yield host


def _kill_all_in(namespace: str) -> None:
    """End what still runs there: only what was started there can be."""
    deadline_s = time.monotonic() + COMMAND_TIMEOUT_S
    while pids := _ip("netns", "pids", namespace).split():
        assert time.monotonic() < deadline_s, f"processes of {namespace} do not end: {pids}"
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(int(pid), signal.SIGKILL)
        time.sleep(0.01)


def _sweep() -> None:
    """Remove what test runs have left that were killed themselves."""
    for line in _ip("netns", "list").splitlines():
        namespace = line.split()[0]
        match = _NAME.fullmatch(namespace)
        if match and not psutil.pid_exists(int(match[1])):
            _kill_all_in(namespace)
            _ip("netns", "del", namespace)
            shutil.rmtree(_SHM / namespace, ignore_errors=True)


def _ip(*arguments: str) -> str:
    run = subprocess.run(
        ["ip", *arguments], capture_output=True, text=True, timeout=COMMAND_TIMEOUT_S, check=False
    )
    assert run.returncode == 0, f"ip {' '.join(arguments)}: {run.stderr}"
    return run.stdout
