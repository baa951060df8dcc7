"""The front-end's wiring: a camera's frames out as pyMultiVideo's pictures, its clients' boxes in."""

from __future__ import annotations

import time
from dataclasses import asdict

from zbus.compat.pymultivideo._dialects import encode_picture
from zbus.compat.pymultivideo._doors import Door, open_door
from zbus.compat.pymultivideo._rate import RateMeter
from zbus.compat.pymultivideo._settings import FrontEndSettings, node_id
from zbus.config import BrokerPlan
from zbus.nodes import Presence, Report, find_frames
from zbus.transport import EVERY, LATEST, RawPublisher, Reactor, Received, Subscriber, key_of
from zbus.wire import (
    DEGRADED,
    DIRECTORY,
    EVENT,
    FRAME,
    RAW,
    RUNNING,
    STARTING,
    STATE,
    Buffer,
    Event,
    Frame,
    State,
    Topic,
)


def run_node(settings: FrontEndSettings, broker: BrokerPlan, reactor: Reactor) -> None:
    """Serve one camera until `reactor` is stopped. Raises what FrontEnd.run tells."""
    endpoint = find_frames(settings.camera, broker, reactor)
    if reactor.stopping:
        return
    with open_door(settings, broker, reactor) as door:
        node = _FrontEndNode(settings, broker, endpoint, door, reactor)
        with node.pictures, node.frames, node.states, node.presence:
            reactor.watch(node.frames.socket, node.take)
            reactor.watch(node.states.socket, node.take_states)
            if settings.put_rate:
                reactor.every(1 / settings.put_rate, node.put)
            reactor.run()


class _FrontEndNode:
    def __init__(
        self, settings: FrontEndSettings, broker: BrokerPlan, endpoint: str, door: Door, reactor: Reactor
    ) -> None:
        self._settings, self._endpoint, self._door = settings, endpoint, door
        self.pictures = RawPublisher(settings.pub_address, insecure=settings.insecure)
        policy = LATEST if settings.put_rate else EVERY
        self.frames = Subscriber(
            endpoint, str(Topic(FRAME, settings.camera)), policy=policy, key=key_of(broker)
        )
        self.states = Subscriber(
            broker.subscribe, [f"{STATE}/", str(Topic(EVENT, DIRECTORY))], policy=EVERY, key=key_of(broker)
        )
        self.presence = Presence(node_id(settings.camera), "front-end", broker, reactor, self._report)
        self._newest: Frame | None = None
        self._message: list[Buffer] = []
        self._unreadable = 0
        self._rate = RateMeter()

    def take(self) -> None:
        """Keep the newest frame for the next tick, or send each at once where every frame is wanted."""
        for received in self.frames.take():
            if isinstance(received.body, Frame):
                self._keep(received.body)

    def put(self) -> None:
        """Send the newest picture, also where it was sent before: clients count on the tick."""
        if self._newest is None or not self.pictures.is_wanted:
            return
        self._message = self._message or encode_picture(self._newest, self._settings)
        self.pictures.send(self._message)
        self._rate.beat(time.monotonic_ns())

    def take_states(self) -> None:
        """Learn where the rig's overlay door is, and what became of the camera."""
        for received in self.states.take():
            if isinstance(received.body, State):
                self._hear_state(received, received.body)
            elif isinstance(received.body, Event):
                self._hear_event(received.body)

    def _keep(self, frame: Frame) -> None:
        if frame.codec != RAW:
            self._unreadable += 1
            self.presence.enter(DEGRADED, f"{self._settings.camera} sends {frame.codec}, not raw pixels")
            return
        self._newest, self._message = frame, []
        self._door.fit((frame.width, frame.height))
        self.presence.enter(RUNNING)
        if not self._settings.put_rate:
            self.put()

    def _hear_state(self, received: Received, state: State) -> None:
        if state.role == "overlay":
            self._door.hear(state)
        elif received.origin.node == self._settings.camera and state.state not in (RUNNING, STARTING):
            self._miss(f"is {state.state}" + (f": {state.cause}" if state.cause else ""))

    def _hear_event(self, event: Event) -> None:
        is_ours = event.fields.get("node") == self._settings.camera
        if event.event in ("node_lost", "node_left") and is_ours and not event.fields.get("replaced"):
            self._miss("is gone from the bus")

    def _miss(self, what: str) -> None:
        self.presence.enter(DEGRADED, f"{self._settings.camera} {what}; its last picture is sent on"[:500])

    def _report(self) -> Report:
        counters, sent = self.frames.counters, self.pictures.counters
        return Report(
            counters={
                "frames_received": counters.received,
                "frames_skipped": counters.skipped,
                "frames_lost": counters.lost,
                "frames_unreadable": self._unreadable + sum(counters.refused.values()),
                "sent": sent.sent,
                "sent_bytes": sent.sent_bytes,
                **self._door.counters,
            },
            settings=asdict(self._settings),
            details={
                "camera": self._settings.camera,
                "frames_from": self._endpoint,
                "unique_id": self._settings.picture_id,
                "pub_address": self.pictures.endpoint,
                "pull_address": self._door.endpoint,
                "boxes_to": self._door.rig_door,
                "put_rate_hz": round(self._rate.rate_hz(time.monotonic_ns()), 2),
            },
        )
