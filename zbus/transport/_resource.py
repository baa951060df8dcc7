"""Something that is opened and closed: made cheaply, acquired in `with`, given back in reverse."""

from __future__ import annotations

import math
from types import TracebackType
from typing import Self


class Resource:
    """`with` opens and closes it. `close` is safe to call twice and before `open`."""

    def open(self) -> None:
        """Acquire."""

    def close(self) -> None:
        """Give back."""

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def to_ms(seconds: float) -> int:
    """Whole milliseconds for a poll, rounded up: rounding down would spin through the last one."""
    return max(0, math.ceil(seconds * 1000))
