from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from zbus.cli import _tap
from zbus.transport import Duplicate, Gap, Publisher, Restart
from zbus.wire import EVENT, FRAME, Event, Topic, frame_of_image


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
    assert "does not know" in _tap._summarize(None)
