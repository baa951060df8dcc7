"""Who met whom, and how they looked since they parted: the second thought on identities."""

from __future__ import annotations

from itertools import combinations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

SURE_FRAMES = 8
EXCHANGE_GAIN = 16.0  # gray levels², by which the two must look more like each other than like themselves


class Meetings:
    """Remembers which of n animals were in contact, until their looks have said who left as whom.

    One picture tells two gray levels apart only where they differ much; the mean of SURE_FRAMES pictures
    after the parting does so where they differ by little more than the noise.
    """

    def __init__(self, animals: int) -> None:
        self._met = np.zeros((animals, animals), bool)
        self._sums = np.zeros(animals)
        self._counts = np.zeros(animals, np.int64)

    @property
    def open_rows(self) -> NDArray[np.bool_]:
        """(n,) who has met somebody and is not yet surely itself again."""
        return np.asarray(self._met.any(axis=1))

    def touch(self, rows: NDArray[np.intp]) -> None:
        """The animals `rows` are in one blob."""
        self._met[np.ix_(rows, rows)] = True
        self._met[rows, rows] = False
        self._sums[rows] = 0
        self._counts[rows] = 0

    def see(self, row: int, gray: float) -> None:
        """The animal `row` is alone and of that gray level, which may be NaN."""
        self._sums[row] += gray
        self._counts[row] += 1

    def settle(self, grays: Floats) -> list[tuple[int, int]]:
        """The pairs that prove to have been mistaken for each other; `grays` (n,) is how they used to look.

        Every pair is judged once, when both have been seen alone for long enough.
        """
        done = np.flatnonzero(self._counts >= SURE_FRAMES)
        pairs = [(i, j) for i, j in combinations(done.tolist(), 2) if self._met[i, j]]
        mistaken: list[tuple[int, int]] = []
        for i, j in pairs:
            self._met[i, j] = self._met[j, i] = False
            seen_i, seen_j = self._sums[[i, j]] / self._counts[[i, j]]
            gain = 2 * (seen_i - seen_j) * (grays[j] - grays[i])
            if gain > EXCHANGE_GAIN:
                mistaken.append((i, j))
                self._sums[[i, j]], self._counts[[i, j]] = self._sums[[j, i]], self._counts[[j, i]]
        return mistaken
