"""Peers that are not ours: plain sockets, and bytes that libzmq would not send."""

from __future__ import annotations

import socket
import struct

import zmq

GREETING = b"\xff" + bytes(8) + b"\x7f\x03\x00" + b"NULL".ljust(20, b"\0") + bytes(32)
TIMEOUT_S = 10.0


def open_raw(endpoint: str) -> socket.socket:
    """A connection by which nothing has been said yet, at a tcp or an ipc endpoint."""
    if endpoint.startswith("ipc://"):
        peer = socket.socket(socket.AF_UNIX)
        peer.settimeout(TIMEOUT_S)
        peer.connect(endpoint.removeprefix("ipc://"))
        return peer
    host, port = endpoint.removeprefix("tcp://").rsplit(":", 1)
    return socket.create_connection((host, int(port)), timeout=TIMEOUT_S)


def raw(endpoint: str, kind: bytes) -> socket.socket:
    """A connection that has shaken hands as ZeroMQ does."""
    peer = open_raw(endpoint)
    peer.sendall(GREETING)
    left = len(GREETING)
    while left:
        left -= len(peer.recv(left))
    body = b"\x05READY\x0bSocket-Type" + struct.pack(">I", len(kind)) + kind
    peer.sendall(bytes([4, len(body)]) + body)
    return peer


def stranger(kind: int, endpoint: str) -> zmq.Socket[bytes]:
    """Somebody's plain socket."""
    peer = zmq.Context.instance().socket(kind)
    peer.setsockopt(zmq.LINGER, 0)
    peer.setsockopt(zmq.SNDTIMEO, int(TIMEOUT_S * 1_000))
    peer.setsockopt(zmq.RCVTIMEO, int(TIMEOUT_S * 1_000))
    peer.connect(endpoint)
    return peer
