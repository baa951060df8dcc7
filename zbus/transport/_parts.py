"""Sending and receiving the parts of one message, without waiting and without detours."""

from __future__ import annotations

from collections.abc import Sequence

import zmq

from zbus.wire import Buffer

# Why plain integers: pyzmq's own names are enums, and to combine two of them costs as much as to send.
_NOW, _MORE = int(zmq.NOBLOCK), int(zmq.NOBLOCK | zmq.SNDMORE)
_EVENTS, _CAN_READ = int(zmq.EVENTS), int(zmq.POLLIN)

# A part with fewer bytes is received as a copy: that costs less than to keep memory of libzmq alive for it.
COPY_MAX_BYTES = 16_384

# libzmq takes 32 bits of milliseconds.
TIMEOUT_MAX_MS = 2_000_000_000


def send_parts(socket: zmq.Socket[bytes], parts: Sequence[Buffer | zmq.Frame]) -> bool:
    """Send one message; False where there is no room for it. pyzmq copies what is small and nothing else."""
    try:
        for part in parts[:-1]:
            socket.send(part, _MORE, copy=False)
        socket.send(parts[-1], _NOW, copy=False)
    except zmq.Again:
        return False
    return True


def count_bytes(parts: Sequence[Buffer]) -> int:
    """How many bytes a message has."""
    return sum([part.nbytes if isinstance(part, memoryview) else len(part) for part in parts])


def recv_frames(socket: zmq.Socket[bytes], flags: int = _NOW) -> list[zmq.Frame] | None:
    """The parts of the next message as libzmq holds them, to be sent on; None where there is none."""
    try:
        frame = socket.recv(flags, copy=False)
    except zmq.Again:
        return None
    frames = [frame]
    while frame.more:
        frame = socket.recv(_NOW, copy=False)
        frames.append(frame)
    return frames


def recv_parts(socket: zmq.Socket[bytes], timeout_ms: int = 0) -> list[Buffer] | None:
    """The next message: small parts as bytes, large ones as views of libzmq's memory; None where none comes.

    Waits for it at most `timeout_ms`, -1 for ever.
    """
    if timeout_ms:
        # Why not a poll before it: that asks libzmq twice, and each time costs as much as the message.
        socket.setsockopt(zmq.RCVTIMEO, min(timeout_ms, TIMEOUT_MAX_MS))
    frames = recv_frames(socket, _NOW if not timeout_ms else 0)
    if frames is None:
        return None
    return [frame.bytes if len(frame) < COPY_MAX_BYTES else frame.buffer for frame in frames]


def can_read(socket: zmq.Socket[bytes]) -> bool:
    """True while there is something to receive; asking makes libzmq look at what its peers have taken."""
    return bool(socket.getsockopt(_EVENTS) & _CAN_READ)  # pyright: ignore
