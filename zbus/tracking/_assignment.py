"""Who is who: the cheapest pairing of animals and blobs, leaving out what does not fit."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment


def assign(costs: NDArray[np.float64], gate: float) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Pair rows with columns so that the summed cost is least, where being left alone costs `gate` a row.

    `costs` is (n, m); a pair of cost `gate` or more, infinite or NaN, is never returned, and no such pair
    pushes another row away from its own column. Returns the rows and the columns of the pairs, rows
    ascending. The assignment is the Hungarian method's (Kuhn 1955) by Jonker and Volgenant's algorithm,
    on the gain over being left alone.
    """
    if costs.size == 0:
        return np.empty(0, np.intp), np.empty(0, np.intp)
    gains = np.where(costs < gate, costs - gate, 0.0)
    rows, columns = linear_sum_assignment(gains)
    paired = gains[rows, columns] < 0
    return rows[paired], columns[paired]
