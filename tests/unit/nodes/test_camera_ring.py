from dataclasses import replace

import numpy as np
import pytest

from zbus.config import CameraPlan
from zbus.nodes._camera_ring import CameraRing, ring_plan
from zbus.transport import Publisher
from zbus.wire import FRAME, Topic

PLAN = CameraPlan("sim")


def test_a_plan_of_a_camera_is_one_of_its_ring():
    plan = ring_plan(replace(PLAN, ring_s=2.0, ring_max_bytes=5_000))
    assert plan is not None
    assert (plan.seconds, plan.max_bytes) == (2.0, 5_000)


@pytest.mark.parametrize("off", [{"ring_s": 0.0}, {"ring_max_bytes": 0}])
def test_0_is_none(off):
    assert ring_plan(replace(PLAN, **off)) is None


def test_a_buffer_lies_in_a_ring_for_the_cameras_rate():
    with Publisher("cam1", bind=["tcp://127.0.0.1:0"], ring=ring_plan(PLAN)) as publisher:
        ring = CameraRing("cam1", publisher, lambda: {"AcquisitionFrameRate": 25.0})
        assert ring.details() == {"why": "no picture yet"}
        buffer = ring.make_buffer((10, 10, 3), np.uint8)
        outlet = publisher.ring_of(Topic(FRAME, "cam1"))
        assert outlet is not None
        assert outlet.owns(buffer.data)
        assert ring.details() == {"name": outlet.name, "slots": 25}
        assert ring.trouble == ""


def test_a_rate_that_nobody_knows():
    with Publisher("cam1", bind=["tcp://127.0.0.1:0"], ring=ring_plan(PLAN)) as publisher:
        ring = CameraRing("cam1", publisher, dict)
        assert ring.make_buffer((10, 10), np.uint8) is not None
        assert ring.details()["slots"] == 100


def test_without_a_ring_there_are_no_buffers():
    with Publisher("cam1", bind=["tcp://127.0.0.1:0"]) as publisher:
        ring = CameraRing("cam1", publisher, dict)
        assert ring.make_buffer((10, 10), np.uint8) is None
        assert (ring.details(), ring.trouble) == ({"why": "ring_s is 0"}, "")


def test_trouble_is_told(monkeypatch):
    monkeypatch.setattr("zbus.transport._ring_outlet.free_bytes", lambda: 0)
    with Publisher("cam1", bind=["tcp://127.0.0.1:0"], ring=ring_plan(PLAN)) as publisher:
        ring = CameraRing("cam1", publisher, dict)
        assert ring.make_buffer((10, 10), np.uint8) is None
        assert "no room for 4 pictures" in ring.trouble
