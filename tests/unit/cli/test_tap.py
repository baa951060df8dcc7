from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from zbus.cli import _tap
from zbus.transport import Duplicate, Gap, Publisher, Received, Restart
from zbus.wire import (
    EVENT,
    FRAME,
    Event,
    Origin,
    Overlay,
    OverlaySet,
    Topic,
    Tracks,
    TracksMessage,
    frame_of_image,
)


@pytest.fixture
def said(broker: Any) -> Iterator[None]:
    """Somebody who says the same again and again."""
    done = threading.Event()

    def say() -> None:
        with Publisher("n1", connect=[broker.publish]) as publisher:
            frame = frame_of_image(
                np.zeros((2, 3), np.uint8), "mono8", camera="n1", frame_number=5, captured_ns=9_999, mono_ns=1
            )
            while not done.wait(0.02):
                publisher.send(
                    Topic(EVENT, "n1"),
                    Event("camera_lost", {"cause": "a\n\x1b[2Jb", "deep": {"x_ns": 5_000}}),
                )
                publisher.send(Topic(FRAME, "n1"), frame)

    thread = threading.Thread(target=say)
    thread.start()
    yield
    done.set()
    thread.join()


def test_messages_are_lines(run: Any, at: list[str], said: None) -> None:
    result = run("tap", *at, "event/n1/", "frame/n1/", "--count", "4")
    lines = result.stdout.splitlines()
    assert len(lines) == 4
    assert any("camera_lost" in line for line in lines)
    assert any("frame 5  3x2 mono8 raw" in line for line in lines)
    assert "\x1b" not in result.stdout


def test_for_a_program_they_are_objects_with_microseconds(run: Any, at: list[str], said: None) -> None:
    result = run("tap", *at, "event/n1/", "frame/n1/", "--count", "4", "--json")
    told = {line["topic"]: line for line in map(json.loads, result.stdout.splitlines())}
    assert told["frame/n1/"]["captured_us"] == 9
    assert told["event/n1/"]["fields"]["deep"] == {"x_us": 5}
    assert "captured_ns" not in told["frame/n1/"]


def test_where_nobody_is_there_it_says_so_and_ends_as_one_who_was_not_answered(
    fail: Any, run: Any, free_endpoint: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    nowhere = ["tap", "--subscribe", free_endpoint(), "--seconds", "0.3"]
    assert "nobody answers at tcp://" in fail(*nowhere, ends_with=6)["cause"]
    monkeypatch.setattr(_tap, "HINT_AFTER_S", 0.1)
    assert "waiting ..." in run(*nowhere, ends_with=6).stderr


def test_where_nobody_speaks_it_says_so_and_waits(
    run: Any, at: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_tap, "HINT_AFTER_S", 0.1)
    result = run("tap", *at, "tracks/nobody/", "--seconds", "0.4")
    assert "nobody has published tracks/nobody/ yet" in result.stderr
    assert "zbus ls" in result.stderr
    assert result.stdout == ""


@pytest.mark.parametrize(
    ("finding", "words"),
    [
        (Gap("frame/a/", 3, 7), "gap: 3 messages of frame/a/"),
        (Restart("frame/a/", "x", "y", 1.5), "after 1.50 s of silence"),
        (Duplicate("frame/a/", ("x", "y")), "two publishers"),
    ],
)
def test_what_is_amiss_is_told(capsys: Any, finding: Any, words: str) -> None:
    _tap._tell(finding)
    assert words in capsys.readouterr().err


def test_kinds_of_later_versions_are_shown_as_such() -> None:
    assert "does not know" in _tap._summarize(None, 0)


def test_no_drawings_are_told_too() -> None:
    assert _tap._summarize(OverlaySet("arena"), 0) == "camera arena, shapes []"


def test_a_person_reads_tenths_of_a_pixel_and_how_long_ago() -> None:
    places, box = np.array([[503.87362, 4.26]]), np.array([[1.04, 2.0, 3.06, 4.0]])
    tracks = Tracks(np.array([7]), places, box, np.array([0.123456]), np.array([0]), ("confirmed",))
    message = TracksMessage("arena", 3, 2_000_000, 77_777, tracks)
    told = _tap._summarize(message, 9_500_000)
    assert "captured 7.5 ms ago" in told
    assert "centroids_px [[503.9, 4.3]], boxes_xyxy_px [[1.0, 2.0, 3.1, 4.0]], scores [0.1235]" in told
    assert "77777" not in told
    drawn = Overlay("DRAW_BOX", {"x": 1.26, "y": 2.0})
    assert "'x': 1.3" in _tap._summarize(OverlaySet("arena", (drawn,)), 0)


@pytest.mark.parametrize(("is_terminal", "width"), [(True, 60), (False, 250)])
def test_a_line_is_no_wider_than_the_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: Any, is_terminal: bool, width: int
) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setattr(sys.stdout, "isatty", lambda: is_terminal, raising=False)
    origin = Origin("n1", "s", 1, time.time_ns())
    _tap._show(Received(Topic(EVENT, "n1"), origin, Event("x", {"text": "y" * 500}), 0))
    assert 60 <= len(capsys.readouterr().out.rstrip("\n")) <= width
