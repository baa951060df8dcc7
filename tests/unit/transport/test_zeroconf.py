"""With the real library, on loopback; the DNS-SD of this machine is not touched beyond it."""

from __future__ import annotations

import secrets
import sys
from typing import Any

import pytest

from zbus.errors import ConfigError
from zbus.transport import HeardRig, ZeroconfAnnouncer, ZeroconfFinder
from zbus.transport import _zeroconf as zeroconf_module
from zbus.wire import Beacon


def beacon(session: str = "", directory: str = "tcp://127.0.0.1:5550", edge: str = "") -> Beacon:
    return Beacon("arena", "rig1", session or secrets.token_hex(4), 1_000, directory, edge)


def find(session: str, finder: ZeroconfFinder) -> HeardRig | None:
    return next((rig for rig in finder.listing() if rig.beacon.session == session), None)


def test_a_rig_is_announced_found_as_it_told_and_leaves(wait_until: Any):
    told = beacon()
    with ZeroconfFinder(["127.0.0.1"]) as finder:
        with ZeroconfAnnouncer(told, "127.0.0.1"):
            wait_until(lambda: find(told.session, finder))
            found = find(told.session, finder)
        assert found is not None
        assert (found.beacon, found.address) == (told, "127.0.0.1")
        wait_until(lambda: not find(told.session, finder))
    finder.close()


def test_it_is_closed_before_it_was_announced_and_closed_twice(caplog: pytest.LogCaptureFixture):
    announcer = ZeroconfAnnouncer(beacon(), "127.0.0.1")
    announcer.open()
    announcer.close()
    announcer.close()
    assert not caplog.records


@pytest.mark.parametrize("use", [lambda: ZeroconfAnnouncer(beacon(), "127.0.0.1").open(),
                                 lambda: ZeroconfFinder(["127.0.0.1"]).open()])  # fmt: skip
def test_without_the_library_the_error_names_the_extra(use: Any, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "zeroconf", None)
    with pytest.raises(ConfigError) as caught:
        use()
    assert "zbus-rig[zeroconf]" in caught.value.next_step


class Info:
    """A service as the library tells of it."""

    def __init__(self, address: str = "127.0.0.1", **changes: bytes):
        keys = {key: str(value).encode() for key, value in beacon("s").to_map().items()}
        self.properties = {key.encode(): value for key, value in (keys | changes).items()}
        self._address = address

    def parsed_addresses(self) -> list[str]:
        return [self._address] if self._address else []


@pytest.mark.parametrize(
    "info",
    [
        Info(v=b"2"),
        Info(v=b"one"),
        Info(rig=b"\xff"),
        Info(directory=b"tcp://10.0.0.1:5550"),
        Info(address="10.0.0.9"),
        Info(address=""),
    ],
)
def test_a_service_that_is_no_rig_is_passed_over(info: Info):
    assert zeroconf_module._read(info) is None


def test_a_service_that_is_one_is_read():
    rig = zeroconf_module._read(Info())
    assert rig is not None
    assert rig.beacon == beacon("s")


class Library:
    """A library that knows a service, or has forgotten it."""

    def __init__(self, info: Info | None):
        self._info = info

    def get_service_info(self, kind: str, name: str, timeout_ms: int) -> Info | None:
        return self._info


def test_answers_are_bounded_and_good_byes_are_heard(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(zeroconf_module, "RIGS_MAX", 2)
    answers = zeroconf_module._Answers()
    for name in ("a", "b", "c"):
        answers.add_service(Library(Info()), "", name)
    assert len(answers.listing()) == 2
    answers.remove_service(Library(None), "", "a")
    answers.remove_service(Library(None), "", "never there")
    answers.update_service(Library(None), "", "c")
    assert len(answers.listing()) == 1


def test_the_port_is_that_of_the_place_that_has_one():
    port = zeroconf_module._port
    assert port(beacon()) == 5550
    assert port(beacon(directory="ipc:///x", edge="tcp://10.0.0.1:5560")) == 5560
    assert port(beacon(directory="ipc:///x")) == 0


def test_what_fails_in_the_librarys_thread_is_told(caplog: pytest.LogCaptureFixture):
    from concurrent.futures import Future

    failed: Future[None] = Future()
    failed.set_exception(OSError("no network"))
    zeroconf_module._tell_failure(failed)
    assert "not announced by zeroconf: OSError: no network" in caplog.text
