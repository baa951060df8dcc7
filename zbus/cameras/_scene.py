"""Draws simulated animals: soft-edged bodies placed to a fraction of a pixel, light, and sensor noise."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from zbus.cameras._walk import Floats

Picture = NDArray[np.uint8]

GROUND_LEVEL = {"dark": 190.0, "bright": 45.0}
BODY_LEVEL = {"dark": 50.0, "bright": 205.0}
HEAD_TAPER = 0.25
BLUR_PX = 0.5
SAMPLES_PER_PX = 8
NOISE_SHIFTS = (127, 128)
TOUCH_GAP_PX = 2.0
DRIFT_DEPTH = 0.15


@dataclass(frozen=True, slots=True)
class Look:
    """What the arena looks like. `noise` is the spread of the sensor's noise in gray levels at 0 dB."""

    width: int
    height: int
    body_length_px: float
    body_width_px: float
    noise: float
    light: Literal["even", "uneven"]
    light_drift_s: float
    polarity: Literal["dark", "bright"]
    seed: int


class Scene:
    """Renders poses. What does not move is drawn once, and again when `set_sensitivity` changes the noise."""

    def __init__(self, look: Look) -> None:
        self._look = look
        light = _light(look)
        self._ground = _to_uint8(light * GROUND_LEVEL[look.polarity])
        self._all_body = _to_uint8(light * BODY_LEVEL[look.polarity])
        self._sprite = _body_sprite(look)
        self._outline = _body_outline(look)
        self.set_sensitivity(brightness=1.0, noise_gain=1.0)

    def set_sensitivity(self, brightness: float, noise_gain: float) -> None:
        """Scale the picture by `brightness` and the noise by `noise_gain`, from the next `draw` on."""
        self._brightness = brightness
        self._brighter, self._darker = _noise_tiles(self._look, noise_gain)

    def draw(
        self,
        centroids_px: Floats,
        headings_rad: Floats,
        frame_number: int,
        elapsed_s: float,
        picture: Picture | None = None,
    ) -> Picture:
        """A uint8 (height, width) picture, in `picture` or new; the same arguments else give the same one."""
        import cv2

        picture = np.empty_like(self._ground) if picture is None else picture
        np.copyto(picture, self._ground)
        for (x_px, y_px), heading_rad in zip(centroids_px.tolist(), headings_rad.tolist(), strict=True):
            self._draw_body(picture, x_px, y_px, heading_rad)
        factor = self._brightness * self._drift(elapsed_s)
        if factor != 1.0:
            cv2.convertScaleAbs(picture, picture, alpha=factor)
        if self._brighter is not None and self._darker is not None:
            window = self._noise_window(frame_number)
            cv2.add(picture, self._brighter[window], picture)
            cv2.subtract(picture, self._darker[window], picture)
        return picture

    def touching(self, centroids_px: Floats, headings_rad: Floats) -> NDArray[np.bool_]:
        """For each animal, whether its outline is within TOUCH_GAP_PX of another's."""
        import cv2

        apart = np.linalg.norm(centroids_px[:, None] - centroids_px[None], axis=2)
        reach_px = self._look.body_length_px * (1 + HEAD_TAPER / 4) + TOUCH_GAP_PX
        touch = np.zeros(len(centroids_px), bool)
        for one, other in np.argwhere(np.triu(apart < reach_px, 1)):
            if touch[one] and touch[other]:
                continue
            outlines = [self._place(centroids_px[row], float(headings_rad[row])) for row in (one, other)]
            if cv2.intersectConvexConvex(outlines[0], outlines[1])[0] > 0:
                touch[[one, other]] = True
        return touch

    def _draw_body(self, picture: Picture, x_px: float, y_px: float, heading_rad: float) -> None:
        import cv2

        # The body's centroid lies off the middle of its length, so a little more than half may stick out.
        reach_px = math.ceil(self._look.body_length_px * (0.5 + HEAD_TAPER / 8) + 4 * BLUR_PX) + 1
        left, top = max(0, math.floor(x_px) - reach_px), max(0, math.floor(y_px) - reach_px)
        right = min(self._look.width, math.floor(x_px) + reach_px + 2)
        bottom = min(self._look.height, math.floor(y_px) + reach_px + 2)
        to_sprite = _picture_to_sprite(self._sprite, x_px - left, y_px - top, heading_rad)
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        cover = cv2.warpAffine(self._sprite, to_sprite, (right - left, bottom - top), flags=flags)
        window = (slice(top, bottom), slice(left, right))
        picture[window] = cv2.blendLinear(picture[window], self._all_body[window], 1.0 - cover, cover)

    def _drift(self, elapsed_s: float) -> float:
        if not self._look.light_drift_s:
            return 1.0
        return 1.0 - DRIFT_DEPTH * 0.5 * (1 - math.cos(2 * math.pi * elapsed_s / self._look.light_drift_s))

    def _noise_window(self, frame_number: int) -> tuple[slice, slice]:
        # Why: the two shifts have no common divisor, so the same noise comes back only after 16256 frames.
        down, right = frame_number * 59 % NOISE_SHIFTS[0], frame_number * 75 % NOISE_SHIFTS[1]
        return slice(down, down + self._look.height), slice(right, right + self._look.width)

    def _place(self, centroid_px: Floats, heading_rad: float) -> NDArray[np.float32]:
        turn = np.array([[math.cos(heading_rad), math.sin(heading_rad)]])
        turn = np.vstack([turn, [[-turn[0, 1], turn[0, 0]]]])
        return (self._outline @ turn + centroid_px).astype(np.float32)


def _light(look: Look) -> Floats:
    """How bright each place is lit, 1 where it is brightest."""
    if look.light == "even":
        return np.ones((look.height, look.width))
    x = np.linspace(-1, 1, look.width)[None, :]
    y = np.linspace(-1, 1, look.height)[:, None]
    light = 1 - 0.2 * ((x - 0.2) ** 2 + (y + 0.1) ** 2) - 0.08 * x
    return light / light.max()


def _body_sprite(look: Look) -> NDArray[np.float32]:
    """How much of each sample the body covers, head to the right and centroid in the middle; odd in size."""
    import cv2

    margin_px = 4 * BLUR_PX + 1
    half_x = math.ceil((look.body_length_px * (0.5 + HEAD_TAPER / 8) + margin_px) * SAMPLES_PER_PX)
    half_y = math.ceil((look.body_width_px * (0.5 + HEAD_TAPER / 2) + margin_px) * SAMPLES_PER_PX)
    x = np.arange(-half_x, half_x + 1)[None, :] / SAMPLES_PER_PX
    y = np.arange(-half_y, half_y + 1)[:, None] / SAMPLES_PER_PX
    along = (x - _head_shift_px(look.body_length_px)) / (look.body_length_px / 2)
    half_width = look.body_width_px / 2 * np.sqrt(np.clip(1 - along**2, 0, None)) * (1 - HEAD_TAPER * along)
    inside = (np.abs(y) <= half_width) & (np.abs(along) <= 1)
    return cv2.GaussianBlur(inside.astype(np.float32), (0, 0), BLUR_PX * SAMPLES_PER_PX)  # pyright: ignore


def _body_outline(look: Look, corners: int = 24) -> Floats:
    """The body's rim, wider by half of TOUCH_GAP_PX, as (corners, 2) around the centroid."""
    angle = np.linspace(0, 2 * math.pi, corners, endpoint=False)
    half_length = (look.body_length_px + TOUCH_GAP_PX) / 2
    half_width = (look.body_width_px + TOUCH_GAP_PX) / 2
    x = half_length * np.cos(angle) + _head_shift_px(look.body_length_px)
    return np.stack([x, half_width * np.sin(angle) * (1 - HEAD_TAPER * np.cos(angle))], axis=1)


def _head_shift_px(body_length_px: float) -> float:
    # Why: an ellipse whose width shrinks by the factor 1 - k x/a has its centroid at -a k / 4.
    return body_length_px / 2 * HEAD_TAPER / 4


def _picture_to_sprite(sprite: NDArray[Any], x_px: float, y_px: float, heading_rad: float) -> Floats:
    cos, sin = math.cos(heading_rad) * SAMPLES_PER_PX, math.sin(heading_rad) * SAMPLES_PER_PX
    middle_y, middle_x = (sprite.shape[0] - 1) / 2, (sprite.shape[1] - 1) / 2
    return np.array(
        [
            [cos, sin, middle_x - cos * x_px - sin * y_px],
            [-sin, cos, middle_y + sin * x_px - cos * y_px],
        ]
    )


def _noise_tiles(look: Look, noise_gain: float) -> tuple[Picture | None, Picture | None]:
    """What noise adds and what it takes away, larger than a picture: each frame takes another piece."""
    if look.noise * noise_gain == 0:
        return None, None
    shape = (look.height + NOISE_SHIFTS[0], look.width + NOISE_SHIFTS[1])
    noise = np.random.default_rng([look.seed, 1]).normal(0, look.noise * noise_gain, shape)
    return _to_uint8(np.maximum(noise, 0)), _to_uint8(np.maximum(-noise, 0))


def _to_uint8(values: Floats) -> Picture:
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)
