"""The bell of a ring: a word of shared memory at which processes sleep until it is rung (futex, spec 9)."""

from __future__ import annotations

import ctypes
import platform
import sys
from functools import partial

from zbus.transport._lending import address_of

# The number of the system call is the machine's own.
_CALLS = {"x86_64": 202, "aarch64": 98, "riscv64": 98, "loongarch64": 98, "ppc64le": 221}
_WAIT, _WAKE = 0, 1
_EVERYBODY = 0x7FFFFFFF
_WORD = 0xFFFFFFFF


class _Timespec(ctypes.Structure):
    _fields_ = (("seconds", ctypes.c_long), ("nanoseconds", ctypes.c_long))


def has_bell() -> bool:
    """True where processes of this machine can wait at a word of shared memory: 64-bit Linux."""
    return sys.platform == "linux" and sys.maxsize > 2**32 and platform.machine() in _CALLS


class Bell:
    """The 32 bits at the start of `memory`. One side rings, any number wait; who waits needs only to read."""

    def __init__(self, memory: memoryview) -> None:
        self._word = memory[:4].cast("I")
        # Why already here: what is made for each call costs more than the call.
        call = ctypes.CDLL(None).syscall
        number, at = ctypes.c_long(_CALLS[platform.machine()]), ctypes.c_void_p(address_of(memory)[0])
        self._span, self._expected = _Timespec(), ctypes.c_uint32()
        self._sleep = partial(
            call, number, at, ctypes.c_int(_WAIT), self._expected, ctypes.byref(self._span), None, 0
        )
        self._wake = partial(call, number, at, ctypes.c_int(_WAKE), ctypes.c_int(_EVERYBODY), None, None, 0)

    @property
    def count(self) -> int:
        """How often it was rung, in 32 bits."""
        return self._word[0]

    def ring(self) -> None:
        """Wake everybody who waits. One thread at a time."""
        self._word[0] = (self._word[0] + 1) & _WORD
        self._wake()

    def wait(self, count: int, timeout_s: float) -> None:
        """Sleep until it is rung, or `timeout_s` are over; not at all where it was rung since `count`.

        May return early, and does for a signal. One thread at a time.
        """
        self._expected.value = count
        self._span.seconds = int(timeout_s)
        self._span.nanoseconds = int(timeout_s % 1 * 1e9)
        self._sleep()
