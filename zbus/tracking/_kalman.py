"""Where animals will be: constant-velocity Kalman filters of many points, stepped together."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


class ConstantVelocity:
    """n points in the plane that keep their velocity but for white-noise acceleration.

    x and y share one variance per point, since measurements are equally good both ways; so the covariance
    of a point is three numbers, and every step is a few vector operations whatever n is. `positions_px`
    and `velocities_px` (per nominal frame) are (n, 2) and may be read between steps. Time is in nominal
    frames, px and frames set all units. Kalman 1960; the noise model is the continuous one of Bar-Shalom,
    Li and Kirubarajan 2001, section 6.2.2, for which one long step equals several short ones.
    """

    def __init__(self, positions_px: Floats, position_var: float, velocity_var: float) -> None:
        self.positions_px = np.array(positions_px, float).reshape(-1, 2)
        self.velocities_px = np.zeros_like(self.positions_px)
        n = len(self.positions_px)
        self._pp = np.full(n, float(position_var))
        self._pv = np.zeros(n)
        self._vv = np.full(n, float(velocity_var))
        self._fastest_var = float(velocity_var)

    @property
    def position_vars(self) -> Floats:
        """Variance of each position along one axis, px², (n,)."""
        return self._pp.copy()

    def predict(self, dt_frames: float, acceleration_var: float, keep: Floats | float = 1.0) -> None:
        """Move all points on by `dt_frames`.

        `acceleration_var` is the noise density in px²/frame³; `keep`, a number or (n,), is the part of its
        velocity that a point keeps over one frame (below 1 for a point that coasts unseen). The velocity's
        variance never grows beyond what it was at the start.
        """
        dt, kept = dt_frames, np.power(keep, dt_frames)
        travel = np.where(np.isclose(kept, 1.0), dt, (1 - kept) / -np.log(np.clip(keep, 1e-9, 1 - 1e-9)))
        self.positions_px = self.positions_px + self.velocities_px * np.reshape(travel, (-1, 1))
        self.velocities_px = self.velocities_px * np.reshape(kept, (-1, 1))
        self._pp = self._pp + 2 * travel * self._pv + travel**2 * self._vv + acceleration_var * dt**3 / 3
        self._pv = kept * (self._pv + travel * self._vv) + acceleration_var * dt**2 / 2
        self._vv = kept**2 * self._vv + acceleration_var * dt
        self._bound()

    def update(self, rows: NDArray[np.intp], points_px: Floats, measurement_vars: Floats) -> None:
        """Correct the points `rows` (m,), each once, by what was seen: (m, 2) places with variances (m,)."""
        innovation = points_px - self.positions_px[rows]
        total = self._pp[rows] + measurement_vars
        gain_p, gain_v = self._pp[rows] / total, self._pv[rows] / total
        self.positions_px[rows] += gain_p[:, None] * innovation
        self.velocities_px[rows] += gain_v[:, None] * innovation
        self._vv[rows] -= gain_v * self._pv[rows]
        self._pv[rows] *= 1 - gain_p
        self._pp[rows] *= 1 - gain_p

    def restart(self, rows: NDArray[np.intp], points_px: Floats, position_var: float) -> None:
        """Put the points `rows` (m,) at `points_px` (m, 2), at rest, with nothing known of their velocity."""
        self.positions_px[rows] = points_px
        self.velocities_px[rows] = 0
        self._pp[rows], self._pv[rows], self._vv[rows] = position_var, 0, self._fastest_var

    def exchange(self, rows: NDArray[np.intp], others: NDArray[np.intp]) -> None:
        """Let the points `rows` take the states of the points `others`, the same ones in another order."""
        for state in (self.positions_px, self.velocities_px, self._pp, self._pv, self._vv):
            state[rows] = state[others]

    def confine(self, width_px: float, height_px: float) -> None:
        """Keep the positions inside a picture of that size; a point that ran out of it stops at its edge."""
        inside = np.clip(self.positions_px, 0, (width_px - 1, height_px - 1))
        self.velocities_px[inside != self.positions_px] = 0
        self.positions_px = inside

    def _bound(self) -> None:
        """Keep the velocity's variance bounded, and the covariance positive with it."""
        shrink = np.minimum(1.0, np.sqrt(self._fastest_var / np.maximum(self._vv, 1e-12)))
        self._pv, self._vv = self._pv * shrink, self._vv * shrink**2
