"""`zbus demo`: a whole rig in one command, as a person and as a program meet it."""

from __future__ import annotations

import json
import signal
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import cv2
import numpy as np
import pytest
from rig_process import DEADLINE_S, ZbusProcess, run_zbus, runtime_folder

from zbus.config import load_rig
from zbus.transport import Requester

FRAMES, ANIMALS = 75, 3
QUIET = ["demo", "--no-browser", "--ports", "auto", "--json"]


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    with runtime_folder() as folder:
        yield folder


@pytest.fixture(scope="module")
def video(folder: Path) -> Path:
    """Dark animals on a light floor: two go to and fro on lines of their own, one goes around."""
    path = folder / "walk.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 30, (320, 240))
    for number in range(FRAMES):
        picture = np.full((240, 320, 3), 205, np.uint8)
        for x, y in ((50 + 2 * number, 45), (260 - 2 * number, 120), (60 + 2 * number, 195)):
            cv2.ellipse(picture, (x, y), (15, 7), 0, 0, 360, (40, 40, 40), -1)
        writer.write(picture)
    writer.release()
    return path


def summary_of(process: ZbusProcess) -> dict[str, Any]:
    assert process.process.wait(DEADLINE_S) == 0, process.stderr
    assert "Traceback" not in process.stderr
    assert process.children() == []
    return json.loads(process.stdout.splitlines()[-1])


def test_two_demos_run_side_by_side_one_for_a_program_and_one_for_a_person(folder: Path) -> None:
    with (
        ZbusProcess(*QUIET, "--seconds", "3", folder=folder) as demo,
        ZbusProcess("demo", "--no-browser", "--ports", "auto", folder=folder) as other,
    ):
        endpoints = demo.first_line()["endpoints"]
        demo.children()
        assert list(endpoints) == ["directory", "publish", "subscribe", "overlay", "http"]
        with urlopen(endpoints["http"], timeout=DEADLINE_S) as page:
            assert page.status == 200
        with Requester(endpoints["directory"]) as requester:
            nodes = {node["node"] for node in requester.request("nodes")["nodes"]}
        assert {"arena", "tracker", "overlay", "supervisor"} <= nodes
        check_summary(summary_of(demo))

        other.wait_for(lambda: "http " in other.stdout)
        assert "look at http://127.0.0.1:" in other.stdout
        assert not any(place in other.stdout for place in endpoints.values())
        assert other.end(signal.SIGINT) == 0
        assert other.children() == []
        assert "Traceback" not in other.stderr
        assert "tracks messages" in other.stdout
        assert [path.name for path in (folder / "zbus").iterdir() if path.name != "127.0.0.1-5550"] == []


def check_summary(summary: dict[str, Any]) -> None:
    names = ["frames", "tracks", "gaps", "drops", "ids", "latency_ms", "centroid_rmse_px"]
    assert list(summary) == names
    assert summary["ids"] == 5
    assert summary["frames"] >= summary["tracks"] >= 60
    assert summary["centroid_rmse_px"] < 1.5
    assert 0 < summary["latency_ms"]["p50"] <= summary["latency_ms"]["p99"]
    assert summary["gaps"] <= summary["drops"]


def test_a_video_is_tracked_from_its_first_picture_to_its_last(folder: Path, video: Path) -> None:
    command = [*QUIET, "--video", str(video), "--animals", str(ANIMALS)]
    with ZbusProcess(*command, folder=folder) as demo:
        assert set(demo.first_line()) == {"endpoints"}
        summary = summary_of(demo)
    assert summary["frames"] == FRAMES
    assert summary["tracks"] == FRAMES - summary["drops"]
    assert summary["ids"] == ANIMALS
    assert "centroid_rmse_px" not in summary
    assert summary["latency_ms"]["p50"] > 0


def test_a_port_that_is_taken_is_named_and_the_next_command_told(folder: Path) -> None:
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            taken.bind(("127.0.0.1", 5551))
            taken.listen()
        except OSError:
            pass  # Somebody else of this machine has it, which serves as well.
        done = run_zbus("demo", "--seconds", "2", "--no-browser", "--json", folder=folder)
    assert done.returncode == 5
    told = json.loads(done.stdout)["error"]
    assert told["code"] == "address_in_use"
    assert "tcp://127.0.0.1:555" in told["cause"]
    assert "--ports auto" in told["next_step"]
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "exit_code", "cause"),
    [
        (["--video", "nowhere.mp4"], 7, "nowhere.mp4"),
        (["--video", "junk.mp4"], 7, "junk.mp4"),
        (["--animals", "0"], 2, "--animals"),
        (["--write-rig", "no/such/folder/rig.toml"], 3, "rig.toml"),
    ],
)
def test_what_cannot_be_is_told_and_nothing_is_started(
    folder: Path, arguments: list[str], exit_code: int, cause: str
) -> None:
    (folder / "junk.mp4").write_bytes(b"no video at all " * 64)
    done = run_zbus(*QUIET, *arguments, folder=folder)
    assert done.returncode == exit_code
    (line,) = done.stdout.splitlines()
    told = json.loads(line)["error"]
    assert cause in told["cause"]
    assert told["next_step"]
    assert "Traceback" not in done.stderr


def test_the_demo_writes_a_rig_file_to_start_from(folder: Path, video: Path) -> None:
    arguments = ["--video", str(video), "--animals", "3"]
    done = run_zbus("demo", "--write-rig", "film.toml", *arguments, folder=folder)
    assert (done.returncode, done.stdout) == (0, "film.toml is written; start it: zbus up film.toml\n")
    rig = load_rig(folder / "film.toml")
    assert list(rig.cameras) == ["video"]
    assert rig.trackers["tracker"].settings["animals"] == 3
