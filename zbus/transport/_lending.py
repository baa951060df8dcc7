"""Lending memory as arrays: a piece comes back when the last array, view or buffer on it is gone."""

from __future__ import annotations

import ctypes
import weakref
from collections import deque
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zbus.wire import Buffer

POOL_BUFFERS_MAX = 4


class Lending:
    """Arrays over pieces of memory, each known by a number, and which of them somebody still has.

    Why by weak references: whoever makes views of the array, or hands its buffer on, keeps the array itself
    alive by that, so that nobody has to say that they are done.
    """

    def __init__(self, on_return: Callable[[int], None]) -> None:
        self._on_return = on_return
        self._lent: dict[int, weakref.ref[NDArray[np.uint8]]] = {}

    def lend(self, number: int, memory: Buffer) -> NDArray[np.uint8]:
        """An array over `memory`; when nobody uses it any more, some thread calls `on_return(number)`."""
        array = np.frombuffer(memory, np.uint8)
        self._lent[number] = weakref.ref(array, lambda _: self._come_back(number))
        return array

    def _come_back(self, number: int) -> None:
        del self._lent[number]
        self._on_return(number)


class BufferPool:
    """Buffers of one size after the other, used again when nobody looks at them any more.

    Why: memory fresh from the system costs a picture's copy a second time, page by page.
    """

    def __init__(self) -> None:
        self._free: deque[NDArray[np.uint8]] = deque(maxlen=POOL_BUFFERS_MAX)
        self._out: dict[int, NDArray[np.uint8]] = {}
        self._lending = Lending(self._take_back)
        self._next = 0

    def take(self, nbytes: int) -> NDArray[np.uint8]:
        """An array of `nbytes`, whatever is in it."""
        try:
            buffer = self._free.pop()
        except IndexError:
            buffer = np.empty(nbytes, np.uint8)
        if buffer.nbytes != nbytes:
            buffer = np.empty(nbytes, np.uint8)
        self._next += 1
        self._out[self._next] = buffer
        return self._lending.lend(self._next, buffer.data)

    def _take_back(self, number: int) -> None:
        self._free.append(self._out.pop(number))


def address_of(data: Any) -> tuple[int, int]:
    """Where a buffer lies in memory, and how many bytes it has."""
    view = memoryview(data)
    if not view.readonly and view.c_contiguous and view.nbytes:
        # Why so: it costs a fraction of what asking an array does, for each picture that is sent.
        return ctypes.addressof(ctypes.c_char.from_buffer(view)), view.nbytes
    array = np.frombuffer(data, np.uint8)
    return array.__array_interface__["data"][0], array.nbytes
