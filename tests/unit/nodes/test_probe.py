from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from zbus.nodes import Probe, _probe
from zbus.transport import Publisher, Reactor
from zbus.wire import EVENT, STATE, TRACKS, Event, State, Topic, Tracks, TracksMessage


class Stage:
    """A camera and a tracker, played; and the probe that looks at them."""

    def __init__(self, probe: Probe, reactor: Reactor, camera: Publisher, tracker: Publisher) -> None:
        self.probe, self._reactor, self.camera, self.tracker = probe, reactor, camera, tracker

    def state(self, state: str, role: str = "camera", **counters: int) -> None:
        publisher = self.camera if role == "camera" else self.tracker
        publisher.send(Topic(STATE, publisher.node), State(role, state, 1, "h", 1, counters=counters))

    def tracks(self, number: int, *centroids: tuple[float, float], age_s: float = 0.0) -> None:
        count = len(centroids)
        rows = Tracks(
            np.arange(count),
            np.array(centroids, np.float64).reshape(-1, 2),
            np.zeros((count, 4)),
            np.ones(count),
            np.zeros(count, np.int64),
            ("confirmed",) * count,
        )
        mono_ns = time.monotonic_ns() - int(age_s * 1e9)
        self.tracker.send(Topic(TRACKS, "t"), TracksMessage("cam", number, 1, mono_ns, rows))

    def truth(self, number: Any, centroids: Any) -> None:
        fields = {"frame_number": number, "centroids_px": centroids}
        self.camera.send(Topic(EVENT, "cam"), Event("truth", fields))

    def until(self, condition: Any) -> None:
        deadline_s = time.monotonic() + 20
        while not condition():
            assert time.monotonic() < deadline_s
            self._reactor.run_once(0.02)


@pytest.fixture
def stage(plan: Any) -> Iterator[Stage]:
    with (
        Reactor() as reactor,
        Probe("cam", plan, reactor) as probe,
        Publisher("cam", connect=[plan.publish]) as camera,
        Publisher("t", connect=[plan.publish]) as tracker,
    ):
        stage = Stage(probe, reactor, camera, tracker)
        topics = ((camera, Topic(EVENT, "cam")), (tracker, Topic(TRACKS, "t")))
        stage.until(lambda: all(publisher.wants(topic) for publisher, topic in topics))
        yield stage


def test_it_counts_and_compares_with_the_truth(stage: Stage) -> None:
    stage.state("running", published=2, dropped=1)
    stage.state("running", role="tracker", gaps=1, lost=2, frames_skipped=3)
    stage.truth(1, [[10.0, 10.0], [50.0, 50.0]])
    stage.tracks(1, (50.0, 53.0), (10.0, 14.0))
    stage.truth(2, [[10.0, 10.0]])
    stage.until(lambda: "centroid_rmse_px" in stage.probe.summary() and stage.probe.is_running("tracker"))
    summary = stage.probe.summary()
    assert (summary["frames"], summary["tracks"], summary["ids"]) == (2, 1, 2)
    assert (summary["gaps"], summary["drops"]) == (1, 6)
    assert summary["centroid_rmse_px"] == pytest.approx(((9 + 16) / 2) ** 0.5, abs=1e-3)


@pytest.mark.parametrize("centroids", ["junk", [[1, 2], [3]], [[None, 1]], [[float("nan"), 1.0]], [1, 2, 3]])
def test_a_truth_that_is_none_is_not_believed(stage: Stage, centroids: Any) -> None:
    stage.truth("one", [[1.0, 1.0]])
    try:
        stage.truth(1, centroids)
    except Exception as error:  # noqa: BLE001  The wire refuses some of them already.
        assert type(error).__name__ == "WireError"
    stage.tracks(1, (1.0, 1.0))
    stage.until(lambda: stage.probe.tracks == 1)
    assert "centroid_rmse_px" not in stage.probe.summary()


def test_a_film_has_ended_when_its_last_tracks_are_there(stage: Stage) -> None:
    stage.state("running", published=1)
    stage.tracks(0, (1.0, 1.0))
    stage.until(lambda: stage.probe.tracks == 1)
    assert not stage.probe.ended
    stage.state("ended", published=2)
    stage.until(lambda: stage.probe.summary()["frames"] == 2)
    assert not stage.probe.ended
    stage.tracks(1, (1.0, 1.0))
    stage.until(lambda: stage.probe.tracks == 2)
    assert stage.probe.ended


def test_a_film_whose_frames_were_lost_ends_too(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_probe, "TRACKS_TIMEOUT_S", 0.2)
    stage.state("ended", published=100)
    stage.until(lambda: stage.probe.ended)
    assert stage.probe.tracks == 0


def test_what_a_node_counted_before_it_was_started_again_stays_in_the_sum(stage: Stage, plan: Any) -> None:
    stage.state("running", published=5)
    stage.until(lambda: stage.probe.summary()["frames"] == 5)
    with Publisher("cam", connect=[plan.publish]) as again:
        stage.until(lambda: again.wants(Topic(STATE, "cam")))
        again.send(Topic(STATE, "cam"), State("camera", "running", 1, "h", 2, counters={"published": 2}))
        stage.until(lambda: stage.probe.summary()["frames"] == 7)


def test_latency_is_that_of_the_time_asked_for_or_of_all(stage: Stage) -> None:
    assert stage.probe.summary()["latency_ms"] is None
    stage.tracks(1, (1.0, 1.0), age_s=5)
    stage.until(lambda: stage.probe.tracks == 1)
    assert stage.probe.summary()["latency_ms"]["p50"] > 4_000
    stage.probe.time_latency(True)
    stage.tracks(2, (1.0, 1.0))
    stage.until(lambda: stage.probe.tracks == 2)
    assert stage.probe.summary()["latency_ms"]["p99"] < 4_000


def test_last_words_are_heard_after_the_loop_has_ended(stage: Stage) -> None:
    stage.tracks(1, (1.0, 1.0))
    stage.probe.hear_out(1.0)
    assert stage.probe.tracks == 1
    stage.probe.close()
