from __future__ import annotations

import json
import math
import time
from dataclasses import replace

from zbus.gateways._forms import (
    age_ms,
    camera_form,
    event_form,
    node_form,
    overlay_form,
    picture_form,
    plain,
    tracks_form,
)
from zbus.gateways._nodes import Node

from .messages import UTC_NS, event, overlay, picture, state, tracks

UTC_US = UTC_NS // 1_000


def test_a_node_has_its_state_and_no_nanoseconds() -> None:
    heard = state(
        "cam1", counters={"frames": 3}, settings={"Gain": 1.5}, details={"started_ns": UTC_NS, "width": 640}
    )
    form = node_form(Node("cam1", heard.body, 0))
    assert form["since_us"] == UTC_US
    assert form["details"] == {"started_us": UTC_US, "width": 640}
    assert form["counters"] == {"frames": 3}
    assert "_ns" not in json.dumps(form)


def test_a_camera_tells_its_size_where_it_knows_it() -> None:
    form = camera_form(Node("cam1", state("cam1", details={"width": 640, "height": 480}).body, 0))
    assert (form["camera"], form["state"], form["width"], form["height"]) == ("cam1", "running", 640, 480)
    assert camera_form(Node("cam1", state("cam1").body, 0))["width"] is None


def test_tracks_stay_columns() -> None:
    heard = tracks("cam1", 9)
    form = tracks_form(heard, heard.body, is_here=True)
    assert form["source"] == "tracker1"
    assert (form["frame_number"], form["captured_us"]) == (9, UTC_US)
    assert form["centroids_px"] == [[10.0, 20.13], [30.5, 40.0]]
    assert form["states"] == ["confirmed", "lost"]
    assert json.loads(json.dumps(form)) == form


def test_an_overlay_tells_what_is_left_of_it() -> None:
    heard = overlay("cam1", lifetime_s=1.0)
    (shape,) = overlay_form(heard.body, waited_s=0.25)["shapes"]
    assert shape["lifetime_s"] == 0.75
    assert shape["DRAW_BOX"] == {"TOP_LEFT": [1, 2], "BOTTOM_RIGHT": [3, 4]}
    assert overlay_form(heard.body, waited_s=1.0)["shapes"] == []


def test_an_event_has_its_sender_and_time() -> None:
    heard = event("cam1", "camera_lost", cause="unplugged", at_ns=UTC_NS)
    form = event_form(heard, heard.body)
    assert (form["node"], form["event"], form["published_us"]) == ("cam1", "camera_lost", UTC_US)
    assert form["fields"] == {"cause": "unplugged", "at_us": UTC_US}


def test_the_age_is_by_the_monotonic_clock_only_on_the_same_host() -> None:
    frame = replace(
        picture("cam1").body, mono_ns=time.monotonic_ns() - 5_000_000, captured_ns=time.time_ns() - 9 * 10**9
    )
    assert 5 <= age_ms(frame, is_here=True) < 5_000
    assert age_ms(frame, is_here=False) >= 9_000
    assert picture_form(frame, is_here=True)["age_ms"] < 5_000


def test_a_monotonic_clock_that_cannot_be_ours_is_not_believed() -> None:
    frame = replace(
        picture("cam1").body, mono_ns=time.monotonic_ns() + 10**12, captured_ns=time.time_ns() - 10**9
    )
    assert age_ms(frame, is_here=True) >= 1_000


def test_everything_fits_into_json() -> None:
    value = {"a": (1, math.nan), "b": b"\x01\xff", "c": {"t_ns": True, "u_ns": 1_500}, "d": None}
    assert plain(value) == {"a": [1, None], "b": "01ff", "c": {"t_ns": True, "u_us": 1}, "d": None}
