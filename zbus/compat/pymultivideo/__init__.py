"""The front-end for pyMultiVideo's clients: their pictures out, their boxes in, their scripts unchanged."""

from zbus.compat.pymultivideo._front_end import FrontEnd
from zbus.compat.pymultivideo._settings import FrontEndSettings

__all__ = ["FrontEnd", "FrontEndSettings"]
