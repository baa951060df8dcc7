"""States and events: what a node is doing, and what happened (spec 6)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from zbus.errors import WireError
from zbus.wire._envelope import Buffer, Message
from zbus.wire._header import read_int, read_map, read_text
from zbus.wire._topics import EVENT, STATE

STARTING, RUNNING, DEGRADED, LOST_STATE, ENDED, FAILED, STOPPED = (
    "starting",
    "running",
    "degraded",
    "lost",
    "ended",
    "failed",
    "stopped",
)
NODE_STATES = (STARTING, RUNNING, DEGRADED, LOST_STATE, ENDED, FAILED, STOPPED)


@dataclass(frozen=True, slots=True)
class State:
    """What a node is doing now, the whole of it: a late joiner needs only the last one.

    `role` is camera, tracker, overlay, ...; `cause` says why it is not simply running; `since_ns` (UTC)
    when it came into this state. `counters` only grow within a session; `settings` are those in force;
    `details` is what the role adds.
    """

    kind: ClassVar[str] = STATE

    role: str
    state: str
    since_ns: int
    host: str
    pid: int
    cause: str = ""
    counters: Mapping[str, int | float] = field(default_factory=dict[str, int | float])
    settings: Mapping[str, Any] = field(default_factory=dict[str, Any])
    details: Mapping[str, Any] = field(default_factory=dict[str, Any])

    def header(self) -> dict[str, Any]:
        """The keys a state adds to the header."""
        if self.state not in NODE_STATES:
            raise WireError("wrong_type", f"{self.state!r} is not a node state")
        return {
            "role": self.role,
            "state": self.state,
            "since_ns": self.since_ns,
            "host": self.host,
            "pid": self.pid,
            "cause": self.cause[:512],
            "counters": dict(_numbers(self.counters)),
            "settings": dict(self.settings),
            "details": dict(self.details),
        }

    def payload(self) -> tuple[Buffer, ...]:
        """Nothing: a state is all header."""
        return ()


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened. `event` names it; `fields` are the keys that go with that name."""

    kind: ClassVar[str] = EVENT

    event: str
    fields: Mapping[str, Any] = field(default_factory=dict[str, Any])

    def header(self) -> dict[str, Any]:
        """The keys an event adds to the header."""
        return {"event": self.event, "fields": dict(self.fields)}

    def payload(self) -> tuple[Buffer, ...]:
        """Nothing: an event is all header."""
        return ()


def decode_state(message: Message) -> State:
    """Read a state. Raises WireError."""
    header = message.header
    state = read_text(header, "state", 16)
    if state not in NODE_STATES:
        raise WireError("wrong_type", f"{state!r} is not a node state")
    return State(
        role=read_text(header, "role", 32),
        state=state,
        since_ns=read_int(header, "since_ns"),
        host=read_text(header, "host", 256),
        pid=read_int(header, "pid"),
        cause=read_text(header, "cause", 512) if "cause" in header else "",
        counters=_numbers(read_map(header, "counters")),
        settings=read_map(header, "settings"),
        details=read_map(header, "details"),
    )


def decode_event(message: Message) -> Event:
    """Read an event. Raises WireError."""
    return Event(read_text(message.header, "event", 64), read_map(message.header, "fields"))


def _numbers(counters: Mapping[str, Any]) -> Mapping[str, int | float]:
    for name, value in counters.items():
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise WireError(
                "wrong_type", f"the counter {name[:40]!r} is {type(value).__name__}, not a number"
            )
    return counters
