"""The bus of this host, as a relay gives out there what came from others."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from zbus.config import BrokerPlan
from zbus.errors import WireError
from zbus.transport import FRAMES_OUT, LIFESPAN_LATEST_S, Publisher, Reactor, Resource, RingPlan
from zbus.wire import (
    EVENT,
    FRAME,
    RAW,
    STATE,
    Event,
    Message,
    State,
    Topic,
    append_keys,
    decode_frame,
    header_limit,
)


class LocalBus(Resource):
    """Publishes what came from other hosts, and the relay's own state and events.

    Frames go out as a camera's do: at an ipc endpoint of their own too, and in shared memory.
    `on_interest` is called when what somebody here subscribes to may have changed. Belongs to the thread of
    `reactor`.
    """

    def __init__(
        self,
        node: str,
        broker: BrokerPlan,
        folder: Path | None,
        reactor: Reactor,
        on_interest: Callable[[], None],
    ) -> None:
        self.node, self._reactor, self._on_interest = node, reactor, on_interest
        self.small = Publisher(node, connect=[broker.publish])
        self.frames = Publisher(
            node,
            link=FRAMES_OUT,
            connect=[broker.publish],
            ipc_folder=folder,
            session=self.small.session,
            ring=RingPlan(),
        )

    def open(self) -> None:
        """Bind and connect. Raises AddressInUse, TransportError."""
        self.small.open()
        try:
            self.frames.open()
        except BaseException:
            self.small.close()
            raise
        for publisher in (self.small, self.frames):
            self._reactor.watch(publisher.socket, self._on_interest)

    def close(self) -> None:
        """Disconnect."""
        for publisher in (self.small, self.frames):
            self._reactor.unwatch(publisher.socket)
            publisher.close()

    def wanted(self) -> frozenset[bytes]:
        """The prefixes that somebody here subscribes to."""
        return self.small.wanted() | self.frames.wanted()

    def give(self, message: Message, parts: Sequence[Any], thinned: int, left_ns: int) -> bool:
        """Give out a message of another host with the numbers that it has; a frame has `left_ns` to live.

        Raises WireError.
        """
        if message.topic.kind != FRAME:
            return self.small.send_as_is(parts)
        # Why: a reader here gives a frame so long, and its way here was part of that.
        came_ns = time.monotonic_ns() - max(0, round(LIFESPAN_LATEST_S * 1e9) - left_ns)
        frame = decode_frame(message)
        if frame.codec == RAW and not message.topic.rendition:
            frame = replace(frame, relayed_mono_ns=came_ns, thinned=thinned)
            return self.frames.send(message.topic, frame, origin=message.origin)
        keys: dict[str, Any] = {"relayed_mono_ns": came_ns}
        if thinned:
            keys["thinned"] = thinned
        try:
            header = append_keys(bytes(parts[1]), keys, header_limit(FRAME))
        except WireError:
            # Why: a header that is full is a stranger's, and it is better as it came than not at all.
            header = bytes(parts[1])
        return self.frames.send_as_is([bytes(parts[0]), header, *parts[2:]])

    def tell(self, event: str, fields: Mapping[str, Any]) -> None:
        """Publish an event of the relay."""
        self.small.send(Topic(EVENT, self.node), Event(event, fields))

    def tell_state(self, state: State) -> None:
        """Publish the relay's state."""
        self.small.send(Topic(STATE, self.node), state)
