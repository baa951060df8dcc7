"""Looks at a running rig from outside: counts, errors against the truth, and latency."""

from __future__ import annotations

import time
from collections import OrderedDict, deque
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from zbus.config import BrokerPlan
from zbus.transport import EVERY, Reactor, Received, Resource, Subscriber, key_of
from zbus.wire import (
    CONFIRMED,
    ENDED,
    EVENT,
    LOST,
    RUNNING,
    STATE,
    TRACKS,
    Event,
    State,
    Topic,
    TracksMessage,
)

TRUTH_KEPT = 256
LATENCIES_KEPT = 20_000
FAR_PX = 50.0
# After its last picture a camera's tracks are waited for no longer than this from one to the next.
TRACKS_TIMEOUT_S = 1.0


class Probe(Resource):
    """Subscribes to one camera's truth and tracks and to all states, in the thread of `reactor`.

    Only tracks of this host count for latency: `mono_ns` of another host says nothing here.
    """

    def __init__(self, camera: str, broker: BrokerPlan, reactor: Reactor) -> None:
        self._camera, self._reactor = camera, reactor
        topics = [f"{STATE}/", f"{TRACKS}/", str(Topic(EVENT, camera))]
        self._subscriber = Subscriber(broker.subscribe, topics, policy=EVERY, key=key_of(broker))
        self._states: dict[str, State] = {}
        self._past: dict[str, dict[str, float]] = {}
        self._sessions: dict[str, str] = {}
        self._truth: OrderedDict[int, NDArray[np.float64]] = OrderedDict()
        self._waiting: OrderedDict[int, NDArray[np.float64]] = OrderedDict()
        self._latencies_ms: deque[float] = deque(maxlen=LATENCIES_KEPT)
        self._early_ms: deque[float] = deque(maxlen=LATENCIES_KEPT)
        self._times = False
        self._squares = self._pairs = 0.0
        self._ids: set[int] = set()
        self._heard_s = 0.0
        self._is_open = False
        self.tracks = 0

    def open(self) -> None:
        """Connect."""
        self._subscriber.open()
        self._reactor.watch(self._subscriber.socket, self.take)
        self._is_open = True

    def close(self) -> None:
        """Disconnect. Safe to call twice."""
        if self._is_open:
            self._reactor.unwatch(self._subscriber.socket)
            self._subscriber.close()
        self._is_open = False

    def hear_out(self, timeout_s: float) -> None:
        """Listen for so long to the last words of nodes that have left. Blocks."""
        deadline_s = time.monotonic() + timeout_s
        while (received := self._subscriber.recv(max(0.0, deadline_s - time.monotonic()))) is not None:
            self._take(received)

    @property
    def ended(self) -> bool:
        """True once the camera has given its last picture and the tracks have come, or no more come."""
        state = self._states.get(self._camera)
        if state is None or state.state != ENDED:
            return False
        is_silent = time.monotonic() - self._heard_s > TRACKS_TIMEOUT_S
        return is_silent or self.tracks >= self._total("camera", "published")

    def is_running(self, role: str) -> bool:
        """True once a node of this role has told that it runs."""
        return any(state.role == role and state.state == RUNNING for state in self._states.values())

    def time_latency(self, wanted: bool) -> None:
        """Measure latency from now on, or no more: what starting or stopping takes is none."""
        self._times = wanted

    def take(self) -> None:
        """Look at what has arrived."""
        for received in self._subscriber.take():
            self._take(received)

    def summary(self) -> dict[str, Any]:
        """What was seen until now; rmse only where the camera tells the truth."""
        found = self._subscriber.counters
        summary: dict[str, Any] = {
            "frames": int(self._total("camera", "published")),
            "tracks": self.tracks,
            "gaps": int(self._total("tracker", "gaps")) + found.gaps,
            "drops": int(
                self._total("camera", "dropped")
                + self._total("camera", "publish_dropped")
                + self._total("tracker", "lost")
                + self._total("tracker", "frames_skipped")
                + found.lost
                + found.skipped
            ),
            "ids": len(self._ids),
            "latency_ms": self._latency(),
        }
        if self._pairs:
            summary["centroid_rmse_px"] = round((self._squares / self._pairs) ** 0.5, 3)
        return summary

    def _take(self, received: Received) -> None:
        body = received.body
        if isinstance(body, TracksMessage):
            self._take_tracks(body)
        elif isinstance(body, Event) and body.event == "truth":
            self._take_truth(body)
        elif isinstance(body, State):
            self._take_state(received, body)

    def _take_tracks(self, message: TracksMessage) -> None:
        kept_ms = self._latencies_ms if self._times else self._early_ms
        kept_ms.append((time.monotonic_ns() - message.mono_ns) / 1e6)
        self._heard_s = time.monotonic()
        self.tracks += 1
        rows = [state != LOST for state in message.tracks.states]
        confirmed = [state == CONFIRMED for state in message.tracks.states]
        self._ids.update(message.tracks.track_ids[confirmed].tolist())
        self._waiting[message.frame_number] = message.tracks.centroids_px[rows]
        self._compare(message.frame_number)

    def _take_truth(self, event: Event) -> None:
        number = event.fields.get("frame_number")
        try:
            centroids = np.asarray(event.fields.get("centroids_px", []), np.float64).reshape(-1, 2)
        except (ValueError, TypeError):
            # Why: anybody may publish an event of this name.
            return
        if isinstance(number, int) and np.isfinite(centroids).all():
            self._truth[number] = centroids
            self._compare(number)

    def _compare(self, number: int) -> None:
        for kept in (self._truth, self._waiting):
            if len(kept) > TRUTH_KEPT:
                kept.popitem(last=False)
        if number in self._truth and number in self._waiting:
            self._add_errors(self._truth.pop(number), self._waiting.pop(number))

    def _add_errors(self, truth: NDArray[np.float64], centroids: NDArray[np.float64]) -> None:
        if not len(truth) or not len(centroids):
            return
        distances = np.linalg.norm(truth[:, None] - centroids[None], axis=2)
        near = distances[linear_sum_assignment(distances)]
        near = near[near < FAR_PX]
        self._squares += float((near**2).sum())
        self._pairs += len(near)

    def _take_state(self, received: Received, state: State) -> None:
        node = received.origin.node
        if self._sessions.get(node, received.origin.session) != received.origin.session:
            self._keep_past(node)
        self._sessions[node] = received.origin.session
        if state.state == ENDED and self._states.get(node, state).state != ENDED:
            self._heard_s = time.monotonic()
        self._states[node] = state

    def _keep_past(self, node: str) -> None:
        """A node that was started again counts from zero: what it counted before stays in the sum."""
        past = self._past.setdefault(node, {})
        for name, count in self._states[node].counters.items():
            past[name] = past.get(name, 0) + count

    def _total(self, role: str, counter: str) -> float:
        total = 0.0
        for node, state in self._states.items():
            if state.role == role:
                total += state.counters.get(counter, 0) + self._past.get(node, {}).get(counter, 0)
        return total

    def _latency(self) -> dict[str, float] | None:
        latencies_ms = self._latencies_ms or self._early_ms
        if not latencies_ms:
            return None
        p50, p99 = np.percentile(np.fromiter(latencies_ms, float), [50, 99])
        return {"p50": round(float(p50), 3), "p99": round(float(p99), 3)}
