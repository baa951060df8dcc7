"""The last word of a relay to the others, which is waited with until they have heard it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

import zmq

from zbus.transport import ConnectionMonitor
from zbus.wire import Buffer, RelayBye, encode_relay

# Who does not hang up in that time is cut off, or does not listen.
HEARD_WITHIN_S = 0.5

# Sends the parts of a message to an identity; False where nobody is there.
Send = Callable[[bytes, list[Buffer]], bool]


def say_bye(socket: zmq.Socket[bytes], identities: Iterable[bytes], send: Send) -> int:
    """Say it to all at `socket`, and wait until each has hung up, HEARD_WITHIN_S at most; returns how many
    had not. Who hears it hangs up.

    Why: where we hung up first, the other side's libzmq would throw away what had come and was not read yet.
    A socket that keeps nothing for who is absent (ZMQ_IMMEDIATE) ends its pipe with the connection, in both
    directions at once.
    """
    with ConnectionMonitor(socket) as monitor:
        told = sum(send(identity, encode_relay(RelayBye())) for identity in identities)
        deadline_s = time.monotonic() + HEARD_WITHIN_S
        while (open_ones := told - monitor.counters.disconnected) > 0:
            left_s = deadline_s - time.monotonic()
            if left_s <= 0:
                return open_ones
            monitor.socket.poll(max(1, int(left_s * 1000)))
            monitor.read()
    return 0
