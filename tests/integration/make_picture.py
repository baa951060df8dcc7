"""Makes the README's picture of the page: python tests/integration/make_picture.py zbus/gateways/page.png"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from page_browser import CHROMIUM_ARGS, find_chromium
from playwright.sync_api import sync_playwright

from zbus.transport import Pusher

DRAWINGS = [
    {"DRAW_BOX": {"TOP_LEFT": [40, 40], "BOTTOM_RIGHT": [180, 120]}, "label": "nest", "lifetime_s": 60},
    {
        "DRAW_CIRCLE": {"CENTER": [480, 320], "RADIUS": 60},
        "label": "food",
        "color": [80, 200, 255],
        "lifetime_s": 60,
    },
]


def main(target: Path) -> None:
    demo = subprocess.Popen(
        [sys.executable, "-m", "zbus", "demo", "--ports", "auto", "--json", "--no-browser"],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert demo.stdout is not None
        endpoints = json.loads(demo.stdout.readline())["endpoints"]
        with Pusher(endpoints["overlay"]) as pusher:
            pusher.send(json.dumps(DRAWINGS).encode(), timeout_s=5.0)
        take_picture(endpoints["http"], target)
    finally:
        demo.terminate()
        demo.wait(20)


def take_picture(page_address: str, target: Path) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=CHROMIUM_ARGS)
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        page.goto(page_address)
        page.wait_for_timeout(6_000)  # for trails to grow
        page.screenshot(path=str(target))
        browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
