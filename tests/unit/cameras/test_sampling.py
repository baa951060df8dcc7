from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zbus.cameras import _sampling
from zbus.cameras._sampling import sample_pictures
from zbus.errors import CameraNotFound

FRAMES = 20


def write_folder(folder: Path, count: int) -> Path:
    for number in range(count):
        assert cv2.imwrite(str(folder / f"{number}.png"), np.full((24, 32), 10 * number, np.uint8))
    return folder


def write_video(path: Path) -> Path:
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 25.0, (64, 48))
    assert writer.isOpened()
    for number in range(FRAMES):
        writer.write(np.full((48, 64, 3), 10 * number, np.uint8))
    writer.release()
    return path


def levels(path: Path, count: int) -> list[int]:
    """Which pictures came: each is one even gray of ten times its number."""
    return [round(float(image.mean()) / 10) for image in sample_pictures(path, count)]


@pytest.mark.parametrize(
    ("count", "numbers"), [(1, [0]), (2, [0, 5]), (3, [0, 3, 6]), (4, [0, 2, 5, 7]), (10, list(range(10)))]
)
def test_the_pictures_lie_evenly_over_the_folder(tmp_path: Path, count: int, numbers: list[int]) -> None:
    assert levels(write_folder(tmp_path, 10), count) == numbers


def test_more_than_there_are_gives_each_once(tmp_path: Path) -> None:
    assert levels(write_folder(tmp_path, 3), 50) == [0, 1, 2]


def test_a_video_is_sampled_by_seeking(tmp_path: Path) -> None:
    assert levels(write_video(tmp_path / "clip.avi"), 4) == [0, 5, 10, 15]


def test_pictures_that_cannot_be_read_at_the_end_cost_only_themselves(tmp_path: Path) -> None:
    write_folder(tmp_path, 10)
    for number in range(5, 10):
        (tmp_path / f"{number}.png").write_bytes(b"")
    assert levels(tmp_path, 5) == [0, 2, 4]


def test_where_nothing_can_be_read_the_error_names_the_place_and_a_remedy(tmp_path: Path) -> None:
    (tmp_path / "0.png").write_bytes(b"")
    with pytest.raises(CameraNotFound, match="holds no picture that can be read") as caught:
        sample_pictures(tmp_path, 3)
    assert str(tmp_path) in caught.value.cause
    assert caught.value.next_step == f"look at it: ffprobe {tmp_path}"


def test_a_missing_file_is_told_as_missing(tmp_path: Path) -> None:
    with pytest.raises(CameraNotFound, match="there is no file"):
        sample_pictures(tmp_path / "nosuch.avi", 3)


class Unmeasured:
    """Footage of three pictures that does not know how many it holds."""

    expected, fps = 0, 0.0

    def __init__(self) -> None:
        self.places: list[int] = []
        self.is_closed = False

    def seek(self, place: int) -> None:
        self.places.append(place)

    def read(self) -> tuple[int, np.ndarray] | None:
        place = self.places[-1]
        return (place, np.full((4, 4), len(self.places), np.uint8)) if len(self.places) <= 3 else None

    def skip(self) -> bool:
        return False

    def close(self) -> None:
        self.is_closed = True


def test_footage_of_unknown_length_is_sought_in_its_first_part(monkeypatch: pytest.MonkeyPatch) -> None:
    footage = Unmeasured()
    monkeypatch.setattr(_sampling, "open_footage", lambda path: footage)
    pictures = sample_pictures(Path("stream"), 8)
    assert footage.places == [0, 50, 100, 150]
    assert [int(image[0, 0]) for image in pictures] == [1, 2, 3]
    assert footage.is_closed


def test_the_footage_is_closed_where_reading_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    class Torn(Unmeasured):
        def read(self) -> tuple[int, np.ndarray] | None:
            raise OSError("torn")

    footage = Torn()
    monkeypatch.setattr(_sampling, "open_footage", lambda path: footage)
    with pytest.raises(OSError, match="torn"):
        sample_pictures(Path("stream"), 8)
    assert footage.is_closed


@given(st.integers(1, 10**7), st.integers(1, 1000))
def test_places_are_inside_in_order_and_no_more_than_wanted(total: int, count: int) -> None:
    places = _sampling._places(total, count)
    assert len(places) == min(total, count)
    assert places[0] == 0
    assert all(one < next_one for one, next_one in pairwise(places))
    assert places[-1] < total
