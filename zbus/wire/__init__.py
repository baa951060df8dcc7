from zbus.wire._tracks import Tracks

__all__ = ["Tracks"]
