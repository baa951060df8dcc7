"""The tracker node: frames of one camera in, its tracks out, with the frame's number and times."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from zbus.config import BrokerPlan, Place, TrackerPlan, read_settings
from zbus.errors import ConfigError, RequestTimeout, UnknownName, WireError, ZbusError
from zbus.nodes._pictures import picture_of
from zbus.nodes._presence import Presence, Report
from zbus.plugins import load_plugin
from zbus.tracking import Tracker
from zbus.transport import (
    EVERY,
    Duplicate,
    Finding,
    Gap,
    Overrun,
    Reactor,
    Received,
    Requester,
    Restart,
    Subscriber,
    is_worth_a_line,
    key_of,
)
from zbus.wire import DEGRADED, FRAME, JPEG_RENDITION, RUNNING, TRACKS, Frame, Topic, TracksMessage

CAMERA_WAIT_S = 10.0
CAMERA_ASK_PERIOD_S = 0.25
ASK_TIMEOUT_S = 1.0
# How long the first frame waits for somebody who wants its tracks: while a rig starts, who listens connects
# at any moment, and tracks that nobody has asked for yet are gone without a trace.
WANTED_TIMEOUT_S = 2.0
TURN_S = 0.05
WANTED_PERIOD_S = 0.02
# So few frames that wait are looked at in shared memory itself, where they stand for about a second.
VIEWED_FRAMES_MAX = 16

log = logging.getLogger(__name__)


def make_tracker(node: str, plan: TrackerPlan, place: Place | None = None) -> Tracker:
    """The tracker of a plan that stands at `place`. Raises UnknownName, ConfigError."""
    tracker = load_plugin("zbus.trackers", plan.tracker)
    prefix = f"trackers.{node}.settings."
    settings = read_settings(tracker.Settings, plan.settings, place, prefix)
    try:
        return tracker(settings)
    except ConfigError as error:
        # Why: a tracker knows the names of its settings, but not where they stand.
        if place is None or error.path:
            raise
        raise place.error(error.what, key=prefix + error.key, expected=error.expected) from error


def run_tracker(
    node: str, plan: TrackerPlan, broker: BrokerPlan, reactor: Reactor, place: Place | None = None
) -> None:
    """Run a tracker node until `reactor` is stopped.

    Raises UnknownName where the camera does not appear within CAMERA_WAIT_S, RequestTimeout where the
    directory does not answer.
    """
    tracker = make_tracker(node, plan, place)
    endpoint, topic = find_pictures(plan.camera, broker, reactor)
    if reactor.stopping:
        return
    wiring = _TrackerNode(node, tracker, plan, broker, endpoint, topic, reactor)
    with wiring.presence:
        wiring.wait_until_wanted()
        with wiring.frames:
            reactor.watch(wiring.frames.socket, wiring.take)
            reactor.run()


def find_frames(camera: str, broker: BrokerPlan, reactor: Reactor) -> str:
    """Where the frames of `camera` are had best: its own endpoint on this host, else the forwarder.

    Waits for the camera; returns "" where `reactor` was stopped meanwhile.
    Raises UnknownName, RequestTimeout.
    """
    return _find([Topic(FRAME, camera)], broker, reactor)[0]


def find_pictures(camera: str, broker: BrokerPlan, reactor: Reactor) -> tuple[str, Topic]:
    """As find_frames, and the topic: JPEG where a relay brings the camera's pictures in no other form."""
    return _find([Topic(FRAME, camera), Topic(FRAME, camera, JPEG_RENDITION)], broker, reactor)


def _find(topics: Sequence[Topic], broker: BrokerPlan, reactor: Reactor) -> tuple[str, Topic]:
    """Where the first of `topics` that somebody publishes is had best."""
    camera = topics[0].source
    deadline_s = time.monotonic() + CAMERA_WAIT_S
    with Requester(broker.directory, key=key_of(broker)) as requester:
        while not reactor.stopping:
            is_late = time.monotonic() > deadline_s
            for topic in topics:
                publishers = _ask_for(topic, requester, is_late)
                if publishers:
                    return _direct_endpoint(publishers[-1], broker.here) or broker.subscribe, topic
            if is_late:
                nodes = requester.request("nodes")["nodes"]
                cameras = sorted({node["node"] for node in nodes if node["role"] == "camera"})
                raise UnknownName("camera", camera, cameras, next_step="see what is on the bus: zbus ls")
            reactor.run_once(CAMERA_ASK_PERIOD_S)
    return "", topics[0]


def _ask_for(topic: Topic, requester: Requester, is_last: bool) -> Sequence[Mapping[str, Any]]:
    """Who publishes this topic. Where nobody answers, that is an error the last time only."""
    try:
        # Why a short wait each time: who is asked to stop meanwhile must not seem to hang.
        found = requester.request("find", {"topic": str(topic)}, timeout_s=ASK_TIMEOUT_S)
    except RequestTimeout:
        if is_last:
            raise
        return ()
    return found["publishers"]


def _direct_endpoint(publisher: Mapping[str, Any], here: str) -> str:
    # Why `via`: what a relay carries in, it gives out on this host, whichever the camera's is.
    if publisher["host"] != here and not publisher.get("via"):
        return ""
    paths = [endpoint for endpoint in publisher["endpoints"] if endpoint.startswith("ipc://")]
    return next((path for path in paths if Path(path.removeprefix("ipc://")).exists()), "")


class _TrackerNode:
    def __init__(
        self,
        node: str,
        tracker: Tracker,
        plan: TrackerPlan,
        broker: BrokerPlan,
        endpoint: str,
        pictures: Topic,
        reactor: Reactor,
    ) -> None:
        self._tracker, self._plan = tracker, plan
        self._topic = Topic(TRACKS, node)
        self.frames = Subscriber(
            endpoint,
            str(pictures),
            policy=EVERY,
            depth=plan.queue_frames,
            # Why a copy for long queues: what waits in them must outlive its place in shared memory.
            ring="view" if plan.queue_frames <= VIEWED_FRAMES_MAX else "copy",
            on_finding=self._on_finding,
            key=key_of(broker) if endpoint == broker.subscribe else None,
        )
        self.presence = Presence(node, "tracker", broker, reactor, self._report)
        self._endpoint, self._reactor = endpoint, reactor
        self._shape: tuple[int, int, str] | None = None
        self._tracked = self._failed = self._overwritten = 0
        self._duplicates: set[str] = set()
        self._update_ms = 0.0

    def wait_until_wanted(self) -> None:
        """Wait a little until somebody subscribes to the tracks, so that the first ones are seen."""
        deadline_s = time.monotonic() + WANTED_TIMEOUT_S
        while time.monotonic() < deadline_s and not self._reactor.stopping:
            if self.presence.publisher.wants(self._topic):
                return
            self._reactor.run_once(WANTED_PERIOD_S)

    def take(self) -> None:
        """Track the frames that have arrived, for as long as others can wait for this loop."""
        until_s = time.monotonic() + TURN_S
        while (received := self.frames.recv(0.0)) is not None:
            self._track(received)
            if time.monotonic() > until_s:
                # Why: while it catches up, a node must be heard of, answer and stop.
                self._reactor.call_soon(self.take)
                return

    def _track(self, received: Received) -> None:
        frame = received.body
        if not isinstance(frame, Frame):
            return
        began_ns = time.monotonic_ns()
        try:
            self._mind_shape(frame)
            tracks = self._tracker.update(picture_of(frame), frame.mono_ns)
        except Exception as error:  # noqa: BLE001  Why: a plug-in's slip costs its frame, not the node.
            self._fail(frame, error)
            return
        self._update_ms = (time.monotonic_ns() - began_ns) / 1e6
        if not frame.valid():
            self._overwritten += 1
            self._tell_lost(str(received.topic), received.origin.seq, "overwritten while it was tracked")
            return
        self._tracked += 1
        message = TracksMessage(frame.camera, frame.frame_number, frame.captured_ns, frame.mono_ns, tracks)
        try:
            self.presence.publisher.send(self._topic, message)
        except WireError as error:
            self._fail(frame, error)
            return
        self.presence.enter(RUNNING)

    def _mind_shape(self, frame: Frame) -> None:
        """Places in a picture of another size mean nothing: begin again."""
        shape = (frame.width, frame.height, frame.pixel_format)
        if self._shape not in (None, shape):
            log.warning("%s: %s is %d x %d %s now", self.presence.node, frame.camera, *shape)
            self._tracker.reset()
        self._shape = shape

    def _fail(self, frame: Frame, error: Exception) -> None:
        self._failed += 1
        cause = error.cause if isinstance(error, ZbusError) else f"{type(error).__name__}: {error}"
        if not isinstance(error, ZbusError) and is_worth_a_line(self._failed):
            log.error("%d frames were not tracked", self._failed, exc_info=error)
        self.presence.enter(DEGRADED, f"frames are not tracked: {cause}"[:500])

    def _on_finding(self, finding: Finding) -> None:
        if isinstance(finding, Gap):
            self._tell_lost(finding.topic, finding.first_seq, "dropped on the bus", finding.lost)
        elif isinstance(finding, Overrun):
            self._tell_lost(finding.topic, finding.seq, "overwritten before it was read")
        elif isinstance(finding, Restart):
            told = {"topic": finding.topic, "silent_s": round(finding.silent_s, 3)}
            sessions = {"old_session": finding.old_session, "new_session": finding.new_session}
            self.presence.tell("restart", {**told, **sessions})
        elif isinstance(finding, Duplicate) and set(finding.sessions) != self._duplicates:
            # Why once: it is found again at each message that comes from the other one.
            self._duplicates = set(finding.sessions)
            told = {"topic": finding.topic, "sessions": sorted(finding.sessions)}
            self.presence.tell("duplicate_publisher", told)

    def _tell_lost(self, topic: str, first_seq: int, cause: str, lost: int = 1) -> None:
        self.presence.tell("gap", {"topic": topic, "lost": lost, "first_seq": first_seq, "cause": cause})

    def _report(self) -> Report:
        counters = self.frames.counters
        return Report(
            publishes=[str(self._topic)],
            counters={
                "frames_received": counters.received,
                "frames_skipped": counters.skipped,
                "frames_overwritten": counters.overruns + self._overwritten,
                "frames_refused": sum(counters.refused.values()),
                "gaps": counters.gaps,
                "lost": counters.lost,
                "restarts": counters.restarts,
                "tracked": self._tracked,
                "failed": self._failed,
                "update_ms": round(self._update_ms, 3),
            },
            settings={"tracker": self._plan.tracker, **self._plan.settings},
            details={"camera": self._plan.camera, "frames_from": self._endpoint},
        )
