import logging
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zbus.cameras._footage import PictureFolder, natural_key, open_footage
from zbus.errors import CameraNotFound


def write_picture(path: Path, level: int, shape: tuple[int, ...] = (24, 32)) -> None:
    assert cv2.imwrite(str(path), np.full(shape, level, np.uint8))


def read_all(folder: Path) -> list[tuple[int, int]]:
    footage = PictureFolder(folder)
    found = []
    while (item := footage.read()) is not None:
        found.append((item[0], int(item[1][0, 0])))
    return found


def test_pictures_come_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    for number in (10, 2, 1, 100):
        write_picture(tmp_path / f"frame{number}.png", number)
    (tmp_path / "notes.txt").write_text("not a picture")
    assert read_all(tmp_path) == [(0, 1), (1, 2), (2, 10), (3, 100)]


@given(st.lists(st.text("ab019._", min_size=1, max_size=8), min_size=1))
def test_any_names_can_be_sorted(names: list[str]) -> None:
    paths = [Path("x" + name) for name in names]
    backward = paths[::-1]
    assert sorted(paths, key=natural_key) == sorted(backward, key=natural_key)


@given(st.integers(0, 10**9), st.integers(0, 10**9))
def test_numbers_in_names_count_as_numbers(one: int, other: int) -> None:
    keys = natural_key(Path(f"frame{one}.png")), natural_key(Path(f"frame{other}.png"))
    assert (keys[0] < keys[1]) == (one < other)


def test_an_unreadable_picture_leaves_a_gap(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    for number in range(5):
        write_picture(tmp_path / f"{number}.png", number)
    (tmp_path / "1.png").write_bytes((tmp_path / "1.png").read_bytes()[:40])
    (tmp_path / "2.png").write_bytes(b"")
    write_picture(tmp_path / "3.png", 3, shape=(10, 10))
    with caplog.at_level(logging.WARNING):
        assert read_all(tmp_path) == [(0, 0), (4, 4)]
    assert [record.levelname for record in caplog.records] == ["WARNING"] * 3


def test_a_folder_without_pictures_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(CameraNotFound, match="holds no pictures"):
        open_footage(tmp_path)
