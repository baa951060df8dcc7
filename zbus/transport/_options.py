"""One table of socket options: what each kind of link may hold, wait and accept."""

from __future__ import annotations

from dataclasses import dataclass, replace

import zmq

from zbus.wire import FRAME_MAX_BYTES, HEADER_MAX_BYTES, OVERLAY_MAX_BYTES

SUBSCRIPTION_MAX_BYTES, EDGE_SUBSCRIPTION_MAX_BYTES = 4_096, 1_024
SUBSCRIPTIONS_WAITING_MAX = 1_000
SMALL_MAX_BYTES = max(HEADER_MAX_BYTES.values()) + 65_536

_KERNEL_BUFFER_BYTES = 524_288

_COMMON: dict[int, int] = {
    zmq.HANDSHAKE_IVL: 2_000,
    zmq.RECONNECT_IVL: 50,
    zmq.RECONNECT_IVL_MAX: 1_000,
    zmq.TCP_KEEPALIVE: 1,
    zmq.TCP_KEEPALIVE_IDLE: 10,
    zmq.TCP_KEEPALIVE_INTVL: 5,
    zmq.TCP_KEEPALIVE_CNT: 3,
    zmq.BACKLOG: 256,
}

# Why on links that are always read and on no others: while a receiving queue is full libzmq reads no
# heartbeat, takes the connection for dead, and the next read ends the process (libzmq 3937, 4767). A ping
# asks the same of the other side, so that a publisher with heartbeats would end a stranger's slow script.
_HEARTBEAT: dict[int, int] = {
    zmq.HEARTBEAT_IVL: 500,
    zmq.HEARTBEAT_TIMEOUT: 1_500,
    zmq.HEARTBEAT_TTL: 1_500,
}


@dataclass(frozen=True, slots=True)
class Link:
    """The options of one kind of link.

    `depth` is the high-water mark of both directions, in messages; `max_message_bytes` the largest part
    taken in; `linger_ms` how long closing waits for what is unsent; `kernel_buffer_bytes` caps what the
    kernel holds on TCP, 0 leaves it alone. With `only_present` nothing waits for a peer that is not connected
    at the moment: it is dropped, or said not to be sent. `heartbeat` finds dead peers within 1.5 s; without
    it the keep-alive of TCP does, within half a minute. A connection that is not made within
    `connect_timeout_ms` is tried again, one whose data is not acknowledged for `max_retransmit_ms` is given
    up; 0 leaves both to the kernel.
    """

    depth: int
    max_message_bytes: int
    linger_ms: int = 0
    kernel_buffer_bytes: int = 0
    only_present: bool = False
    heartbeat: bool = False
    connect_timeout_ms: int = 0
    max_retransmit_ms: int = 0


# Why: a frame that waits is out of date, so few may wait, and none for a broker that comes back; a publisher
# takes in nothing but subscriptions, so a large one is an attack.
FRAMES_OUT = Link(8, SUBSCRIPTION_MAX_BYTES, kernel_buffer_bytes=_KERNEL_BUFFER_BYTES, only_present=True)
FRAMES_IN = Link(4, FRAME_MAX_BYTES + 65_536, kernel_buffer_bytes=_KERNEL_BUFFER_BYTES)
SMALL_OUT = Link(1_000, SUBSCRIPTION_MAX_BYTES, linger_ms=200)
SMALL_IN = Link(1_000, SMALL_MAX_BYTES)
DOOR = Link(1_000, OVERLAY_MAX_BYTES)
# Why only who is present: what queues for a peer that may never exist seems to be sent, and an announcement
# or a request that waited for a directory to come back is out of date.
PUSH = Link(100, 1_024, linger_ms=500, only_present=True)
# Why these times: the kernel asks again after 1, 3 and 7 s, long after a network is back, and delivers
# what is out of date for a quarter of an hour. What waits in it is bounded by what the other side has taken.
RELAY_IN = Link(2_000, SMALL_MAX_BYTES, linger_ms=500, connect_timeout_ms=500, max_retransmit_ms=3_000)
RELAY_SMALL = replace(RELAY_IN, only_present=True)
# More than may be on their way at once (spec 10), for a peer that counts wrong.
RELAY_FRAMES = replace(RELAY_SMALL, depth=64, max_message_bytes=FRAMES_IN.max_message_bytes)
CONTROL_LINK = Link(1_000, SMALL_MAX_BYTES, linger_ms=500, only_present=True, heartbeat=True)


# Why few, and of one length: what is forwarded is of both kinds, and a queue that is shortened while it is in
# use may never move again (record 0008). 64 messages are 20 MB of 640 x 480 gray.
FORWARD_IN = Link(64, FRAMES_IN.max_message_bytes, kernel_buffer_bytes=_KERNEL_BUFFER_BYTES)
FORWARD_OUT = Link(64, SUBSCRIPTION_MAX_BYTES, kernel_buffer_bytes=_KERNEL_BUFFER_BYTES)
# What other computers subscribe from.
EDGE_OUT = Link(64, EDGE_SUBSCRIPTION_MAX_BYTES, kernel_buffer_bytes=_KERNEL_BUFFER_BYTES)


def apply_options(socket: zmq.Socket[bytes], link: Link) -> None:
    """Set every option of `link` on a socket that is not yet bound or connected."""
    # Why not on a ROUTER: whoever asks faster than it reads fills its queue, and hanging up ends the process.
    has_heartbeat = link.heartbeat and socket.type != zmq.ROUTER
    for option, value in (_COMMON | (_HEARTBEAT if has_heartbeat else {})).items():
        socket.setsockopt(option, value)
    socket.setsockopt(zmq.SNDHWM, link.depth)
    socket.setsockopt(zmq.RCVHWM, link.depth)
    socket.setsockopt(zmq.MAXMSGSIZE, link.max_message_bytes)
    socket.setsockopt(zmq.LINGER, link.linger_ms)
    socket.setsockopt(zmq.IMMEDIATE, link.only_present)
    if link.connect_timeout_ms:
        socket.setsockopt(zmq.CONNECT_TIMEOUT, link.connect_timeout_ms)
    if link.max_retransmit_ms:
        socket.setsockopt(zmq.TCP_MAXRT, link.max_retransmit_ms)
    if link.kernel_buffer_bytes:
        socket.setsockopt(zmq.SNDBUF, link.kernel_buffer_bytes)
        socket.setsockopt(zmq.RCVBUF, link.kernel_buffer_bytes)
    if socket.type in (zmq.SUB, zmq.XSUB):
        # Why: they queue their own subscriptions under this mark and drop those beyond it in silence.
        socket.setsockopt(zmq.SNDHWM, 0)
    if socket.type == zmq.XPUB:
        # Why: what comes in are subscriptions, and a short queue lets in a few of them at each send only.
        socket.setsockopt(zmq.RCVHWM, SUBSCRIPTIONS_WAITING_MAX)
