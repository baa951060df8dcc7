"""From rounds to rows, and from rows to targets: nothing here measures."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Row = dict[str, Any]


@dataclass(frozen=True)
class Round:
    """What the publisher and each subscriber told of one round."""

    sent: Mapping[str, Any]
    got: Sequence[Mapping[str, Any]]

    def row(self) -> Row:
        """The figures of the round; of several subscribers the worst latency and the mean of the rest."""
        received = sum(each["received"] for each in self.got)
        wanted = self.sent["sent"] * len(self.got)
        return {
            "p50_us": worst([each["p50_us"] for each in self.got]),
            "p99_us": worst([each["p99_us"] for each in self.got]),
            "per_s": statistics.fmean(each["per_s"] for each in self.got),
            "sent": self.sent["sent"],
            "received": received,
            "lost": max(0, wanted - received),
            "torn": sum(each["torn"] for each in self.got),
            "overrun": sum(each["overrun"] for each in self.got),
            "publisher_cpu_us": each_us(self.sent["cpu_s"], self.sent["sent"]),
            "subscriber_cpu_us": each_us(sum(each["cpu_s"] for each in self.got), received),
        }

    @property
    def own_cpu_s(self) -> float:
        """What all sides took, from their start to their end."""
        return sum(each["process_cpu_s"] for each in (self.sent, *self.got))


def each_us(seconds: float, count: int) -> float | None:
    """Microseconds for each of `count`."""
    return seconds / count * 1e6 if count else None


def worst(values: Sequence[float | None]) -> float | None:
    """The largest; None where one is missing."""
    return None if None in values else max(value for value in values if value is not None)


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest value that `percent` of the values do not exceed."""
    ranked = sorted(values)
    return ranked[max(0, math.ceil(len(ranked) * percent / 100) - 1)]


def median_row(rows: Sequence[Row]) -> Row:
    """The median of each figure over the rounds; counts are summed up, and the rounds counted."""
    summed = ("sent", "received", "lost", "torn", "overrun")
    row: Row = {"rounds": len(rows)}
    for key in rows[0]:
        values = [each[key] for each in rows if each[key] is not None]
        if key in summed:
            row[key] = sum(values)
        else:
            row[key] = statistics.median(values) if values else None
    return row


def ratio(one: float | None, other: float | None) -> float | None:
    """`one` in units of `other`; None where either is missing."""
    return one / other if one is not None and other else None


@dataclass(frozen=True)
class Target:
    """A ratio, and what it must not pass: at most, or at least, `bound`. `of` says what it compares."""

    of: str
    ratio: float | None
    bound: float
    at_least: bool = False

    @property
    def ok(self) -> bool | None:
        """Whether it is met; None where it could not be measured."""
        if self.ratio is None:
            return None
        return self.ratio >= self.bound if self.at_least else self.ratio <= self.bound

    @property
    def strain(self) -> float:
        """How near to the bound it is: 1 is at the bound, more is past it."""
        if not self.ratio:
            return 0.0 if self.ratio is None or not self.at_least else math.inf
        if not self.bound:
            return math.inf
        return self.bound / self.ratio if self.at_least else self.ratio / self.bound

    def to_map(self) -> dict[str, Any]:
        """The target as it stands in JSON."""
        rounded = None if self.ratio is None else round(self.ratio, 3)
        sign = ">=" if self.at_least else "<="
        return {"of": self.of, "ratio": rounded, "target": f"{sign} {self.bound:g}", "ok": self.ok}


@dataclass
class Targets:
    """The targets of a bench under their numbers; each is as good as the worst of what it compares."""

    found: dict[str, list[Target]] = field(default_factory=dict)

    def add(self, number: str, *targets: Target) -> None:
        """Add what one number compares."""
        self.found.setdefault(number, []).extend(targets)

    def to_map(self) -> dict[str, Any]:
        """For each number the worst comparison, and all of them."""
        return {number: self._one(targets) for number, targets in sorted(self.found.items())}

    @property
    def are_met(self) -> bool:
        """True where none is missed; what could not be measured does not count."""
        return all(target.ok is not False for targets in self.found.values() for target in targets)

    @staticmethod
    def _one(targets: Sequence[Target]) -> dict[str, Any]:
        measured = [target for target in targets if target.ratio is not None]
        chosen = max(measured or targets, key=lambda target: target.strain)
        return chosen.to_map() | {"all": [target.to_map() for target in targets]}
