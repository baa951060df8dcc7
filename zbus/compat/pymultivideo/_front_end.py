"""What `zbus serve pymultivideo` runs."""

from __future__ import annotations

from typing import ClassVar

from zbus.compat.pymultivideo._config_file import apply_config_file
from zbus.compat.pymultivideo._settings import FrontEndSettings
from zbus.config import BrokerPlan
from zbus.transport import Reactor


class FrontEnd:
    """A camera for pyMultiVideo's clients."""

    Settings: ClassVar[type] = FrontEndSettings

    @staticmethod
    def run(settings: FrontEndSettings, broker: BrokerPlan, reactor: Reactor) -> None:
        """Serve one camera until `reactor` is stopped.

        Waits for the camera at first; one that is lost later is waited for, and told in the state. Raises
        ConfigError, UnknownName for a camera that does not appear, RequestTimeout where the directory does
        not answer, AddressInUse, ExposedAddress.
        """
        # Why: a command line that asks for the settings only should not wait for OpenCV.
        from zbus.compat.pymultivideo._node import run_node

        run_node(apply_config_file(settings), broker, reactor)
