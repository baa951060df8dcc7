from pathlib import Path

import cv2
import numpy as np
import pytest

from zbus.cameras._reel import Reel
from zbus.errors import CameraNotFound


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for number in range(4):
        assert cv2.imwrite(str(tmp_path / f"{number}.png"), np.full((8, 8), number, np.uint8))
    return tmp_path


def play(reel: Reel, limit: int) -> list[tuple[int, int]]:
    """Number and gray level of at most `limit` pictures."""
    found = []
    while len(found) < limit and (item := reel.next()) is not None:
        found.append((item[0], int(item[1][0, 0])))
    return found


def test_the_first_picture_is_known_and_still_played(folder: Path) -> None:
    reel = Reel(folder, start_frame=0, loop=False)
    assert reel.first_image[0, 0] == 0
    assert play(reel, 10) == [(0, 0), (1, 1), (2, 2), (3, 3)]
    assert (reel.expected, reel.decoded) == (4, 4)
    assert reel.how_it_ended() == f"{folder} ended"


def test_each_round_starts_at_start_frame(folder: Path) -> None:
    assert play(Reel(folder, start_frame=2, loop=True), 5) == [(2, 2), (3, 3), (4, 2), (5, 3), (6, 2)]


def test_gaps_stay_in_later_rounds(folder: Path) -> None:
    (folder / "1.png").write_bytes(b"")
    assert play(Reel(folder, start_frame=0, loop=True), 5) == [(0, 0), (2, 2), (3, 3), (4, 0), (6, 2)]


def test_a_reel_whose_last_picture_is_unreadable_ended_early(folder: Path) -> None:
    (folder / "3.png").write_bytes(b"")
    reel = Reel(folder, start_frame=0, loop=False)
    play(reel, 10)
    assert "3 of 4 frames" in reel.how_it_ended()


def test_a_loop_ends_where_nothing_is_left_to_play(folder: Path) -> None:
    reel = Reel(folder, start_frame=0, loop=True)
    play(reel, 4)
    for path in folder.iterdir():
        path.write_bytes(b"")
    assert reel.next() is None


def test_no_picture_at_all_is_not_found(folder: Path) -> None:
    with pytest.raises(CameraNotFound, match="start_frame 4"):
        Reel(folder, start_frame=4, loop=False)
