"""The one way by which the gateway sees the bus."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from collections import Counter, OrderedDict, deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Self

from zbus.errors import UnknownName, ZbusError
from zbus.gateways._handoff import Handoff, Heard
from zbus.gateways._mailbox import Mailbox
from zbus.gateways._nodes import Node, NodeTable
from zbus.gateways._pump import Pump
from zbus.transport import Gap, Received, Requester
from zbus.wire import (
    DIRECTORY,
    EVENT,
    FRAME,
    JPEG,
    OVERLAY,
    STATE,
    TRACKS,
    Event,
    Frame,
    OverlaySet,
    State,
    Topic,
    TracksMessage,
)

TOPICS_MAX = 1_024
EVENTS_MAX = 50
TRACKS_WAITING_MAX = 16
EXPIRY_PERIOD_S = 0.5
REQUESTS_MAX = 4

ALL_KINDS = frozenset({FRAME, TRACKS, OVERLAY, STATE, EVENT})
# Why: a simulated camera tells the truth of every frame, which is for tests and no news to a person.
_NO_NEWS = frozenset({"truth"})

Item = Received | Node


class TooManyViewers(ZbusError):
    """As many viewers as the gateway takes are watching already."""

    code = "busy"


class NoPicture(ZbusError):
    """A camera is known, but no picture of it came in time."""

    code = "no_picture"


class BusView:
    """What is known of the bus, for one event loop: the newest of everything, and mailboxes for viewers.

    Acquires in `async with`; only `on_failure` may be set before. Everything belongs to the loop's thread.
    """

    def __init__(self, subscribe: str, directory: str, *, viewers_max: int) -> None:
        self._subscribe, self._directory, self.viewers_max = subscribe, directory, viewers_max
        self._nodes = NodeTable()
        self._latest: OrderedDict[Topic, Received] = OrderedDict()
        self._events: deque[Received] = deque(maxlen=EVENTS_MAX)
        self._lost: Counter[str] = Counter()
        self._mailboxes: dict[Mailbox[Item], str] = {}
        self.viewers = 0
        self.failure: Exception | None = None
        self.on_failure: Callable[[], None] = lambda: None

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._handoff = Handoff(loop, self.hear)
        self._pump = Pump(
            self._subscribe,
            self._handoff.put,
            lambda error: loop.call_soon_threadsafe(self._fail, error) and None,
        )
        self._pump.open()
        self._askers = ThreadPoolExecutor(REQUESTS_MAX, "gateway-request")
        self._expiry = loop.create_task(self._expire())
        return self

    async def __aexit__(self, *failure: object) -> None:
        self._expiry.cancel()
        self.dismiss()
        self._pump.close()
        self._askers.shutdown(wait=False, cancel_futures=True)

    def nodes(self) -> list[Node]:
        """Every node that was heard since the gateway started, by name."""
        return list(self._nodes)

    def cameras(self) -> list[Node]:
        """Those of the nodes that are cameras."""
        return self._nodes.cameras()

    def camera(self, name: str) -> Node:
        """The camera called `name`. Raises UnknownName listing those that are known."""
        cameras = {node.node: node for node in self.cameras()}
        if name not in cameras:
            raise UnknownName("camera", name, list(cameras), next_step="see what is on the bus: zbus ls")
        return cameras[name]

    def events(self) -> list[Received]:
        """The last EVENTS_MAX events, oldest first."""
        return list(self._events)

    def latest(self, topic: Topic) -> Received | None:
        """The newest tracks or overlays of a topic."""
        return self._latest.get(topic)

    def tracks_of(self, camera: str) -> list[Received]:
        """The newest tracks of a camera, one for each tracker that follows it."""
        return [
            received
            for received in self._latest.values()
            if isinstance(received.body, TracksMessage) and received.body.camera == camera
        ]

    def lost(self, topic: Topic) -> int:
        """How many messages of a topic the bus lost on their way here, since somebody watches."""
        return self._lost[str(topic)]

    @property
    def dropped(self) -> int:
        """How many messages came faster than the gateway could take them in."""
        return self._handoff.dropped

    def is_here(self, node: str) -> bool:
        """True where a node runs on the gateway's own host, so that their monotonic clocks are one."""
        known = self._nodes.find(node)
        return known is not None and known.state.host == socket.gethostname()

    @contextlib.contextmanager
    def seat(self) -> Iterator[None]:
        """Count as a viewer. Raises TooManyViewers."""
        if self.viewers >= self.viewers_max:
            raise TooManyViewers(
                f"{self.viewers} viewers are watching, and no more are taken",
                next_step="close another page, or start the gateway with a larger viewers_max",
            )
        self.viewers += 1
        try:
            yield
        finally:
            self.viewers -= 1

    @contextlib.contextmanager
    def watch(self, camera: str, kinds: frozenset[str] = ALL_KINDS) -> Iterator[Mailbox[Item]]:
        """A mailbox for what is told of `camera` ("" for none) and of all nodes.

        The camera's pictures are asked for on the bus only while somebody watches it.
        """
        mailbox: Mailbox[Item] = Mailbox(kinds, last_kind=FRAME)
        self._mailboxes[mailbox] = camera
        wants_pictures = bool(camera) and FRAME in kinds
        if wants_pictures and self._watchers(camera) == 1:
            self._pump.watch(camera)
        try:
            yield mailbox
        finally:
            del self._mailboxes[mailbox]
            if wants_pictures and not self._watchers(camera):
                self._pump.unwatch(camera)

    async def picture(self, camera: str, timeout_s: float) -> Frame:
        """The next picture of a camera, as a JPEG. Raises UnknownName, NoPicture."""
        self.camera(camera)
        with self.watch(camera, frozenset({FRAME})) as mailbox, contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                item = await mailbox.take()
            if isinstance(item, Received) and isinstance(item.body, Frame):
                return item.body
        raise NoPicture(
            f"no picture of {camera!r} came within {timeout_s:g} s",
            next_step="see its state at /v1/cameras; does it offer JPEG pictures?",
        )

    async def request(
        self,
        verb: str,
        args: Mapping[str, Any] | None = None,
        *,
        target: str = DIRECTORY,
        timeout_s: float = 5.0,
    ) -> Mapping[str, Any]:
        """Ask a node; at most REQUESTS_MAX at once. Raises RequestRefused, RequestTimeout."""

        def ask() -> Mapping[str, Any]:
            with Requester(self._directory, sender="gateway") as requester:
                return requester.request(verb, args, target=target, timeout_s=timeout_s)

        return await asyncio.get_running_loop().run_in_executor(self._askers, ask)

    def dismiss(self) -> None:
        """Let every viewer go."""
        for mailbox in list(self._mailboxes):
            mailbox.close()

    def hear(self, heard: Heard) -> None:
        """Take in what came from the bus."""
        if isinstance(heard, Gap):
            self._lost[heard.topic] += heard.lost
        elif not isinstance(heard, Received):
            return
        elif isinstance(heard.body, State):
            self._tell_node(self._nodes.hear(heard.origin.node, heard.body, heard.received_mono_ns))
        elif isinstance(heard.body, Event):
            self._hear_event(heard, heard.body)
        elif isinstance(heard.body, Frame):
            if heard.body.codec == JPEG:
                self._tell(FRAME, heard.body.camera, heard)
        elif isinstance(heard.body, TracksMessage | OverlaySet):
            self._keep(heard)
            depth = TRACKS_WAITING_MAX if isinstance(heard.body, TracksMessage) else 1
            self._tell(heard.body.kind, heard.body.camera, heard, depth)

    def _hear_event(self, received: Received, event: Event) -> None:
        if event.event in _NO_NEWS:
            return
        self._events.append(received)
        self._tell(EVENT, "", received, EVENTS_MAX)
        name, replaced = str(event.fields.get("node", "")), event.fields.get("replaced")
        if received.origin.node != DIRECTORY or replaced:
            return
        if event.event == "node_lost":
            self._tell_node(self._nodes.lose(name, "the directory lost it", time.time_ns()))
        elif event.event == "node_left":
            self._tell_node(self._nodes.leave(name, time.time_ns()))

    def _keep(self, received: Received) -> None:
        self._latest[received.topic] = received
        self._latest.move_to_end(received.topic)
        if len(self._latest) > TOPICS_MAX:
            self._latest.popitem(last=False)

    def _tell_node(self, node: Node | None) -> None:
        if node is None:
            return
        for mailbox in self._mailboxes:
            mailbox.put(STATE, node.node, node)

    def _tell(self, kind: str, camera: str, received: Received, depth: int = 1) -> None:
        """Put something into the mailboxes of those who watch `camera`, or of all for no camera."""
        for mailbox, watched in self._mailboxes.items():
            if not camera or watched == camera:
                mailbox.put(kind, received.topic.source, received, depth)

    def _watchers(self, camera: str) -> int:
        return sum(watched == camera and FRAME in box.kinds for box, watched in self._mailboxes.items())

    async def _expire(self) -> None:
        while True:
            await asyncio.sleep(EXPIRY_PERIOD_S)
            for node in self._nodes.expire(time.monotonic_ns(), time.time_ns()):
                self._tell_node(node)

    def _fail(self, error: Exception) -> None:
        self.failure = error
        self.on_failure()
