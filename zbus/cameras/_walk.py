"""How simulated animals move: turning that persists, changing speed, pauses, walls, and paths that meet."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

MAX_STEP_S = 0.05
TURN_SPREAD_RAD_S, TURN_MEMORY_S, MAX_TURN_RAD_S = 1.2, 0.6, 8.0
SPEED_SPREAD, SPEED_MEMORY_S = 0.4, 1.5
PAUSES_HZ, PAUSE_S, GAIT_MEMORY_S = 0.08, 1.2, 0.12
WALL_TURN_HZ, PURSUIT_TURN_HZ = 6.0, 5.0
PURSUIT_S, STRAIGHT_ON_S = 8.0, 0.8
MET_BODY_LENGTHS = 0.25
NOBODY = -1


@dataclass(frozen=True, slots=True)
class Walls:
    """The bounds that the centroids stay within, in pixels."""

    left_px: float
    top_px: float
    right_px: float
    bottom_px: float


@dataclass(frozen=True, slots=True)
class Gait:
    """How fast the animals go, how long they are, and how often two of them set out to cross paths."""

    speed_px_s: float
    body_length_px: float
    crossings_per_min: float


class Walk:
    """A correlated random walk of `animals` between `walls`; the same seed and steps give the same paths.

    `centroids_px` is float64 (n, 2) as x, y; `headings_rad` is float64 (n,), 0 to the right and growing
    toward the bottom of the picture. Both belong to the walk and change in `advance`.
    """

    def __init__(self, animals: int, walls: Walls, gait: Gait, seed: int) -> None:
        self._gait = gait
        self._random = np.random.default_rng(seed)
        self._low = np.array([walls.left_px, walls.top_px])
        self._high = np.array([walls.right_px, walls.bottom_px])
        self.centroids_px = self._spread_out(animals)
        self.headings_rad = self._random.uniform(-math.pi, math.pi, animals)
        self._turn_rad_s = np.zeros(animals)
        self._vigor = self._random.standard_normal(animals)
        self._gait_level = np.ones(animals)
        self._pause_left_s = np.zeros(animals)
        self._partner = np.full(animals, NOBODY)
        self._pursuit_left_s = np.zeros(animals)
        self._straight_left_s = np.zeros(animals)

    def advance(self, elapsed_s: float) -> None:
        """Let `elapsed_s` pass, in equal steps of at most MAX_STEP_S."""
        steps = max(1, math.ceil(elapsed_s / MAX_STEP_S - 1e-9))
        for _ in range(steps):
            self._step(elapsed_s / steps)

    def _step(self, step_s: float) -> None:
        self._wander(step_s)
        self._pause(step_s)
        self._pair_up(step_s)
        turn = self._turn_rad_s * self._gait_level + self._pull_from_walls() + self._pull_to_partner()
        limit = min(MAX_TURN_RAD_S, 1.0 / step_s)
        self.headings_rad = _wrap(self.headings_rad + np.clip(turn, -limit, limit) * step_s)
        reach_px = self._speed_px_s() * step_s
        ahead = np.stack([np.cos(self.headings_rad), np.sin(self.headings_rad)], axis=1)
        self.centroids_px = np.clip(self.centroids_px + ahead * reach_px[:, None], self._low, self._high)

    def _wander(self, step_s: float) -> None:
        noise = self._random.standard_normal((2, len(self.headings_rad)))
        self._turn_rad_s = _drift(self._turn_rad_s, noise[0] * TURN_SPREAD_RAD_S, step_s / TURN_MEMORY_S)
        self._vigor = _drift(self._vigor, noise[1], step_s / SPEED_MEMORY_S)
        self._straight_left_s -= step_s
        self._turn_rad_s[self._straight_left_s > 0] = 0.0

    def _pause(self, step_s: float) -> None:
        draw = self._random.random((2, len(self.headings_rad)))
        idle = (self._partner == NOBODY) & (self._straight_left_s <= 0)
        stops = (draw[0] < PAUSES_HZ * step_s) & idle & (self._pause_left_s <= 0)
        self._pause_left_s = np.where(stops, -np.log1p(-draw[1]) * PAUSE_S, self._pause_left_s - step_s)
        self._pause_left_s[~idle] = 0.0
        keep = math.exp(-step_s / GAIT_MEMORY_S)
        self._gait_level = keep * self._gait_level + (1 - keep) * (self._pause_left_s <= 0)

    def _speed_px_s(self) -> Floats:
        factor = np.exp(SPEED_SPREAD * self._vigor - SPEED_SPREAD**2 / 2)
        chasing = self._partner != NOBODY
        return self._gait.speed_px_s * self._gait_level * np.where(chasing, np.maximum(factor, 0.8), factor)

    def _pair_up(self, step_s: float) -> None:
        self._pursuit_left_s -= step_s
        self._partner[self._pursuit_left_s <= 0] = NOBODY
        if self._random.random() >= self._gait.crossings_per_min / 60 * step_s:
            return
        free = np.flatnonzero(self._partner == NOBODY)
        if len(free) >= 2:
            one, other = self._random.choice(free, 2, replace=False)
            self._partner[one], self._partner[other] = other, one
            self._pursuit_left_s[[one, other]] = PURSUIT_S

    def _pull_to_partner(self) -> Floats:
        """Turn toward the partner; two that have met walk straight on, so that their paths cross."""
        chasing = np.flatnonzero(self._partner != NOBODY)
        pull = np.zeros(len(self.headings_rad))
        if not len(chasing):
            return pull
        away = self.centroids_px[self._partner[chasing]] - self.centroids_px[chasing]
        bearing = np.arctan2(away[:, 1], away[:, 0])
        pull[chasing] = PURSUIT_TURN_HZ * _wrap(bearing - self.headings_rad[chasing])
        met = chasing[np.hypot(away[:, 0], away[:, 1]) < MET_BODY_LENGTHS * self._gait.body_length_px]
        self._partner[met], self._straight_left_s[met] = NOBODY, STRAIGHT_ON_S
        pull[met] = 0.0
        return pull

    def _pull_from_walls(self) -> Floats:
        zone_px = max(self._gait.body_length_px, 0.4 * self._gait.speed_px_s)
        near_low = np.clip(1 - (self.centroids_px - self._low) / zone_px, 0, 1)
        near_high = np.clip(1 - (self._high - self.centroids_px) / zone_px, 0, 1)
        push = near_low - near_high
        inward = np.arctan2(push[:, 1], push[:, 0])
        strength = WALL_TURN_HZ * np.hypot(push[:, 0], push[:, 1])
        return strength * _wrap(inward - self.headings_rad)

    def _spread_out(self, animals: int, tries: int = 50) -> Floats:
        """Places that keep two body lengths apart where the arena has room for it."""
        places = np.empty((animals, 2))
        for index in range(animals):
            drafts = self._random.uniform(self._low, self._high, (tries, 2))
            apart = np.linalg.norm(drafts[:, None] - places[None, :index], axis=2).min(
                axis=1, initial=math.inf
            )
            roomy = np.flatnonzero(apart > 2 * self._gait.body_length_px)
            places[index] = drafts[roomy[0] if len(roomy) else int(np.argmax(apart))]
        return places


def _drift(values: Floats, noise: Floats, steps: float) -> Floats:
    """One exact step of an Ornstein-Uhlenbeck process: the spread does not depend on the step's length."""
    keep = math.exp(-steps)
    return keep * values + math.sqrt(1 - keep**2) * noise


def _wrap(angles_rad: Floats) -> Floats:
    return (angles_rad + math.pi) % (2 * math.pi) - math.pi
