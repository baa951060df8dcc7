"""The browser of the page's test: where it is, and what its canvas shows."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from page_rig import HEIGHT, WIDTH

CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome")
CHROMIUM_ARGS = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def find_chromium() -> str:
    named = os.environ.get("ZBUS_CHROMIUM")
    found = named or next(filter(None, map(shutil.which, CHROMIUM_NAMES)), None)
    if found is None or not Path(found).exists():
        pytest.fail("no Chromium: apt install chromium (the Debian package), or name one in ZBUS_CHROMIUM")
    return found


def pixel(page: Any, x: float, y: float) -> tuple[int, int, int]:
    """The color on the canvas at a place of the picture."""
    return tuple(
        page.evaluate(
            """([x, y, width, height]) => {
                const canvas = document.getElementById("canvas");
                const at = [x / width * canvas.width, y / height * canvas.height].map(Math.round);
                return [...canvas.getContext("2d").getImageData(...at, 1, 1).data].slice(0, 3);
            }""",
            [x, y, WIDTH, HEIGHT],
        )
    )


def close(color: tuple[int, ...], wanted: tuple[int, ...], within: int = 14) -> bool:
    return all(abs(have - want) <= within for have, want in zip(color, wanted, strict=True))


def is_gray(color: tuple[int, int, int]) -> bool:
    return max(color) - min(color) <= 14


def color_of(page: Any, track_id: int) -> tuple[int, ...]:
    """What the page itself calls the color of a track."""
    script = """async (trackId) => {
        const { colorOf } = await import("/static/colors.js");
        const context = new OffscreenCanvas(1, 1).getContext("2d");
        context.fillStyle = colorOf(trackId);
        context.fillRect(0, 0, 1, 1);
        return [...context.getImageData(0, 0, 1, 1).data].slice(0, 3);
    }"""
    return tuple(page.evaluate(script, track_id))
