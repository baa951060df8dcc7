from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zbus.config import (
    BrokerPlan,
    CameraPlan,
    EdgePlan,
    GatewayPlan,
    OverlayPlan,
    Rig,
    TrackerPlan,
    load_rig,
    write_rig,
)

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
PLAIN = (
    TEXT
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.dates()
    | st.datetimes()
    | st.times()
)
SETTINGS = st.dictionaries(
    TEXT,
    st.recursive(PLAIN, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3)),
)
NODE_IDS = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,20}", fullmatch=True).filter(
    lambda name: name not in ("directory", "gateway", "overlay", "supervisor")
)


@st.composite
def rigs(draw: Any) -> Rig:
    names = draw(st.lists(NODE_IDS, unique=True, max_size=4))
    cameras = {
        name: CameraPlan(draw(TEXT), draw(SETTINGS), draw(st.floats(0.1, 1000)), draw(st.integers(1, 100)))
        for name in names[:2]
    }
    trackers = {name: TrackerPlan(names[0], draw(TEXT), draw(SETTINGS)) for name in names[2:]}
    return Rig(
        name=draw(NODE_IDS),
        broker=BrokerPlan(insecure=draw(st.booleans())),
        cameras=cameras,
        trackers=trackers,
        overlay=draw(st.none() | st.builds(OverlayPlan, insecure=st.booleans())),
        gateway=draw(st.none() | st.just(GatewayPlan("127.0.0.1:8085"))),
        edge=draw(st.none() | st.builds(EdgePlan, st.just("tcp://*:5560"), st.booleans())),
        keys=draw(st.sampled_from(["", "/etc/zbus keys"])),
    )


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("rigs") / "rig.toml"


@given(rig=rigs())
def test_what_is_written_is_read_back(path: Path, rig: Rig) -> None:
    path.write_text(write_rig(rig), encoding="utf-8", newline="")
    assert load_rig(path) == rig


def test_a_setting_of_none_is_left_to_its_default() -> None:
    rig = Rig(cameras={"a": CameraPlan("sim", {"gain": None, "fps": 1.0})})
    assert tomllib.loads(write_rig(rig))["cameras"]["a"]["settings"] == {"fps": 1.0}


def test_the_text_is_one_that_a_person_would_write() -> None:
    rig = Rig("lab", cameras={"cam1": CameraPlan("sim", {"animals": 5, "pace": "fast"})})
    text = write_rig(rig)
    assert '[rig]\nname = "lab"\n' in text
    assert '[cameras.cam1.settings]\nanimals = 5\npace = "fast"\n' in text
