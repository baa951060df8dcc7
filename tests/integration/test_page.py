"""The live page in a real Chromium, on a real bus: what a person sees, read back from the canvas."""

from __future__ import annotations

import shutil
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from zbus.config import BrokerPlan
from zbus.gateways import GatewaySettings, run_gateway
from zbus.transport import FRAMES_OUT, Publisher, Reactor
from zbus.wire import (
    EVENT,
    FRAME,
    JPEG,
    JPEG_RENDITION,
    OVERLAY,
    STATE,
    TRACKS,
    Event,
    Frame,
    OverlaySet,
    State,
    Topic,
    Tracks,
    TracksMessage,
    parse_overlay,
)
from zbus_brokers import run_broker

pytestmark = pytest.mark.browser

DEADLINE_S = 20.0
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
WIDTH, HEIGHT = 320, 240
GROUND, ANIMAL = 60, 230
BOX = (200, 60, 240, 100)
NEST = (20, 140, 90, 210)
EVIL = "<img src=x onerror=document.title='hacked'>"


class Rig(threading.Thread):
    """Two cameras and a tracker in one thread. `track_state`, `overlay` and `late` may change as it runs."""

    def __init__(self, publish: str) -> None:
        super().__init__()
        self._publish = publish
        self.done = threading.Event()
        self.track_state = "confirmed"
        self.overlay: list[dict[str, Any]] = []
        self.events: list[Event] = []

    def run(self) -> None:
        with (
            Publisher("cam1", link=FRAMES_OUT, connect=[self._publish]) as frames,
            Publisher("cam1", connect=[self._publish]) as cam1,
            Publisher("cam2", connect=[self._publish]) as cam2,
            Publisher("tracker1", connect=[self._publish]) as tracker1,
        ):
            number = 0
            while not self.done.wait(0.033):
                number += 1
                self._tell(cam1, cam2, tracker1)
                self._send(frames, tracker1, number)
                overlays = OverlaySet("cam1", tuple(parse_overlay(form) for form in self.overlay))
                self.overlay = []
                if overlays.shapes:
                    tracker1.send(Topic(OVERLAY, "cam1"), overlays)

    def _tell(self, cam1: Publisher, cam2: Publisher, tracker1: Publisher) -> None:
        for publisher, role, cause in (
            (cam1, "camera", ""),
            (cam2, "camera", EVIL),
            (tracker1, "tracker", ""),
        ):
            state = State(role, "degraded" if cause else "running", 1, socket.gethostname(), 7, cause)
            publisher.send(Topic(STATE, publisher.node), state)
        while self.events:
            cam1.send(Topic(EVENT, "cam1"), self.events.pop())

    def _send(self, frames: Publisher, tracker1: Publisher, number: int) -> None:
        topic, (left, top, right, bottom) = Topic(FRAME, "cam1", JPEG_RENDITION), BOX
        times = (time.time_ns(), time.monotonic_ns())
        if frames.wants_rendition(topic):
            picture = np.full((HEIGHT, WIDTH), GROUND, np.uint8)
            picture[top + 10 : bottom - 10, left + 10 : right - 10] = ANIMAL
            data = cv2.imencode(".jpg", picture)[1].tobytes()
            frames.send(topic, Frame("cam1", number, *times, WIDTH, HEIGHT, "mono8", data, codec=JPEG))
        rows = Tracks(
            track_ids=np.array([3]),
            centroids_px=np.array([[(left + right) / 2, (top + bottom) / 2]]),
            boxes_xyxy_px=np.array([BOX], np.float64),
            scores=np.array([1.0]),
            class_ids=np.array([0]),
            states=(self.track_state,),
        )
        tracker1.send(Topic(TRACKS, "tracker1"), TracksMessage("cam1", number, *times, rows))


class Gateway:
    """A gateway that can be stopped and started again at the same address."""

    def __init__(self, endpoints: Mapping[str, str]) -> None:
        self._endpoints, self.url = endpoints, "http://127.0.0.1:0"
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        self._stop, ready = threading.Event(), threading.Event()
        bind = self.url.removeprefix("http://")
        endpoints = self._endpoints["directory"], self._endpoints["subscribe"]
        settings = GatewaySettings(bind, *endpoints, title="Arena 2")

        def on_ready(url: str) -> None:
            self.url = url
            ready.set()

        def run(stop: threading.Event) -> None:
            run_gateway(settings, on_ready=on_ready, stop=stop)

        self._thread = threading.Thread(target=run, args=(self._stop,))
        self._thread.start()
        assert ready.wait(DEADLINE_S)

    def stop(self) -> None:
        if self._thread is not None:
            self._stop.set()
            self._thread.join(DEADLINE_S)
            self._thread = None


@pytest.fixture(scope="module")
def endpoints() -> Iterator[Mapping[str, str]]:
    taken: dict[str, str] = {}
    ready = threading.Event()
    plan = BrokerPlan(*["tcp://127.0.0.1:0"] * 3)

    def on_ready(endpoints: Mapping[str, str]) -> None:
        taken.update(endpoints)
        ready.set()

    with Reactor() as reactor:
        thread = threading.Thread(target=run_broker, args=(plan, reactor, on_ready))
        thread.start()
        assert ready.wait(DEADLINE_S)
        yield taken
        reactor.stop()
        thread.join(DEADLINE_S)


@pytest.fixture(scope="module")
def rig(endpoints: Mapping[str, str]) -> Iterator[Rig]:
    thread = Rig(endpoints["publish"])
    thread.start()
    yield thread
    thread.done.set()
    thread.join(DEADLINE_S)


@pytest.fixture(scope="module")
def gateway(endpoints: Mapping[str, str], rig: Rig) -> Iterator[Gateway]:
    gateway = Gateway(endpoints)
    gateway.start()
    yield gateway
    gateway.stop()


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    try:
        from playwright.sync_api import sync_playwright
    except ModuleNotFoundError:
        pytest.fail("playwright is missing: pip install 'zbus-rig[test]'")
    with sync_playwright() as playwright:
        context = playwright.chromium.launch_persistent_context(
            tmp_path_factory.mktemp("profile"),
            executable_path=find_chromium(),
            args=CHROMIUM_ARGS,
            viewport={"width": 1200, "height": 760},
            device_scale_factor=2,
        )
        yield context
        context.close()


def find_chromium() -> str:
    import os

    named = os.environ.get("ZBUS_CHROMIUM")
    found = named or next(filter(None, map(shutil.which, CHROMIUM_NAMES)), None)
    if found is None or not Path(found).exists():
        pytest.fail("no Chromium: apt install chromium (the Debian package), or name one in ZBUS_CHROMIUM")
    return found


@pytest.fixture
def page(browser: Any, gateway: Gateway, rig: Rig) -> Iterator[Any]:
    """The page, showing cam1; at the end it must have met neither errors nor refusals."""
    rig.track_state = "confirmed"
    page = browser.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda told: errors.append(told.text) if told.type == "error" else None)
    page.errors = errors
    page.goto(gateway.url)
    eventually(page, lambda: close(pixel(page, 5, 5), (GROUND,) * 3))
    yield page
    page.close()
    assert [text for text in errors if "ERR_CONNECTION_REFUSED" not in text] == []


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


def eventually(page: Any, happens: Callable[[], bool]) -> None:
    deadline_s = time.monotonic() + DEADLINE_S
    while not happens():
        assert time.monotonic() < deadline_s, f"{page.inner_text('body')}\n{page.errors}"
        page.wait_for_timeout(20)


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


def test_picture_box_and_id_are_where_they_belong(page: Any) -> None:
    left, top, right, bottom = BOX
    color = color_of(page, 3)
    eventually(page, lambda: close(pixel(page, left, (top + bottom) / 2), color, 40))
    for x, y in ((right, top + 20), (left + 20, top), (left + 20, bottom)):
        assert close(pixel(page, x, y), color, 40), (x, y)
    assert close(pixel(page, left + 14, bottom - 14), (ANIMAL,) * 3)
    assert close(pixel(page, left + 5, bottom - 5), (GROUND,) * 3)
    # The id's plate stands above the box; its corner is plain color.
    assert close(pixel(page, left + 1.5, top - 3), color, 40)


def test_the_canvas_has_the_screens_pixels_and_the_pictures_proportions(page: Any) -> None:
    size = page.evaluate("[canvas.width, canvas.height, canvas.clientWidth, stage.clientHeight]")
    width, height, shown_width, stage_height = size
    assert width / height == pytest.approx(WIDTH / HEIGHT, rel=0.01)
    assert width == pytest.approx(2 * shown_width, abs=2)
    assert height == pytest.approx(2 * stage_height, abs=2)
    page.set_viewport_size({"width": 700, "height": 900})
    eventually(page, lambda: page.evaluate("canvas.width") != width)
    page.set_viewport_size({"width": 1200, "height": 760})


def test_a_lost_track_is_dashed_and_dim(page: Any, rig: Rig) -> None:
    left, top, _, bottom = BOX
    rows = [top + 2 + step / 4 for step in range((bottom - top - 4) * 4)]
    rig.track_state = "lost"
    eventually(page, lambda: sum(is_gray(pixel(page, left, y)) for y in rows[::4]) > 3)
    assert any(not is_gray(pixel(page, left, y)) for y in rows[::4])


def test_keys_take_things_from_the_picture_and_bring_them_back(page: Any) -> None:
    left, top, _, _ = BOX
    eventually(page, lambda: not is_gray(pixel(page, left, top + 30)))
    page.keyboard.press("b")
    eventually(page, lambda: is_gray(pixel(page, left, top + 30)))
    assert page.get_attribute("#toggle-boxes", "aria-pressed") == "false"
    assert not is_gray(pixel(page, left + 1.5, top - 3))
    page.keyboard.press("i")
    eventually(page, lambda: is_gray(pixel(page, left + 1.5, top - 3)))
    page.click("#toggle-boxes")
    eventually(page, lambda: not is_gray(pixel(page, left, top + 30)))


def test_an_overlay_comes_and_expires(page: Any, rig: Rig) -> None:
    left, top, right, bottom = NEST
    form = {"TOP_LEFT": [left, top], "BOTTOM_RIGHT": [right, bottom]}
    rig.overlay = [{"DRAW_BOX": form, "label": "nest", "color": [255, 200, 0], "lifetime_s": 1.5}]
    eventually(page, lambda: close(pixel(page, right, top + 30), (255, 200, 0), 60))
    assert is_gray(pixel(page, right - 8, top + 30))
    eventually(page, lambda: is_gray(pixel(page, right, top + 30)))


@pytest.mark.parametrize(
    ("form", "at"),
    [
        ({"DRAW_CIRCLE": {"CENTER": [60, 60], "RADIUS": 30}}, (90, 60)),
        ({"DRAW_LINE": {"FROM": [20, 200], "TO": [120, 200]}}, (70, 200)),
        ({"DRAW_POLYGON": {"POINTS": [[20, 20], [120, 20], [70, 90]]}}, (70, 20)),
    ],
)
def test_every_shape_is_drawn(page: Any, rig: Rig, form: dict[str, Any], at: tuple[int, int]) -> None:
    rig.overlay = [{**form, "color": [0, 255, 0], "lifetime_s": 0.6}]
    eventually(page, lambda: close(pixel(page, *at), (0, 255, 0), 60))
    eventually(page, lambda: is_gray(pixel(page, *at)))


def test_text_is_drawn(page: Any, rig: Rig) -> None:
    def found() -> bool:
        return any(pixel(page, x, 196)[1] > 200 for x in range(20, 60))

    rig.overlay = [
        {"DRAW_TEXT": {"AT": [20, 200], "TEXT": "HHHHHH"}, "color": [0, 255, 0], "lifetime_s": 0.8}
    ]
    eventually(page, found)


def test_nodes_cameras_and_figures_are_told_in_words(page: Any) -> None:
    eventually(page, lambda: page.locator(".node").count() >= 4)
    told = page.inner_text("#nodes")
    for words in ("cam1", "tracker1", "directory", "broker", "running", "degraded"):
        assert words in told
    assert page.inner_text("#title") == "Arena 2"
    assert page.locator('[role="tab"]').all_inner_texts()[0].strip() == "cam1"
    for name in ("pictures", "tracks"):
        eventually(page, lambda name=name: float(page.inner_text(f"#number-{name}")) >= 10)
    eventually(page, lambda: page.inner_text("#number-delay").isdecimal())
    assert int(page.inner_text("#number-delay")) < 5_000


def test_a_name_is_text_whatever_it_says(page: Any, rig: Rig) -> None:
    rig.events.append(Event("camera_lost", {"cause": EVIL}))
    rig.events.append(Event("truth", {"frame_number": 1}))
    eventually(page, lambda: EVIL[:30] in page.inner_text("#events"))
    eventually(page, lambda: EVIL in page.inner_text("#nodes"))
    assert page.locator("main img").count() == 0
    assert "hacked" not in page.title()
    assert "truth" not in page.inner_text("#events")


def test_another_camera_can_be_chosen_by_keyboard(page: Any) -> None:
    page.focus('[role="tab"][aria-selected="true"]')
    page.keyboard.press("ArrowRight")
    eventually(page, lambda: "no picture yet" in page.inner_text("#stage"))
    assert page.url.endswith("#cam2")
    page.keyboard.press("ArrowLeft")
    eventually(page, lambda: close(pixel(page, 5, 5), (GROUND,) * 3))


def test_the_page_comes_back_when_the_gateway_does(page: Any, gateway: Gateway) -> None:
    gateway.stop()
    eventually(page, lambda: "trying again" in page.inner_text("#banner"))
    eventually(page, lambda: "no new picture" in page.inner_text("#stage"))
    gateway.start()
    eventually(page, lambda: page.get_attribute("#link", "data-link") == "live")
    eventually(page, lambda: page.locator("#banner").is_hidden() and page.locator("#stale").is_hidden())
    eventually(page, lambda: float(page.inner_text("#number-pictures")) >= 10)
