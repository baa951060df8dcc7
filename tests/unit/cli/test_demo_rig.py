from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from zbus.cli._check import check_plans
from zbus.cli._demo_rig import _is_gray, arena_rig, choose_ports, video_rig
from zbus.config import Rig, load_rig, write_rig
from zbus.errors import CameraNotFound, TrackingError


def test_the_arena_has_as_many_animals_as_the_tracker_looks_for() -> None:
    rig = arena_rig(7)
    assert rig.cameras["arena"].settings["animals"] == rig.trackers["tracker"].settings["animals"] == 7
    assert rig.cameras["arena"].wait_for_subscriber
    check_plans(rig)


def test_free_ports_are_all_different_and_what_is_not_there_stays_away() -> None:
    rig = choose_ports(arena_rig(1))
    assert rig.overlay is not None
    assert rig.gateway is not None
    places = [
        rig.broker.directory,
        rig.broker.publish,
        rig.broker.subscribe,
        rig.overlay.bind,
        rig.gateway.bind,
    ]
    assert len({place.rpartition(":")[2] for place in places}) == 5
    assert choose_ports(Rig()).gateway is choose_ports(Rig()).overlay is None


def make_video(
    path: Path, ground: tuple[int, int, int], animal: tuple[int, int, int], frames: int = 30
) -> Path:
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 30, (160, 120))
    for number in range(frames):
        picture = np.full((120, 160, 3), ground, np.uint8)
        cv2.circle(picture, (20 + 4 * number, 60), 8, animal, -1)
        writer.write(picture)
    writer.release()
    return path


def test_a_video_is_looked_at_and_what_it_shows_goes_into_the_rig_file(tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.avi", (200, 200, 200), (30, 30, 30))
    rig = video_rig(path, 1, loop=True, folder=tmp_path)
    assert rig.cameras["video"].settings == {"path": str(path), "loop": True, "pixel_format": "mono8"}
    assert rig.cameras["video"].wait_for_subscriber
    (tmp_path / "rig.toml").write_text(write_rig(rig))
    check_plans(load_rig(tmp_path / "rig.toml"))


def test_one_with_colors_keeps_them_even_where_only_the_animal_has_one(tmp_path: Path) -> None:
    for ground, animal in (((200, 200, 200), (30, 30, 200)), ((60, 160, 90), (30, 30, 30))):
        path = make_video(tmp_path / "a.avi", ground, animal)
        rig = video_rig(path, 1, loop=False, folder=tmp_path)
        assert "pixel_format" not in rig.cameras["video"].settings


def test_a_few_odd_pixels_make_no_color() -> None:
    picture = np.full((100, 100, 3), 128, np.uint8)
    assert _is_gray(picture)
    assert _is_gray(picture[:, :, 0])
    picture[0, :10] = (0, 0, 255)
    assert _is_gray(picture)
    picture[1] = (128, 128, 135)
    assert not _is_gray(picture)


@pytest.mark.parametrize("sizes", [[100, 100], [100, 100, 80, 90, 70, 60]])
def test_too_few_pictures_of_one_size_are_told(tmp_path: Path, sizes: list[int]) -> None:
    for number, size in enumerate(sizes):
        cv2.imwrite(str(tmp_path / f"{number}.png"), np.full((size, size), 200, np.uint8))
    with pytest.raises(TrackingError, match=r"2 pictures are too few .*; give at least 3") as refused:
        video_rig(tmp_path, 1, loop=False, folder=tmp_path)
    assert refused.value.cause.startswith(str(tmp_path))
    assert "those of another size than the first are passed over" in refused.value.next_step
    video = make_video(tmp_path / "a.avi", (200, 200, 200), (30, 30, 30), frames=1)
    with pytest.raises(TrackingError, match="1 pictures are too few") as refused:
        video_rig(video, 1, loop=False, folder=tmp_path)
    assert "a longer video" in refused.value.next_step


def test_what_is_no_video_is_told(tmp_path: Path) -> None:
    with pytest.raises(CameraNotFound):
        video_rig(tmp_path / "none.mp4", 1, loop=False, folder=tmp_path)
