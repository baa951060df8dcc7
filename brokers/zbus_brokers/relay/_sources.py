"""Where what others want is read on this host: each topic once, however many want it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import zmq

from zbus.errors import WireError
from zbus.transport import FRAMES_IN, SMALL_IN, Link, Reactor, Resource, connect, make_socket
from zbus.wire import FRAME, Message, decode_message
from zbus_brokers._last_value import LastValueCache
from zbus_brokers.relay._expansion import read_topic
from zbus_brokers.relay._outbox import Outgoing

TAKE_MAX = 64
# Two clocks of one host agree with a frame's two this closely.
SAME_CLOCK_NS = 1_000_000_000

Deliver = Callable[[Outgoing], None]


@dataclass(slots=True)
class _Source:
    """A subscribed socket, and where it is connected."""

    socket: zmq.Socket[bytes]
    endpoint: str


class LocalSources(Resource):
    """Reads the topics that were asked for last and hands on each message; states are remembered.

    Frames come from their camera's own endpoint where it has one, everything else from the forwarder.
    Belongs to the thread of `reactor`.
    """

    def __init__(self, subscribe: str, reactor: Reactor, deliver: Deliver) -> None:
        self._subscribe, self._reactor, self._deliver = subscribe, reactor, deliver
        self._frames: dict[str, _Source] = {}
        self._small: _Source | None = None
        self._topics: set[str] = set()
        self._last = LastValueCache()
        self.refused = 0

    def open(self) -> None:
        """Connect to the forwarder."""
        self._small = self._open(SMALL_IN, self._subscribe)

    def close(self) -> None:
        """Disconnect. Safe to call twice."""
        for source in [*self._frames.values(), *([self._small] if self._small else [])]:
            self._drop(source)
        self._frames.clear()
        self._small = None

    def read(self, topics: Mapping[str, Sequence[str]]) -> None:
        """Read these from now on, and no others: topics with the endpoints of their publishers."""
        frames = {name: _best(ends) or self._subscribe for name, ends in topics.items() if _is_frame(name)}
        for name, source in list(self._frames.items()):
            if frames.get(name) != source.endpoint:
                self._drop(self._frames.pop(name))
        for name, endpoint in frames.items():
            if name not in self._frames:
                self._frames[name] = self._open(FRAMES_IN, endpoint, name)
        self._read_small({name for name in topics if name not in frames})

    def last_of(self, topic: str) -> Outgoing | None:
        """The last message of a state that is read already."""
        parts = self._last.find(topic.encode())
        return _outgoing(topic, parts, time.monotonic_ns()) if parts and topic in self._topics else None

    def _read_small(self, names: set[str]) -> None:
        if self._small is None:
            return
        for name in names - self._topics:
            self._small.socket.setsockopt(zmq.SUBSCRIBE, name.encode())
        for name in self._topics - names:
            self._small.socket.setsockopt(zmq.UNSUBSCRIBE, name.encode())
            self._last.forget(name.encode())
        self._topics = names

    def _open(self, link: Link, endpoint: str, topic: str = "") -> _Source:
        socket = make_socket(zmq.SUB, link)
        connect(socket, endpoint)
        if topic:
            socket.setsockopt(zmq.SUBSCRIBE, topic.encode())
        self._reactor.watch(socket, lambda: self._take(socket))
        return _Source(socket, endpoint)

    def _drop(self, source: _Source) -> None:
        self._reactor.unwatch(source.socket)
        source.socket.close(linger=0)

    def _take(self, socket: zmq.Socket[bytes]) -> None:
        for _ in range(TAKE_MAX):
            if socket.closed:
                return
            try:
                frames = socket.recv_multipart(zmq.NOBLOCK, copy=False)
            except zmq.Again:
                return
            self._read(frames)

    def _read(self, frames: list[zmq.Frame]) -> None:
        now_ns = time.monotonic_ns()
        try:
            message = decode_message([frame.buffer for frame in frames])
        except WireError:
            self.refused += 1
            return
        topic = str(message.topic)
        if self._last.keeps(frames[0].bytes):
            self._last.remember([frame.bytes for frame in frames])
        self._deliver(_outgoing(topic, frames, _began_ns(message, now_ns)))


def _outgoing(topic: str, parts: Sequence[zmq.Frame | bytes], began_ns: int) -> Outgoing:
    return Outgoing(topic, parts, sum(map(len, parts)), began_ns)


def _began_ns(message: Message, now_ns: int) -> int:
    """When a frame was grabbed, if its times show that it was by this host's clock; else now."""
    mono_ns, header = message.header.get("mono_ns"), message.header
    utc_ns = header.get("captured_ns" if header.get("clock") == "host" else "published_ns")
    if message.topic.kind != FRAME or not isinstance(mono_ns, int) or not isinstance(utc_ns, int):
        return now_ns
    apart_ns = (utc_ns - mono_ns) - (time.time_ns() - now_ns)
    return mono_ns if abs(apart_ns) < SAME_CLOCK_NS and 0 <= mono_ns <= now_ns else now_ns


def _is_frame(name: str) -> bool:
    topic = read_topic(name)
    return topic is not None and topic.kind == FRAME


def _best(endpoints: Sequence[str]) -> str:
    """A publisher's own endpoint on this host, if it is there."""
    paths = (each for each in endpoints if each.startswith("ipc://"))
    return next((path for path in paths if Path(path.removeprefix("ipc://")).exists()), "")
