"""Strangers at a locked door: without a key, with another's or a revoked one, while nobody checks keys.

Threats S2, S5, S9, S11 and S12.
"""

from __future__ import annotations

import resource
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from typing import Any

import psutil
import pytest
import zmq
from rig_process import RunningRig, rig_up, runtime_folder, small_rig
from running_edge import RunningEdge, edge_of, free_edge, knock
from strangers import raw

from zbus.config import EdgePlan, Rig
from zbus.errors import RequestTimeout, TransportError
from zbus.transport import (
    DOOR,
    EVERY,
    VIEWER,
    ClientKey,
    KeysFolder,
    Publisher,
    Requester,
    Subscriber,
    load_client_key,
    make_socket,
)
from zbus.wire import Event, Topic

pytestmark = pytest.mark.fault

# So long nothing must come at any of four sockets; what is let in comes within milliseconds.
NOTHING_S = 0.4
EVENT = Topic("event", "cam1")
FORGED = Topic("event", "forged")
EVERYTHING: dict[str, Any] = {"publish": ("",), "subscribe": ("",), "control": True, "overlay": True}
DRAWING = b'{"DRAW_BOX": {"TOP_LEFT": [1, 2], "BOTTOM_RIGHT": [3, 4]}}'


class Rig4:
    """An edge, its broker, a publisher and a subscriber inside, and the overlay node's own door."""

    def __init__(self, edge: RunningEdge, broker: Any, door: zmq.Socket[bytes]) -> None:
        self.edge, self._broker, self._door = edge, broker, door

    def attempt(self, key: ClientKey | None, *, plain: bool = False, wait_s: float = NOTHING_S) -> set[str]:
        """What somebody gets done with `key`: of "heard", "published", "asked" and "drew"."""
        done: set[str] = set()
        with ExitStack() as stack:
            publisher = stack.enter_context(Publisher("cam1", connect=[self._broker.publish]))
            inside = stack.enter_context(Subscriber(self._broker.subscribe, str(FORGED), policy=EVERY))
            kinds = (zmq.SUB, zmq.PUB, zmq.DEALER, zmq.PUSH)
            places = (self.edge.subscribe, self.edge.publish, self.edge.control, self.edge.overlays)
            sockets = [
                stack.enter_context(_knock(kind, place, key, plain))
                for kind, place in zip(kinds, places, strict=True)
            ]
            deadline_s = time.monotonic() + wait_s
            while time.monotonic() < deadline_s and len(done) < 4:
                publisher.send(EVENT, Event("x", {}))
                self._try(sockets)
                done |= self._see(sockets, inside)
        return done

    def _try(self, sockets: list[zmq.Socket[bytes]]) -> None:
        _, pub, dealer, push = sockets
        with suppress(zmq.Again):
            pub.send_multipart(forged(), zmq.NOBLOCK)
        with suppress(zmq.Again):
            dealer.send_multipart(request(), zmq.NOBLOCK)
        with suppress(zmq.Again):
            push.send(DRAWING, zmq.NOBLOCK)

    def _see(self, sockets: list[zmq.Socket[bytes]], inside: Subscriber) -> set[str]:
        sub, _, dealer, _ = sockets
        seen = {"heard"} if sub.poll(5) and sub.recv_multipart() else set[str]()
        seen |= {"asked"} if dealer.poll(5) and dealer.recv_multipart() else set()
        seen |= {"drew"} if self._door.poll(5) and self._door.recv() else set()
        return seen | ({"published"} if inside.recv(0.005) else set())


def forged() -> list[bytes]:
    from zbus.wire import Origin, encode_message

    return [bytes(part) for part in encode_message(FORGED, Origin("forged", "s", 0, 1), Event("x", {}))]


def request() -> list[bytes]:
    from zbus.wire import Request, encode_request

    asked = Request(request_id="r1", target="directory", verb="nodes", timeout_ms=60_000)
    return [bytes(part) for part in encode_request(asked)]


@contextmanager
def _knock(kind: int, place: str, key: ClientKey | None, plain: bool) -> Iterator[zmq.Socket[bytes]]:
    if not plain:
        with knock(kind, place, key, topics=("",) if kind == zmq.SUB else ()) as socket:
            yield socket
        return
    with zmq.Context.instance().socket(kind) as socket:
        socket.setsockopt(zmq.LINGER, 0)
        socket.plain_username, socket.plain_password = b"admin", b"admin"
        if kind == zmq.SUB:
            socket.subscribe(b"")
        socket.connect(place)
        yield socket


@pytest.fixture
def rig(broker: Any, tmp_path: Any, free_endpoint: Any) -> Iterator[Rig4]:
    with make_socket(zmq.PULL, DOOR) as door:
        place = free_endpoint()
        door.bind(place)
        with edge_of(broker, tmp_path, place) as edge:
            yield Rig4(edge, broker, door)


def test_s9_the_right_key_does_all_that_it_may(rig: Rig4) -> None:
    key = rig.edge.key("boss", **EVERYTHING)
    assert rig.attempt(key, wait_s=20.0) == {"heard", "published", "asked", "drew"}


def test_s12_a_key_does_nothing_that_it_may_not(rig: Rig4) -> None:
    assert rig.attempt(rig.edge.key("nothing")) == {"asked"}, "what there is, everybody may ask"
    assert rig.attempt(rig.edge.key("ear", subscribe=("event/cam1/",))) == {"asked", "heard"}
    assert rig.attempt(rig.edge.key("hand", overlay=True)) == {"asked", "drew"}


def _public() -> str:
    return zmq.curve_keypair()[0].decode()


def _secret() -> str:
    return zmq.curve_keypair()[1].decode()


def _unknown(edge: RunningEdge) -> ClientKey:
    public, secret = (part.decode() for part in zmq.curve_keypair())
    return ClientKey("stranger", public, secret, edge.keys.rig_key().public)


def _revoked(edge: RunningEdge) -> ClientKey:
    key = edge.key("revoked", **EVERYTHING)
    edge.keys.revoke("revoked")
    return key


STRANGERS: dict[str, Callable[[RunningEdge], ClientKey | None]] = {
    "no key": lambda edge: None,
    "an unknown key": _unknown,
    "the right key for another rig": lambda edge: replace(edge.key("a", **EVERYTHING), server=_public()),
    "another's public key": lambda edge: replace(edge.key("a", **EVERYTHING), secret=_secret()),
    "a revoked key": _revoked,
}


@pytest.mark.parametrize("who", STRANGERS)
def test_s9_strangers_hear_nothing_and_nothing_of_theirs_is_taken(who: str, rig: Rig4) -> None:
    assert rig.attempt(STRANGERS[who](rig.edge)) == set()
    assert rig.attempt(rig.edge.key("boss", **EVERYTHING), wait_s=20.0) == {
        "heard",
        "published",
        "asked",
        "drew",
    }


def test_s9_a_name_and_a_password_are_no_key(rig: Rig4) -> None:
    assert rig.attempt(None, plain=True) == set()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
@pytest.mark.parametrize("who", ["the right key", *STRANGERS])
def test_s9_once_nobody_checks_keys_nobody_comes_in_and_the_edge_ends(
    who: str, rig: Rig4, monkeypatch: pytest.MonkeyPatch, wait_until: Any
) -> None:
    right = rig.edge.key("right", **EVERYTHING)
    key = right if who == "the right key" else STRANGERS[who](rig.edge)

    def die(self: Any, domain: str, key: bytes) -> bool:
        raise SystemExit

    monkeypatch.setattr("zbus.transport.ServerLock.callback", die)
    with knock(zmq.SUB, rig.edge.subscribe, right, topics=("",)) as first:
        assert rig.attempt(key) == set()
        wait_until(lambda: rig.edge.failures)
        assert not first.poll(0)
    assert isinstance(rig.edge.failures[0], TransportError)


def test_s11_a_revoked_key_is_cut_off_at_all_four_sockets(rig: Rig4, broker: Any, wait_until: Any) -> None:
    key = rig.edge.key("gone", **EVERYTHING)
    with ExitStack() as stack:
        publisher = stack.enter_context(Publisher("cam1", connect=[broker.publish]))
        inside = stack.enter_context(Subscriber(broker.subscribe, str(FORGED), policy=EVERY))
        kinds = (zmq.SUB, zmq.PUB, zmq.DEALER, zmq.PUSH)
        places = (rig.edge.subscribe, rig.edge.publish, rig.edge.control, rig.edge.overlays)
        sockets = [
            stack.enter_context(_knock(kind, place, key, False))
            for kind, place in zip(kinds, places, strict=True)
        ]
        done: set[str] = set()

        def more() -> set[str]:
            publisher.send(EVENT, Event("x", {}))
            rig._try(sockets)
            return rig._see(sockets, inside)

        wait_until(lambda: done.update(more()) or len(done) == 4)
        rig.edge.keys.revoke("gone")
        began_s = time.monotonic()
        # Why so long a silence: what was on its way when the key was revoked may still come.
        silent_since_s = began_s
        while time.monotonic() - silent_since_s < 1.0:
            assert time.monotonic() - began_s < 20.0, "it is not cut off"
            if more():
                silent_since_s = time.monotonic()
        print(f"cut off {silent_since_s - began_s:.2f} s after it was revoked")


def test_s12_a_key_for_one_camera_hears_that_one_only(rig: Rig4, broker: Any, wait_until: Any) -> None:
    cams = [Topic("event", name) for name in ("cam1", "cam2", "cam10", "cam")]
    key = rig.edge.key("one", subscribe=("event/cam1/",))
    heard: set[bytes] = set()
    with (
        Publisher("p", connect=[broker.publish]) as publisher,
        Subscriber(broker.subscribe, "event/", policy=EVERY) as inside,
        knock(
            zmq.SUB, rig.edge.subscribe, key, topics=("", "e", "event/", "event/cam", "event/cam2/")
        ) as sub,
    ):
        told: set[Topic] = set()

        def more() -> bool:
            for cam in cams:
                publisher.send(cam, Event("x", {}))
            told.update(received.topic for received in inside.take())
            while sub.poll(0):
                heard.add(sub.recv_multipart()[0])
            return bool(heard) and set(cams) <= told

        wait_until(more)
        for _ in range(50):
            more()
    assert heard == {b"event/cam1/"}


def test_s2_an_endless_message_ends_the_edge_and_nothing_else() -> None:
    """Once with keys asked of everybody else (the edge is insecure, so that a raw peer comes in)."""
    plan = free_edge()
    with runtime_folder() as folder, rig_up(_with_edge(plan, insecure=True), folder) as running:
        _wait_for_edge(running, None)
        first = running.children()["edge"]["pid"]
        broker = running.children()["directory"]["pid"]
        gaps = _losses(running)
        limits = resource.prlimit(first, resource.RLIMIT_AS)
        assert limits[0] == 2_147_483_648
        # Why less here: two gigabytes of a machine that runs other tests are not the test's to take.
        resource.prlimit(first, resource.RLIMIT_AS, (800_000_000, limits[1]))
        _flood(plan.places[1], first)
        began_s = time.monotonic()
        running.process.wait_for(lambda: running.children()["edge"]["pid"] not in (0, first))
        _wait_for_edge(running, None)
        print(f"the edge was there again {time.monotonic() - began_s:.2f} s after it had ended")
        tracked = len(running.listener.tracks)
        running.listener.until(lambda: len(running.listener.tracks) > tracked + 10)
        children = running.children()
        assert children["directory"]["pid"] == broker
        assert children["edge"]["restarts"] == 1
        assert [children[node]["restarts"] for node in ("directory", "arena", "tracker", "overlay")] == [
            0
        ] * 4
        assert _losses(running) == gaps


def test_s2_a_killed_edge_is_there_again_and_keys_still_count() -> None:
    plan = free_edge()
    with runtime_folder() as folder:
        keys = KeysFolder(folder / "keys")
        keys.make_rig_key()
        key = load_client_key(keys.new_client("laptop", VIEWER))
        with rig_up(replace(_with_edge(plan), keys=str(folder / "keys")), folder) as running:
            _wait_for_edge(running, key)
            first = running.children()["edge"]["pid"]
            with Subscriber(plan.places[2], "tracks/", policy=EVERY, key=key) as outside:
                assert outside.recv(20)
                psutil.Process(first).kill()
                running.process.wait_for(lambda: running.children()["edge"]["pid"] not in (0, first))
                outside.take()
                assert outside.recv(20), "who has a key comes again by itself"
            with pytest.raises(TransportError), Requester(plan.bind) as requester:
                requester.request("nodes", timeout_s=0.5)
            assert _losses(running) == {}


def _with_edge(plan: EdgePlan, *, insecure: bool = False) -> Rig:
    return replace(small_rig(), edge=EdgePlan(plan.bind, insecure=insecure))


def _wait_for_edge(running: RunningRig, key: ClientKey | None) -> None:
    assert running.rig.edge is not None

    def answers() -> bool:
        with suppress(RequestTimeout), Requester(running.rig.edge.bind, key=key) as requester:
            return bool(requester.request("nodes", timeout_s=1.0))
        return False

    running.process.wait_for(answers)


def _losses(running: RunningRig) -> dict[str, float]:
    """What tracker and camera have lost."""
    names = {
        "tracker": ("gaps", "lost", "frames_skipped", "restarts"),
        "arena": ("dropped", "publish_dropped"),
    }
    found = {(node, name): running.listener.counter(node, name) for node in names for name in names[node]}
    return {f"{node}.{name}": count for (node, name), count in found.items() if count}


def _flood(endpoint: str, pid: int) -> None:
    """Parts without end, each with MORE, until the process at the other end is gone."""
    parts = b"\x01\x01x" * 20_000
    peer = raw(endpoint, b"PUB")
    deadline_s = time.monotonic() + 60.0
    stop = threading.Event()
    with peer, suppress(OSError):
        while psutil.pid_exists(pid) and not stop.is_set():
            assert time.monotonic() < deadline_s, "the edge takes it all"
            peer.sendall(parts)
