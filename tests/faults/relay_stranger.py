"""A program: pings the relay of another host, with a key of its own, one that was given to it, or none.

    python relay_stranger.py '{"endpoint": "tcp://…", "rig": "lab", "host": "right", "seconds": 2.0,
                               "server": "…", "public": "…", "secret": "…"}'

Without `server` it speaks openly; with it and without `public` it makes a pair of keys. It tells how many
messages came back, and how often a handshake failed.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any

import zmq
from zmq.utils.monitor import recv_monitor_message

from zbus.wire import RelayPing, encode_relay

PERIOD_MS = 50


def main(wanted: dict[str, Any]) -> None:
    context = zmq.Context()
    peer = context.socket(zmq.DEALER)
    peer.setsockopt(zmq.LINGER, 0)
    if "server" in wanted:
        public, secret = (wanted[each].encode() if each in wanted else None for each in ("public", "secret"))
        if public is None:
            public, secret = zmq.curve_keypair()
        peer.curve_serverkey, peer.curve_publickey = wanted["server"].encode(), public
        peer.curve_secretkey = secret
    monitor = peer.get_monitor_socket(
        zmq.EVENT_CONNECTED
        | zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL
        | zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL
        | zmq.EVENT_HANDSHAKE_FAILED_AUTH
        | zmq.EVENT_DISCONNECTED
    )
    peer.connect(wanted["endpoint"])
    told = {"answers": 0, "connected": 0, "ended": 0}
    until_s = time.monotonic() + wanted["seconds"]
    while time.monotonic() < until_s:
        ping = RelayPing(wanted["rig"], wanted["host"], "small", "stranger", time.monotonic_ns())
        if peer.poll(0, zmq.POLLOUT):
            peer.send_multipart(encode_relay(ping), zmq.NOBLOCK)
        if peer.poll(PERIOD_MS):
            peer.recv_multipart()
            told["answers"] += 1
        while monitor.poll(0):
            event = recv_monitor_message(monitor)["event"]
            told["connected" if event == zmq.EVENT_CONNECTED else "ended"] += 1
    peer.disable_monitor()
    print(json.dumps(told))
    context.destroy(linger=0)


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
