"""What every detector must keep to, ours and a stranger's."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from zbus.errors import TrackingError
from zbus.tracking import Detections, Detector

MakeDetector = Callable[[], Detector]

FLOOR_GRAY, ANIMAL_GRAY = 180, 50
SUBPIXEL_BITS = 4


def draw_animals(
    places_px: Any,
    angles_rad: Any = 0.0,
    *,
    size_px: tuple[int, int] = (200, 300),
    body_px: tuple[float, float] = (24.0, 10.0),
    grays: Any = ANIMAL_GRAY,
    floor: int | NDArray[np.uint8] = FLOOR_GRAY,
) -> NDArray[np.uint8]:
    """A mono picture of elliptic animals at `places_px` (n, 2) as x, y, whose centers are the truth.

    `size_px` is (height, width), `body_px` (length, width); `angles_rad` and `grays` are one for all or
    one each; a later animal lies on top. `floor` is a gray level or a picture, which is copied.
    """
    image = np.full(size_px, floor, np.uint8) if isinstance(floor, int) else floor.copy()
    places = np.asarray(places_px, float).reshape(-1, 2)
    angles, levels = (np.broadcast_to(value, len(places)) for value in (angles_rad, grays))
    unit = 1 << SUBPIXEL_BITS
    axes = (round(body_px[0] / 2 * unit), round(body_px[1] / 2 * unit))
    for (x, y), angle, gray in zip(places, angles, levels, strict=True):
        center = (round(x * unit), round(y * unit))
        corners = (
            np.array(cv2.ellipse2Poly((0, 0), axes, round(float(np.degrees(angle))), 0, 360, 10)) + center
        )
        cv2.fillPoly(image, [corners.astype(np.int32)], (int(gray),), shift=SUBPIXEL_BITS)
    return image


def check_detector(make_detector: MakeDetector, image: NDArray[np.uint8], *, animals: int) -> None:
    """Assert all that a detector owes to its caller.

    `make_detector` returns a new detector that is ready to find the `animals` in `image`, a mono picture
    (one that learns a background has learned it).
    """
    check_members(make_detector)
    check_rows(make_detector, image, animals)
    check_picture_is_only_read(make_detector, image)
    check_color(make_detector, image, animals)
    check_empty_floor(make_detector, image)
    check_wrong_pictures_are_refused(make_detector, image)
    check_detector_reset(make_detector, image)


def check_members(make_detector: MakeDetector) -> None:
    """A detector has the members of the protocol, and settings that are a frozen dataclass."""
    detector = make_detector()
    assert isinstance(detector, Detector)
    settings = type(detector).Settings
    assert dataclasses.is_dataclass(settings), "Settings must be a dataclass"
    assert settings.__dataclass_params__.frozen, "Settings must be frozen"  # pyright: ignore


def check_rows(make_detector: MakeDetector, image: NDArray[np.uint8], animals: int) -> None:
    """Every animal is a row, and the rows are what Detections promises."""
    found = make_detector().detect(image)
    check_detections(found, image)
    assert len(found) == animals, f"{len(found)} rows for {animals} animals"


def check_detections(found: Detections, image: NDArray[Any]) -> None:
    """The columns have one length, their types, finite numbers, and boxes around their centroids."""
    rows = len(found)
    floats = (
        ("centroids_px", (rows, 2)),
        ("boxes_xyxy_px", (rows, 4)),
        ("areas_px", (rows,)),
        ("scores", (rows,)),
    )
    for name, shape in floats:
        column = getattr(found, name)
        assert column.dtype == np.float64, f"{name} is {column.dtype}, not float64"
        assert column.shape == shape, f"{name} is {column.shape}, not {shape}"
        assert np.isfinite(column).all(), f"{name} is not finite"
    assert found.class_ids.dtype == np.int64
    assert found.class_ids.shape == (rows,)
    assert ((found.scores >= 0) & (found.scores <= 1)).all(), "scores must lie in 0..1"
    assert (found.centroids_px >= found.boxes_xyxy_px[:, :2]).all(), "a centroid lies outside its box"
    assert (found.centroids_px <= found.boxes_xyxy_px[:, 2:]).all(), "a centroid lies outside its box"
    for picture in (found.mask, found.mono):
        assert picture is None or (picture.dtype == np.uint8 and picture.shape == image.shape[:2])


def check_picture_is_only_read(make_detector: MakeDetector, image: NDArray[np.uint8]) -> None:
    """A picture in read-only memory will do, and is unchanged."""
    locked = image.copy()
    locked.flags.writeable = False
    make_detector().detect(locked)
    assert (locked == image).all()


def check_color(make_detector: MakeDetector, image: NDArray[np.uint8], animals: int) -> None:
    """The same picture in BGR shows the same animals."""
    color = np.repeat(image[:, :, None], 3, axis=2)
    found = make_detector().detect(color)
    check_detections(found, color)
    assert len(found) == animals


def check_empty_floor(make_detector: MakeDetector, image: NDArray[np.uint8]) -> None:
    """A picture without any contrast is answered, whatever is found in it."""
    plain = np.full_like(image, int(np.median(image)))
    check_detections(make_detector().detect(plain), plain)


def check_wrong_pictures_are_refused(make_detector: MakeDetector, image: NDArray[np.uint8]) -> None:
    """What is not uint8 of (height, width) or (height, width, 3) raises TrackingError."""
    for wrong in (image.astype(np.float32), image[:0], image[None, None], image[:, :, None].repeat(2, 2)):
        try:
            make_detector().detect(wrong)
        except TrackingError:
            continue
        raise AssertionError(f"a picture of {wrong.dtype} {wrong.shape} was not refused")


def check_detector_reset(make_detector: MakeDetector, image: NDArray[np.uint8]) -> None:
    """A detector goes on after a reset."""
    detector = make_detector()
    detector.detect(image)
    detector.reset()
    check_detections(detector.detect(image), image)
