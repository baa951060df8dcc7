"""The live page in a real Chromium, on a real bus: what a person sees, read back from the canvas."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from page_browser import CHROMIUM_ARGS, close, color_of, find_chromium, is_gray, pixel
from page_rig import (
    ANIMAL,
    BOX,
    DEADLINE_S,
    EVIL,
    GROUND,
    HEIGHT,
    NEST,
    PERIOD_S,
    STEP_PX,
    WIDTH,
    Gateway,
    Rig,
)

from zbus.config import BrokerPlan
from zbus.transport import Reactor
from zbus.wire import Event
from zbus_brokers import run_broker

pytestmark = pytest.mark.browser


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


@pytest.fixture
def page(browser: Any, gateway: Gateway, rig: Rig) -> Iterator[Any]:
    """The page, showing cam1; at the end it must have met neither errors nor refusals."""
    rig.track_state, rig.is_moving, rig.tracks_late_frames = "confirmed", False, 0
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


def eventually(page: Any, happens: Callable[[], bool]) -> None:
    deadline_s = time.monotonic() + DEADLINE_S
    while not happens():
        assert time.monotonic() < deadline_s, f"{page.inner_text('body')}\n{page.errors}"
        page.wait_for_timeout(20)


def number(page: Any, name: str) -> float:
    """What the strip tells; NaN, which is neither more nor less than anything, where it tells nothing."""
    told = page.inner_text(f"#number-{name}")
    return float(told) if told.isdecimal() else math.nan


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


def box_offsets_px(page: Any) -> list[float]:
    """How far the box is from the animal on the next 30 pictures."""
    script = """async ([y, samples]) => {
        const canvas = document.getElementById("canvas");
        const context = canvas.getContext("2d");
        const middle = (columns) => columns.length && (columns[0] + columns.at(-1)) / 2;
        const seen = new Map();
        while (seen.size < samples) {
            await new Promise(requestAnimationFrame);
            const { data } = context.getImageData(0, Math.round(y * canvas.height), canvas.width, 1);
            const animal = [], edges = [];
            for (let x = 0; x < canvas.width; x += 1) {
                const [red, green, blue] = data.slice(4 * x, 4 * x + 3);
                if (Math.max(red, green, blue) - Math.min(red, green, blue) > 60) edges.push(x);
                else if (red > 180) animal.push(x);
            }
            seen.set(middle(animal), middle(edges) - middle(animal));
        }
        return [[...seen.values()], canvas.width];
    }"""
    offsets, width = page.evaluate(script, [(BOX[1] + 25) / HEIGHT, 30])
    return [abs(offset) * WIDTH / width for offset in offsets]


def test_boxes_sit_on_animals_that_move_fast(page: Any, rig: Rig) -> None:
    rig.is_moving = True
    page.keyboard.press("t")
    offsets_px = box_offsets_px(page)
    # Every frame's tracks come after its picture: without waiting for them each box would be a step behind.
    assert sum(offset_px < STEP_PX / 4 for offset_px in offsets_px) >= 0.7 * len(offsets_px), offsets_px


@pytest.mark.parametrize("late_s", [0.5, 2.5])
def test_late_tracks_are_drawn_dim_until_they_are_in_time_again(page: Any, rig: Rig, late_s: float) -> None:
    left, top, _, bottom = BOX
    bright = color_of(page, 3)

    def edge() -> tuple[int, int, int]:
        return pixel(page, left, (top + bottom) / 2)

    def is_dim() -> bool:
        return not is_gray(edge()) and max(edge()) < 0.85 * max(bright)

    eventually(page, lambda: close(edge(), bright, 40))
    rig.tracks_late_frames = round(late_s / PERIOD_S)
    eventually(page, is_dim)
    eventually(page, lambda: number(page, "late") >= 900 * late_s)
    for _ in range(20):
        page.wait_for_timeout(50)
        assert is_dim(), edge()
    assert number(page, "pictures") >= 10

    rig.tracks_late_frames = 0
    eventually(page, lambda: close(edge(), bright, 40))
    eventually(page, lambda: number(page, "late") < 500)
    rig.is_moving = True
    page.keyboard.press("t")
    offsets_px = box_offsets_px(page)
    assert sum(offset_px < STEP_PX / 4 for offset_px in offsets_px) >= 0.7 * len(offsets_px), offsets_px


def test_a_picture_does_not_wait_long_for_its_tracks(page: Any) -> None:
    script = """async () => {
        const { Tracks } = await import("/static/tracks.js");
        const { Pairing } = await import("/static/pairing.js");
        const tracks = new Tracks(), pairing = new Pairing(tracks);
        const columns = { track_ids: [], centroids_px: [], boxes_xyxy_px: [], scores: [], states: [] };
        const track = (frame_number, now) => tracks.add({ ...columns, source: "t", frame_number }, now);
        const shoot = (frame_number, now) => pairing.add({ header: { frame_number } }, now);
        const shown = (now) => pairing.take(now).show?.header.frame_number ?? null;
        const seen = [];
        shoot(1, 0); seen.push(shown(0));                  // nobody tracks: at once
        track(1, 10); shoot(2, 40); seen.push(shown(40));  // waits for its tracks
        track(2, 50); seen.push(shown(50));                // and is shown with them
        shoot(3, 80); shoot(4, 120); seen.push(shown(121));
        shoot(5, 160); seen.push(shown(161));              // two newer ones: shown without
        seen.push(shown(400));                             // and so is what waited for too long
        shoot(6, 5000); seen.push(shown(5000));            // the tracker fell silent
        return seen;
    }"""
    assert page.evaluate(script) == [1, None, 2, None, 3, 5, 6]


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


def test_a_node_that_is_not_locked_is_told_on_top_of_the_page(page: Any, rig: Rig) -> None:
    eventually(page, lambda: page.locator(".node").count() >= 4)
    assert page.is_hidden("#insecure")
    rig.insecure = {"tracker1"}
    eventually(page, lambda: page.is_visible("#insecure"))
    told = page.inner_text("#insecure")
    assert "tracker1" in told
    assert "zbus keys new" in told
    rig.insecure = set()
    eventually(page, lambda: page.is_hidden("#insecure"))


def test_what_the_trackers_of_this_camera_missed_is_counted_in_plain_words(page: Any, rig: Rig) -> None:
    def told() -> str:
        return page.get_attribute(".number:has(#number-gaps)", "title")

    def lost_here() -> int:
        # A busy machine may lose some of the gateway's own, which counts as well.
        return int(told().split()[0])

    eventually(page, lambda: "0 were lost on their way to this camera's trackers" in told())
    rig.counters = {
        "tracker1": {"lost": 12, "gaps": 3, "frames_skipped": 30},
        "tracker2": {"lost": 500, "gaps": 500, "frames_skipped": 500},
        "cam1": {"lost": 500},
    }
    eventually(page, lambda: number(page, "gaps") == lost_here() + 12 + 30)
    assert "12 were lost on their way to this camera's trackers" in told()
    assert "30 pictures were skipped by these trackers" in told()
    rig.counters = {}
    eventually(page, lambda: number(page, "gaps") == lost_here())


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
