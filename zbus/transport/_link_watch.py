"""A link that is not let in is not silent: its refusals are told in the log."""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence

import zmq
from zmq.utils.monitor import recv_monitor_message

from zbus.transport._client_key import ClientKey
from zbus.transport._context import make_socket, new_session
from zbus.transport._endpoints import is_exposed
from zbus.transport._monitor import EVENTS_LINK
from zbus.transport._refusal import HANDSHAKE_FAILURES, read_refusal

TOLD_MAX = 64

_WATCHED = HANDSHAKE_FAILURES | zmq.EVENT_HANDSHAKE_SUCCEEDED | zmq.EVENT_MONITOR_STOPPED

log = logging.getLogger(__name__)


def watch_link(socket: zmq.Socket[bytes], endpoints: Sequence[str], key: ClientKey | None) -> None:
    """Warn in the log when one of `endpoints` does not let this socket in. To be called before connecting.

    Nothing is watched where all are of this machine and no key is used. Ends when the socket is closed.

    Why a thread: libzmq tells of it on a socket of its own, which has to be read whether or not the owner of
    this one looks at it; a link that was refused gives its owner nothing to look at.
    """
    if not any(is_exposed(each) or (key and each.startswith("tcp://")) for each in endpoints):
        return
    address = f"inproc://link-{new_session()}"
    socket.monitor(address, _WATCHED)
    events = make_socket(zmq.PAIR, EVENTS_LINK)
    events.connect(address)
    threading.Thread(target=_listen, args=(events, key), name="link-watch", daemon=True).start()


def _listen(events: zmq.Socket[bytes], key: ClientKey | None) -> None:
    told: set[str] = set()
    with events:
        while True:
            message = recv_monitor_message(events)
            event, endpoint = int(message["event"]), message["endpoint"].decode(errors="replace")
            if event == zmq.EVENT_MONITOR_STOPPED:
                return
            if event == zmq.EVENT_HANDSHAKE_SUCCEEDED:
                told.clear()
            else:
                _tell(event, int(message["value"]), endpoint, key, told)


def _tell(event: int, value: int, endpoint: str, key: ClientKey | None, told: set[str]) -> None:
    refusal = read_refusal(event, value, endpoint, key)
    if refusal is None or refusal.cause in told or len(told) >= TOLD_MAX:
        return
    told.add(refusal.cause)
    again = "; start this again afterwards" if refusal.is_final else ""
    log.warning("%s\n  try: %s%s", refusal.cause, refusal.next_step, again)
