"""A PULL socket at pyMultiVideo's address, whose boxes go on to the rig's overlay door."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping

from zbus.compat.pymultivideo._boxes import BoxReader, Size, pack_overlays
from zbus.compat.pymultivideo._settings import FrontEndSettings
from zbus.transport import Puller, Pusher, Reactor, Resource
from zbus.wire import State

# Why: a log line for each message of a flood would fill the disk that recordings need.
LOG_PERIOD_S = 5.0
# Why: reading all of a flood in one turn would hold the loop that sends the pictures.
TURNS_MAX = 4

_ANY_HOST = "tcp://0.0.0.0:"

log = logging.getLogger(__name__)


class OwnDoor(Resource):
    """Reads what clients push as it comes, and once a pull period hands the newest on.

    Acquires in `with`; belongs to the thread of `reactor`. Boxes that come while the rig has no overlay node
    are counted in `undelivered`.
    """

    def __init__(self, settings: FrontEndSettings, reactor: Reactor, here: str) -> None:
        self._puller = Puller(settings.pull_address, insecure=settings.insecure)
        self._boxes = BoxReader(settings.camera, settings.pull_rate)
        self._pusher: Pusher | None = None
        self.rig_door, self._here = "", here
        self._reactor, self._period_s = reactor, 1 / settings.pull_rate
        self._delivered = self._undelivered = 0
        self._logged_s, self._logged_count = -LOG_PERIOD_S, 0

    def open(self) -> None:
        """Bind. Raises AddressInUse, ExposedAddress, TransportError."""
        self._puller.open()
        self._reactor.watch(self._puller.socket, self._take)
        self._reactor.every(self._period_s, self._hand_on)

    def close(self) -> None:
        """Unbind; what waits is lost. Safe to call twice."""
        self._puller.close()
        if self._pusher is not None:
            self._pusher.close()

    @property
    def endpoint(self) -> str:
        """Where clients push."""
        return self._puller.endpoint

    @property
    def counters(self) -> Mapping[str, int]:
        """What became of the boxes, all since the start."""
        malformed = self._boxes.malformed
        return {
            "boxes_received": self._boxes.received,
            "boxes": self._delivered,
            "ignored": self._boxes.ignored,
            "superseded": self._boxes.superseded,
            "undelivered": self._undelivered,
            "malformed": self._malformed_count(),
            "malformed_wrong_part_count": self._puller.wrong_part_count,
            **{f"malformed_{reason}": count for reason, count in malformed.items()},
        }

    def fit(self, size_px: Size) -> None:
        """From now on boxes must fit into pictures of this width and height."""
        self._boxes.size_px = size_px

    def hear(self, state: State) -> None:
        """Learn from the overlay node's state where the rig's door is."""
        door = _reachable(str(state.details.get("door", "")), state.host, self._here)
        if not door or door == self.rig_door:
            return
        if self._pusher is not None:
            self._pusher.close()
        self._pusher, self.rig_door = Pusher(door), door
        self._pusher.open()

    def _take(self) -> None:
        for _ in range(TURNS_MAX):
            messages = self._puller.take()
            if not messages:
                return
            self._boxes.offer(messages)

    def _hand_on(self) -> None:
        overlays = self._boxes.take()
        for data in pack_overlays(overlays):
            sent = self._pusher is not None and self._pusher.send(data)
            self._delivered += len(overlays) if sent else 0
            self._undelivered += 0 if sent else len(overlays)
        self._log_malformed()

    def _log_malformed(self) -> None:
        count, now_s = self._malformed_count(), time.monotonic()
        if count == self._logged_count or now_s - self._logged_s < LOG_PERIOD_S:
            return
        self._logged_s, self._logged_count = now_s, count
        error = self._boxes.last_error or "wrong_part_count: a box is a message of one part"
        log.warning("a box was refused (%d so far): %s", count, error.encode("unicode_escape").decode())

    def _malformed_count(self) -> int:
        return self._boxes.malformed.total() + self._puller.wrong_part_count


def _reachable(door: str, host: str, here: str) -> str:
    """The rig's door as seen from this machine; "" where it listens only to its own."""
    is_here = host == here
    if door.startswith(_ANY_HOST):
        return door.replace("0.0.0.0", "127.0.0.1" if is_here else host)
    is_loopback = door.startswith(("tcp://127.", "tcp://localhost:", "ipc://"))
    return door if is_here or not is_loopback else ""
