"""Control: requests and replies with ids and deadlines (spec 7)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from zbus.errors import WireError
from zbus.wire._envelope import Buffer, check_version
from zbus.wire._header import Header, pack_map, read_flag, read_int, read_map, read_text, unpack_map
from zbus.wire._limits import HEADER_MAX_BYTES, WIRE_VERSION
from zbus.wire._topics import CONTROL, REPLY, Topic, decode_topic

DIRECTORY = "directory"
TIMEOUT_MAX_MS = 600_000


@dataclass(frozen=True, slots=True)
class Request:
    """Asks node `target` to do `verb`. `request_id` is unique; the same id again is the same request.

    `timeout_ms` is how long the sender waits, from `asked_ns` (its UTC, 0 where it tells none): a request
    that lay around for longer must not be executed.
    """

    request_id: str
    target: str
    verb: str
    args: Mapping[str, Any] = field(default_factory=dict[str, Any])
    timeout_ms: int = 5_000
    asked_ns: int = 0
    sender: str = ""


@dataclass(frozen=True, slots=True)
class Reply:
    """Answers a request: `result` where it was done, else `error_code`, `cause` and `next_step`."""

    request_id: str
    target: str
    result: Mapping[str, Any] = field(default_factory=dict[str, Any])
    error_code: str = ""
    cause: str = ""
    next_step: str = ""

    @property
    def ok(self) -> bool:
        """True where the request was done."""
        return not self.error_code


def encode_request(request: Request) -> list[Buffer]:
    """Write a request as its two parts. Raises WireError."""
    header: dict[str, Any] = {
        "v": WIRE_VERSION,
        "request_id": request.request_id,
        "verb": request.verb,
        "args": dict(request.args),
        "timeout_ms": request.timeout_ms,
        "asked_ns": request.asked_ns,
        "sender": request.sender,
    }
    return [Topic(CONTROL, request.target).encode(), pack_map(header, HEADER_MAX_BYTES[CONTROL])]


def decode_request(parts: Sequence[Buffer]) -> Request:
    """Read a request. Raises WireError."""
    topic, header = _decode(parts, CONTROL)
    request_id = read_text(header, "request_id", 64)
    if not request_id:
        # Why: it names the remembered reply; strangers who all send none would get each other's.
        raise WireError("out_of_range", "request_id is empty")
    return Request(
        request_id=request_id,
        target=topic.source,
        verb=read_text(header, "verb", 32),
        args=read_map(header, "args"),
        timeout_ms=read_int(header, "timeout_ms", 1, TIMEOUT_MAX_MS),
        asked_ns=read_int(header, "asked_ns") if "asked_ns" in header else 0,
        sender=read_text(header, "sender", 64) if "sender" in header else "",
    )


def encode_reply(reply: Reply) -> list[Buffer]:
    """Write a reply as its two parts. Raises WireError."""
    header: dict[str, Any] = {"v": WIRE_VERSION, "request_id": reply.request_id, "ok": reply.ok}
    if reply.ok:
        header["result"] = dict(reply.result)
    else:
        error = {"code": reply.error_code, "cause": reply.cause[:2048], "next_step": reply.next_step[:512]}
        header["error"] = error
    return [Topic(REPLY, reply.target).encode(), pack_map(header, HEADER_MAX_BYTES[REPLY])]


def decode_reply(parts: Sequence[Buffer]) -> Reply:
    """Read a reply. Raises WireError."""
    topic, header = _decode(parts, REPLY)
    request_id = read_text(header, "request_id", 64)
    if read_flag(header, "ok"):
        return Reply(request_id, topic.source, read_map(header, "result"))
    error = read_map(header, "error")
    return Reply(
        request_id,
        topic.source,
        error_code=read_text(error, "code", 64) or "error",
        cause=read_text(error, "cause", 2048) if "cause" in error else "",
        next_step=read_text(error, "next_step", 512) if "next_step" in error else "",
    )


def _decode(parts: Sequence[Buffer], kind: str) -> tuple[Topic, Header]:
    if len(parts) != 2:
        raise WireError("wrong_part_count", f"{len(parts)} parts, not 2")
    topic = decode_topic(bytes(parts[0][:256]))
    if topic.kind != kind:
        raise WireError("bad_topic", f"{topic} is not a {kind} topic")
    header = unpack_map(bytes(parts[1]), HEADER_MAX_BYTES[kind])
    check_version(header)
    return topic, header
