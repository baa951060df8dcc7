"""Where a camera puts its next picture: memory that its owner gives, or memory of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import DTypeLike, NDArray

BufferMaker = Callable[[Sequence[int], DTypeLike], NDArray[Any] | None]


@runtime_checkable
class UsesBuffers(Protocol):
    """A camera that can put pictures where its owner wants them. None needs to."""

    def use_buffers(self, make: BufferMaker) -> None:
        """Ask `make(shape, dtype)` for the memory of each picture, before or after `open`.

        It gives a new array, C-contiguous and with anything in it, or None where there is none: then the
        camera takes memory of its own. A picture lies at the array's start. What was given in a Capture is
        not written to again; an array that came to nothing is just forgotten.
        """
        ...


class Buffers:
    """Gives arrays for pictures, from the owner's memory where there is some."""

    def __init__(self) -> None:
        self._make: BufferMaker | None = None

    def use(self, make: BufferMaker) -> None:
        """Ask `make` first from now on."""
        self._make = make

    def new(self, shape: Sequence[int], dtype: DTypeLike = np.uint8) -> NDArray[Any]:
        """An array with anything in it."""
        given = self._make(shape, dtype) if self._make is not None else None
        return np.empty(shape, dtype) if given is None else given
