"""What became of the messages of one subscriber, in numbers."""

from __future__ import annotations

from dataclasses import dataclass, field

from zbus.transport._gaps import Duplicate, Finding, Gap, Overrun, Repeat, Restart

REASONS_MAX = 64


@dataclass(slots=True)
class SubscriberCounters:
    """What became of the messages of one subscriber.

    `lost` messages are missing in `gaps` places (the bus dropped them); `repeated` came a second time and
    were not handed over again; `skipped` were passed over for newer ones (latest) or for want of room
    (every); `overruns` were written over in shared memory before they were read, `stale` were older than
    the lifespan; `refused` counts by reason what broke the spec.
    """

    received: int = 0
    delivered: int = 0
    gaps: int = 0
    lost: int = 0
    restarts: int = 0
    duplicates: int = 0
    repeated: int = 0
    skipped: int = 0
    overruns: int = 0
    stale: int = 0
    refused: dict[str, int] = field(default_factory=dict[str, int])

    def note(self, finding: Finding) -> None:
        """Count what the next message of a topic, or its absence, revealed."""
        match finding:
            case Gap():
                self.gaps += 1
                self.lost += finding.lost
            case Restart():
                self.restarts += 1
            case Duplicate():
                self.duplicates += 1
            case Repeat():
                self.repeated += 1
            case Overrun():
                self.overruns += 1

    def refuse(self, reason: str) -> None:
        """Count a message that broke the spec; beyond REASONS_MAX reasons no new one is begun."""
        if reason in self.refused or len(self.refused) < REASONS_MAX:
            self.refused[reason] = self.refused.get(reason, 0) + 1
