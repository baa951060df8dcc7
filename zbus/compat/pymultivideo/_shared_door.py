"""The rig's own overlay door, where it holds pyMultiVideo's address already."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict
from typing import Any

from zbus.compat.pymultivideo._boxes import BOX_ID, Size, box_defaults
from zbus.compat.pymultivideo._settings import FrontEndSettings, node_id
from zbus.config import BrokerPlan
from zbus.errors import AddressInUse, RequestRefused, RequestTimeout
from zbus.transport import Reactor, Requester, Resource, key_of
from zbus.wire import State

STATUS_TIMEOUT_S = 2.0
# Why: in a rig that starts up the overlay node holds its address before the directory knows of it.
OVERLAY_WAIT_S = 2.0
OVERLAY_ASK_PERIOD_S = 0.1
# Why: the loop that sends the pictures waits for this answer, which a living node gives at once.
CONFIGURE_TIMEOUT_S = 0.5

_EVERYWHERE = ("0.0.0.0", "*")

log = logging.getLogger(__name__)


class SharedDoor(Resource):
    """Has the rig's door read what names no camera and no id as pyMultiVideo's clients mean it.

    Acquires in `with`, and gives the door its own defaults back on leaving. `taken` is the error that said
    that the address is held, raised again by `open` where it is not the rig's overlay node that holds it.
    """

    def __init__(
        self, settings: FrontEndSettings, broker: BrokerPlan, reactor: Reactor, taken: AddressInUse
    ) -> None:
        self._settings, self._reactor, self._taken = settings, reactor, taken
        self._requester = Requester(broker.directory, sender=node_id(settings.camera), key=key_of(broker))
        self._size_px: Size | None = None
        self._here = broker.here
        self._node = ""
        self._configured = self._failed = 0
        self.endpoint = ""

    def open(self) -> None:
        """Find the rig's door. Raises AddressInUse, RequestTimeout."""
        self._requester.open()
        try:
            self._find_door()
        except BaseException:
            self._requester.close()
            raise
        # Why a warning: it changes what another node does, and the command line shows nothing less.
        log.warning(
            "boxes come in through the rig's overlay door at %s, which is read as pyMultiVideo's",
            self.endpoint,
        )

    def close(self) -> None:
        """Give the door its own defaults back. Safe to call twice."""
        if self._node and self._size_px is not None:
            self._configure({})
        self._node = ""
        self._requester.close()

    @property
    def rig_door(self) -> str:
        """The same door."""
        return self.endpoint

    @property
    def counters(self) -> Mapping[str, int]:
        """How often the door was told what boxes mean; what became of them is in the overlay node's state."""
        return {"door_configured": self._configured, "door_failed": self._failed}

    def fit(self, size_px: Size) -> None:
        """From now on boxes must fit into pictures of this width and height."""
        if size_px != self._size_px:
            self._size_px = size_px
            self._configure(self._wanted())

    def hear(self, state: State) -> None:
        """Tell the door again where it has forgotten, as after a restart."""
        is_another = _other_camera(state.settings, self._settings.camera)
        # Why: two front-ends that each took the door back would have it change its meaning every second.
        if self._size_px is None or is_another or dict(state.settings) == self._wanted():
            return
        self._configure(self._wanted())

    def _wanted(self) -> dict[str, Any]:
        defaults = asdict(box_defaults(self._settings.camera, self._settings.pull_rate, self._size_px))
        return defaults | {"within_px": list(self._size_px or ())}

    def _configure(self, defaults: Mapping[str, Any]) -> None:
        args = {"settings": defaults}
        try:
            self._requester.request("configure", args, target=self._node, timeout_s=CONFIGURE_TIMEOUT_S)
        except (RequestRefused, RequestTimeout) as error:
            self._failed += 1
            log.warning("the rig's overlay door could not be told what boxes mean: %s", error)
            return
        self._configured += 1

    def _find_door(self) -> None:
        nodes = self._wait_for_overlay_node()
        self._node = next(name for name, role in nodes.items() if role == "overlay")
        status = self._status()
        door = str(status.get("details", {}).get("door", ""))
        is_here = status.get("host") == self._here
        if not (is_here and _is_same_address(door, self._settings.pull_address)):
            raise self._taken
        self._refuse_second(nodes, status["settings"])
        self.endpoint = door

    def _wait_for_overlay_node(self) -> Mapping[str, str]:
        """The roles of the rig's nodes by name, once there is an overlay node."""
        deadline_s = time.monotonic() + OVERLAY_WAIT_S
        while True:
            nodes = self._requester.request("nodes")["nodes"]
            roles = {node["node"]: node["role"] for node in nodes}
            if "overlay" in roles.values():
                return roles
            if self._reactor.stopping or time.monotonic() > deadline_s:
                raise self._taken
            self._reactor.run_once(OVERLAY_ASK_PERIOD_S)

    def _status(self) -> Mapping[str, Any]:
        status: Mapping[str, Any] = {}
        with suppress(RequestRefused, RequestTimeout):
            status = self._requester.request("status", target=self._node, timeout_s=STATUS_TIMEOUT_S)
        return status

    def _refuse_second(self, nodes: Mapping[str, str], defaults: Mapping[str, Any]) -> None:
        other = _other_camera(defaults, self._settings.camera)
        # Why: one door has one meaning; a front-end that is gone without a word leaves its own behind.
        if other and node_id(other) in nodes:
            step = f"the boxes of {other} come in there; give this camera a --pull-address of its own"
            raise AddressInUse(self._settings.pull_address, next_step=step)


def _other_camera(defaults: Mapping[str, Any], camera: str) -> str:
    """The camera whose front-end told the door what boxes mean, where that is not ours; else ""."""
    other = str(defaults.get("camera", ""))
    return other if defaults.get("id") == BOX_ID and other != camera else ""


def _is_same_address(door: str, wanted: str) -> bool:
    (host, port), (wanted_host, wanted_port) = _split(door), _split(wanted)
    return port == wanted_port and (host == wanted_host or host in _EVERYWHERE or wanted_host in _EVERYWHERE)


def _split(endpoint: str) -> tuple[str, str]:
    host, _, port = endpoint.removeprefix("tcp://").rpartition(":")
    return ("127.0.0.1" if host == "localhost" else host), port
