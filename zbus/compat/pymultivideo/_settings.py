"""What the front-end can be asked for."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from zbus.wire import is_source_name

RATE_MAX_HZ = 1_000.0
# Why: a box lives 1.5 pull periods, and no overlay may live longer than 60 s.
PULL_RATE_MIN_HZ = 0.025

NODE_ID_MAX_CHARS = 64


def node_id(camera: str) -> str:
    """What the front-end of this camera is called on the bus."""
    return f"pymultivideo-{camera}"[:NODE_ID_MAX_CHARS]


def _option(default: Any, text: str) -> Any:
    return field(default=default, metadata={"help": text})


@dataclass(frozen=True, slots=True)
class FrontEndSettings:
    """One camera for pyMultiVideo's clients: where, how often, in which form. Raises ValueError."""

    camera: str = field(metadata={"help": "The camera whose pictures the clients get."})
    dialect: Literal["json", "msgpack"] = _option(
        "json", "What clients expect: json (17 April 2025) or msgpack (from 23 April 2025)."
    )
    pub_address: str = _option("tcp://127.0.0.1:5555", "Where clients subscribe to pictures.")
    pull_address: str = _option("tcp://127.0.0.1:5556", "Where clients push boxes.")
    put_rate: float = _option(10.0, "Pictures a second; 0 sends every frame of the camera, once.")
    pull_rate: float = _option(10.0, "How often a second boxes are taken over; a box lives 1.5 periods.")
    color: Literal["mosaic", "mono"] = _option(
        "mosaic", "Color pictures as a Bayer RG8 mosaic, as pyMultiVideo sends them, or as gray values."
    )
    unique_id: str = _option("", "The unique_id clients read; without it CAMERA-MODULE.")
    module: str = _option("zbus", "The second half of the unique_id, such as spinnaker.")
    extended: bool = _option(False, "Add frame_number, captured_us and pixel_format to each picture.")
    config: str = _option("", "pyMultiVideo's own settings, JSON or config.py; options that are given win.")
    insecure: bool = _option(False, "Let everyone on the network read pictures and draw.")

    def __post_init__(self) -> None:
        if not is_source_name(self.camera):
            raise ValueError(f"camera {self.camera!r} is not a camera id")
        if not 0 <= self.put_rate <= RATE_MAX_HZ:
            raise ValueError(f"put_rate must be from 0 to {RATE_MAX_HZ:g}")
        if not PULL_RATE_MIN_HZ <= self.pull_rate <= RATE_MAX_HZ:
            raise ValueError(f"pull_rate must be from {PULL_RATE_MIN_HZ:g} to {RATE_MAX_HZ:g}")

    @property
    def picture_id(self) -> str:
        """The unique_id that clients read."""
        return self.unique_id or f"{self.camera}-{self.module}"
