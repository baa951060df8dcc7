"""Where boxes come in: at an address of pyMultiVideo's own, or at the rig's door that holds it already."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Protocol

from zbus.compat.pymultivideo._boxes import Size
from zbus.compat.pymultivideo._own_door import OwnDoor
from zbus.compat.pymultivideo._settings import FrontEndSettings
from zbus.compat.pymultivideo._shared_door import SharedDoor
from zbus.config import BrokerPlan
from zbus.errors import AddressInUse
from zbus.transport import Reactor
from zbus.wire import State


class Door(Protocol):
    """What the front-end asks of either door.

    `endpoint` is where clients push; `rig_door` where their boxes end up, "" while the rig has no overlay
    node; `counters` what became of them.
    """

    @property
    def endpoint(self) -> str: ...

    @property
    def rig_door(self) -> str: ...

    @property
    def counters(self) -> Mapping[str, int]: ...

    def fit(self, size_px: Size) -> None:
        """The camera's pictures have this width and height from now on."""

    def hear(self, state: State) -> None:
        """The rig's overlay node told its state."""


@contextmanager
def open_door(settings: FrontEndSettings, broker: BrokerPlan, reactor: Reactor) -> Iterator[Door]:
    """A door at `settings.pull_address`, closed on leaving.

    Raises AddressInUse where somebody holds the address who is not the rig's overlay node, ExposedAddress.
    """
    try:
        own = OwnDoor(settings, reactor, broker.here)
        own.open()
    except AddressInUse as taken:
        with SharedDoor(settings, broker, reactor, taken) as shared:
            yield shared
        return
    try:
        yield own
    finally:
        own.close()
