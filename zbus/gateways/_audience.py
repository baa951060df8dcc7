"""Who watches, and what they are told."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Protocol

from zbus.errors import ZbusError
from zbus.gateways._mailbox import Mailbox
from zbus.gateways._nodes import Node
from zbus.transport import Received
from zbus.wire import EVENT, FRAME, OVERLAY, STATE, TRACKS

ALL_KINDS = frozenset({FRAME, TRACKS, OVERLAY, STATE, EVENT})

Item = Received | Node


class TooManyViewers(ZbusError):
    """As many viewers as the gateway takes are watching already."""

    code = "busy"


class PictureSource(Protocol):
    """What listens to a camera's pictures while that is wanted."""

    def watch(self, camera: str) -> None: ...

    def unwatch(self, camera: str) -> None: ...


class Audience:
    """The viewers of one gateway, each with a mailbox; for one event loop.

    `pictures` is told when a camera's first watcher comes and when its last one goes.
    """

    def __init__(self, viewers_max: int, pictures: PictureSource) -> None:
        self.viewers_max, self._pictures = viewers_max, pictures
        self.viewers = 0
        self._mailboxes: dict[Mailbox[Item], str] = {}

    @contextlib.contextmanager
    def seat(self) -> Iterator[None]:
        """Count as a viewer. Raises TooManyViewers."""
        if self.viewers >= self.viewers_max:
            raise TooManyViewers(
                f"{self.viewers} viewers are watching, and no more are taken",
                next_step="close another page, or start the gateway with a larger viewers_max",
            )
        self.viewers += 1
        try:
            yield
        finally:
            self.viewers -= 1

    @contextlib.contextmanager
    def watch(self, camera: str, kinds: frozenset[str] = ALL_KINDS) -> Iterator[Mailbox[Item]]:
        """A mailbox for what is told of `camera` ("" for none) and of all nodes, of these `kinds`.

        The camera's pictures are asked for on the bus only while somebody watches it.
        """
        mailbox: Mailbox[Item] = Mailbox(kinds, last_kind=FRAME)
        wants_pictures = bool(camera) and FRAME in kinds
        if wants_pictures and not self._watchers(camera):
            self._pictures.watch(camera)
        self._mailboxes[mailbox] = camera
        try:
            yield mailbox
        finally:
            del self._mailboxes[mailbox]
            if wants_pictures and not self._watchers(camera):
                self._pictures.unwatch(camera)

    def tell(self, kind: str, source: str, item: Item, *, camera: str = "", depth: int = 1) -> None:
        """Put an item into the mailboxes of those who watch `camera`, or of everybody for none."""
        for mailbox, watched in self._mailboxes.items():
            if not camera or watched == camera:
                mailbox.put(kind, source, item, depth)

    def dismiss(self) -> None:
        """Let every viewer go."""
        for mailbox in self._mailboxes:
            mailbox.close()

    def _watchers(self, camera: str) -> int:
        return sum(watched == camera and FRAME in box.kinds for box, watched in self._mailboxes.items())
