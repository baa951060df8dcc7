"""The camera node: what a camera grabs goes out as frames, at once and to whoever wants them."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

from zbus.cameras import Camera, Capture, Grabber
from zbus.config import BrokerPlan, CameraPlan, Place, read_settings
from zbus.errors import CameraError, WireError
from zbus.nodes._camera_ring import CameraRing, ring_plan
from zbus.nodes._folder import rig_folder
from zbus.nodes._pictures import encode_jpeg, to_mono_or_bgr
from zbus.nodes._presence import Presence, Report
from zbus.plugins import load_plugin
from zbus.transport import FRAMES_OUT, Publisher, Reactor, key_of, sweep_rings
from zbus.wire import (
    BELL_RENDITION,
    DEGRADED,
    ENDED,
    FAILED,
    FRAME,
    JPEG,
    JPEG_RENDITION,
    LOST_STATE,
    RING_RENDITION,
    RUNNING,
    STARTING,
    Frame,
    Topic,
    frame_of_image,
)

OPEN_TIMEOUT_S = 10.0
CONFIGURE_TIMEOUT_S = 2.0
FILE_QUEUE_FRAMES = 64
WAIT_PERIOD_S = 0.02

_STATES = {"running": RUNNING, "lost": LOST_STATE, "failed": FAILED, "ended": ENDED}


def make_camera(camera_id: str, plan: CameraPlan, place: Place | None = None) -> Camera:
    """The camera of a plan that stands at `place`, not yet opened. Raises UnknownName, ConfigError."""
    source = load_plugin("zbus.cameras", plan.source)
    settings = read_settings(source.Settings, plan.settings, place, f"cameras.{camera_id}.settings.")
    return source(camera_id, settings)


def run_camera(
    camera_id: str, plan: CameraPlan, broker: BrokerPlan, reactor: Reactor, place: Place | None = None
) -> None:
    """Run a camera node until `reactor` is stopped.

    Raises CameraError where the camera cannot be opened at first; once it runs, losing it is a state.
    """
    # Why here: whoever dies with a ring is started again, or another camera is.
    sweep_rings()
    node = _CameraNode(make_camera(camera_id, plan, place), plan, broker, reactor)
    with node.presence, node.frames:
        if plan.wait_for_subscriber:
            node.wait_for_subscriber()
        with node.grabber:
            node.wait_open()
            reactor.run()


class _CameraNode:
    def __init__(self, camera: Camera, plan: CameraPlan, broker: BrokerPlan, reactor: Reactor) -> None:
        self.id, self._plan, self._reactor = camera.camera_id, plan, reactor
        self._frame_topic = Topic(FRAME, self.id)
        self._jpeg_topic = Topic(FRAME, self.id, JPEG_RENDITION)
        renditions = (RING_RENDITION, BELL_RENDITION) if ring_plan(plan) else ()
        self._ring_topics = [Topic(FRAME, self.id, rendition) for rendition in renditions]
        # Why: a file is played whole: it waits where a device would drop, and catches up in a burst.
        is_file = plan.source == "file"
        link = replace(FRAMES_OUT, depth=FILE_QUEUE_FRAMES) if is_file else FRAMES_OUT
        verbs = {"configure": self._configure}
        self.presence = Presence(self.id, "camera", broker, reactor, self._report, verbs)
        self.frames = Publisher(
            self.id,
            link=link,
            connect=[broker.publish],
            ipc_folder=rig_folder(broker),
            session=self.presence.publisher.session,
            key=key_of(broker),
            ring=ring_plan(plan),
        )
        self.ring = CameraRing(self.id, self.frames, lambda: self.grabber.settings)
        self.grabber = Grabber(
            camera, on_ready=self._on_ready, lossless=is_file, make_buffer=self.ring.make_buffer
        )
        self._shape: dict[str, Any] = {}
        self._jpeg_due_s = 0.0
        self._published = self._jpegs = self._refused = 0

    def take(self) -> None:
        """Send what was grabbed, and tell what became of the camera."""
        # Why the changes first: what was grabbed before the last of them is then among the captures.
        changes = self.grabber.take_changes()
        for capture in self.grabber.take():
            self._send(capture)
        for change in changes:
            self._enter(change.state, change.cause)

    def wait_for_subscriber(self) -> None:
        """Serve the bus, but not yet the camera, until its frames are wanted."""
        self.presence.enter(STARTING, "waiting for a subscriber")
        while not self._reactor.stopping and not self.frames.wants(self._frame_topic):
            self._reactor.run_once(WAIT_PERIOD_S)

    def wait_open(self) -> None:
        """Serve the bus until the camera is open. Raises CameraError."""
        deadline_s = time.monotonic() + OPEN_TIMEOUT_S
        while self.grabber.state == "opening" and time.monotonic() < deadline_s:
            if self._reactor.stopping:
                return
            self._reactor.run_once(WAIT_PERIOD_S)
        if self.grabber.state == "opening":
            cause = f"camera {self.id} did not open within {OPEN_TIMEOUT_S:g} s"
            raise CameraError(cause, next_step="check the device: zbus doctor")
        # Why now: it does not wait any more, and raises what kept the camera from opening.
        self.grabber.wait_open(0.0)

    def _on_ready(self) -> None:
        self._reactor.call_soon(self.take)

    def _send(self, capture: Capture) -> None:
        try:
            self.ring.expect_rate()
            frame = _frame_of(self.id, capture)
            self._published += self.frames.send(self._frame_topic, frame)
            self._shape = {"width": frame.width, "height": frame.height, "pixel_format": frame.pixel_format}
            for event in capture.events:
                self._tell(event)
            self._send_jpeg(frame)
        except WireError as error:
            # Why: a plug-in's slip costs its frame, not the node.
            self._refused += 1
            self.presence.enter(DEGRADED, f"a frame that the bus does not take: {error.cause}")
            return
        if self.presence.state in (DEGRADED, RUNNING):
            self.presence.enter(RUNNING, self.ring.trouble)

    def _tell(self, event: Mapping[str, Any]) -> None:
        fields = {key: value for key, value in event.items() if key != "event"}
        self.presence.tell(str(event.get("event", "camera")), fields)

    def _send_jpeg(self, frame: Frame) -> None:
        now_s = time.monotonic()
        if now_s < self._jpeg_due_s or not self.frames.wants_rendition(self._jpeg_topic):
            return
        self._jpeg_due_s = max(self._jpeg_due_s + 1 / self._plan.jpeg_hz, now_s)
        picture = to_mono_or_bgr(frame.image, frame.pixel_format)
        data = encode_jpeg(picture, self._plan.jpeg_quality)
        pixel_format = "mono8" if picture.ndim == 2 else "bgr8"
        jpeg = replace(frame, data=data, stride_bytes=0, codec=JPEG, pixel_format=pixel_format)
        self._jpegs += self.frames.send(self._jpeg_topic, jpeg)

    def _enter(self, state: str, cause: str) -> None:
        # Why: what to try next stands on lines of its own, and is for who started this node.
        cause = cause.partition("\n")[0]
        before = self.presence.state
        self.presence.enter(_STATES[state], cause)
        told = {"camera": self.id, "cause": cause, "frames": self.grabber.counters.grabbed}
        if state == "ended":
            self.presence.tell("camera_ended", told)
        elif state in ("lost", "failed"):
            self.presence.tell("camera_lost", told)
        elif before in (LOST_STATE, FAILED):
            self.presence.tell("camera_found", told)

    def _configure(self, args: Mapping[str, Any]) -> Mapping[str, Any]:
        changes = args.get("settings")
        if not isinstance(changes, dict) or not changes:
            raise CameraError("configure needs settings", next_step='{"settings": {"Gain": 2.0}}')
        return {"settings": self.grabber.configure(changes, CONFIGURE_TIMEOUT_S)}

    def _report(self) -> Report:
        grabbed, sent = self.grabber.counters, self.frames.counters
        return Report(
            publishes=[str(topic) for topic in (self._frame_topic, self._jpeg_topic, *self._ring_topics)],
            endpoints=self.frames.endpoints,
            counters={
                **asdict(grabbed),
                "published": self._published,
                "publish_dropped": sent.dropped,
                "refused": self._refused,
                "jpegs": self._jpegs,
            },
            settings=self.grabber.settings,
            details={
                "camera": self.id,
                "source": self._plan.source,
                **self._shape,
                "ring": self.ring.details(),
            },
            offered={str(self._frame_topic): self._published, str(self._jpeg_topic): self._jpegs},
        )


def _frame_of(camera: str, capture: Capture) -> Frame:
    return frame_of_image(
        capture.image,
        capture.pixel_format,
        camera=camera,
        frame_number=capture.frame_number,
        captured_ns=capture.captured_ns,
        mono_ns=capture.mono_ns,
        clock=capture.clock,
        device_ns=capture.device_ns,
    )
