"""A gateway as a process of its own: bound, served, stopped."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from types import FrameType

from zbus.errors import ZbusError
from zbus.gateways._listener import open_listener
from zbus.gateways._settings import GatewaySettings

PACKAGES = ("fastapi", "uvicorn", "websockets")


def run_gateway(
    settings: GatewaySettings,
    *,
    on_ready: Callable[[str], None] = lambda url: None,
    stop: threading.Event | None = None,
) -> None:
    """Serve until `stop` is set or, in a main thread, until SIGINT or SIGTERM. `stop` is set on return.

    `on_ready` is given the gateway's address, such as http://127.0.0.1:8080, once it answers; it runs in the
    serving thread and must not block. The broker may be there already or come later.

    Raises AddressInUse, ExposedAddress, TransportError before anything runs, and ZbusError where the
    packages of the `gateway` extra are missing.
    """
    _require_packages()
    from zbus.gateways._server import serve

    stop = stop or threading.Event()
    with open_listener(settings) as listener, _signals_setting(stop):
        try:
            serve(settings, listener, on_ready, stop)
        finally:
            stop.set()


def _require_packages() -> None:
    missing = [name for name in PACKAGES if find_spec(name) is None]
    if missing:
        raise ZbusError(
            f"the gateway needs {', '.join(missing)}, not installed here",
            next_step="pip install 'zbus-rig[gateway]'",
        )


@contextlib.contextmanager
def _signals_setting(stop: threading.Event) -> Iterator[None]:
    """Let SIGINT and SIGTERM set `stop`; only a main thread may, so elsewhere nothing changes."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def handle(number: int, frame: FrameType | None) -> None:
        stop.set()

    before = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
