"""The one way by which the gateway sees the bus."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import Counter, OrderedDict, deque
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Self

from zbus.errors import UnknownName, ZbusError
from zbus.gateways._audience import Audience
from zbus.gateways._handoff import Handoff, Heard
from zbus.gateways._nodes import Node, NodeTable
from zbus.gateways._pump import Pump
from zbus.transport import ClientKey, Gap, Received, Requester
from zbus.wire import (
    DIRECTORY,
    EVENT,
    FRAME,
    JPEG,
    STATE,
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

# Why: a simulated camera tells the truth of every frame, which is for tests and no news to a person.
NO_NEWS = frozenset({"truth"})


class NoPicture(ZbusError):
    """A camera is known, but no picture of it came in time."""

    code = "no_picture"


class BusView:
    """The newest of everything on the bus, and the `audience` that is told of it; for one event loop.

    Acquires in `async with`. If the bus can be heard no more, `failure` says why and `on_failure` is called.
    """

    def __init__(
        self,
        subscribe: str,
        directory: str,
        *,
        here: str = "",
        viewers_max: int,
        key: ClientKey | None = None,
    ) -> None:
        self._directory, self._here, self._key = directory, here, key
        self._nodes = NodeTable()
        self._latest: OrderedDict[Topic, Received] = OrderedDict()
        self._events: deque[Received] = deque(maxlen=EVENTS_MAX)
        self._lost: Counter[str] = Counter()
        self._handoff = Handoff(self.hear)
        self._pump = Pump(subscribe, self._handoff.put, self._on_pump_failure, key)
        self.audience = Audience(viewers_max, self._pump)
        self.failure: Exception | None = None
        self.on_failure: Callable[[], None] = lambda: None

    async def __aenter__(self) -> Self:
        self._loop = asyncio.get_running_loop()
        self._handoff.open(self._loop)
        self._pump.open()
        self._askers = ThreadPoolExecutor(REQUESTS_MAX, "gateway-request")
        self._expiry = self._loop.create_task(self._expire())
        return self

    async def __aexit__(self, *failure: object) -> None:
        self._expiry.cancel()
        self.audience.dismiss()
        self._askers.shutdown(wait=False, cancel_futures=True)
        self._pump.close()

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
        """How many messages of a topic the bus lost on their way here since the gateway started."""
        return self._lost[str(topic)]

    @property
    def dropped(self) -> int:
        """How many messages came faster than the gateway could take them in."""
        return self._handoff.dropped

    def is_here(self, node: str) -> bool:
        """True where a node runs on the gateway's own host, so that their monotonic clocks are one."""
        known = self._nodes.find(node)
        return known is not None and known.state.host == self._here

    async def picture(self, camera: str, timeout_s: float) -> Frame:
        """The next picture of a camera, as a JPEG. Raises UnknownName, NoPicture."""
        self.camera(camera)
        with contextlib.suppress(TimeoutError), self.audience.watch(camera, frozenset({FRAME})) as mailbox:
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
            with Requester(self._directory, sender="gateway", key=self._key) as requester:
                return requester.request(verb, args, target=target, timeout_s=timeout_s)

        return await self._loop.run_in_executor(self._askers, ask)

    def hear(self, heard: Heard) -> None:
        """Take in what came from the bus."""
        if isinstance(heard, Gap):
            self._hear_gap(heard)
        elif isinstance(heard, Received):
            self._hear_message(heard)

    def _hear_gap(self, gap: Gap) -> None:
        if gap.topic in self._lost or len(self._lost) < TOPICS_MAX:
            self._lost[gap.topic] += gap.lost

    def _hear_message(self, received: Received) -> None:
        body = received.body
        if isinstance(body, State):
            self._tell_node(self._nodes.hear(received.origin.node, body, received.received_mono_ns))
        elif isinstance(body, Event) and body.event not in NO_NEWS:
            self._hear_event(received, body)
        elif isinstance(body, TracksMessage | OverlaySet):
            self._keep(received)
            depth = TRACKS_WAITING_MAX if isinstance(body, TracksMessage) else 1
            self.audience.tell(body.kind, received.topic.source, received, camera=body.camera, depth=depth)
        elif isinstance(body, Frame) and body.codec == JPEG:
            self.audience.tell(FRAME, received.topic.source, received, camera=body.camera)

    def _hear_event(self, received: Received, event: Event) -> None:
        self._events.append(received)
        self.audience.tell(EVENT, "", received, depth=EVENTS_MAX)
        if received.origin.node != DIRECTORY or event.fields.get("replaced"):
            return
        name = str(event.fields.get("node", ""))
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
        if node is not None:
            self.audience.tell(STATE, node.node, node)

    async def _expire(self) -> None:
        while True:
            await asyncio.sleep(EXPIRY_PERIOD_S)
            for node in self._nodes.expire(time.monotonic_ns(), time.time_ns()):
                self._tell_node(node)

    def _on_pump_failure(self, error: Exception) -> None:
        self._loop.call_soon_threadsafe(self._fail, error)

    def _fail(self, error: Exception) -> None:
        self.failure = error
        self.on_failure()
