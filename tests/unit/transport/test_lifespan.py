import time

import pytest

from zbus.transport._lifespan import Lifespan
from zbus.wire import Message, Origin, Topic

S = 1_000_000_000


def frame(age_s: float, kind: str = "frame", apart_s: float = 0.0, **header) -> Message:
    """A frame that was captured `age_s` ago, by clocks that are `apart_s` from this host's."""
    mono_ns = time.monotonic_ns() - round(age_s * S)
    utc_ns = time.time_ns() - round(age_s * S) + round(apart_s * S)
    keys = {"mono_ns": mono_ns, "captured_ns": utc_ns, "clock": "host", "published_ns": utc_ns}
    return Message(Topic(kind, "cam1"), Origin("n", "s", 0, 0), keys | header)


@pytest.mark.parametrize(("age_s", "over"), [(0.0, False), (0.4, False), (0.6, True), (3600.0, True)])
def test_a_frame_of_this_host_is_over_after_its_lifespan(age_s, over):
    assert Lifespan(0.5, is_local=True).is_over(frame(age_s)) is over


def test_0_keeps_everything():
    assert not Lifespan(0, is_local=True).is_over(frame(3600))


def test_only_frames_grow_old():
    assert not Lifespan(0.5, is_local=True).is_over(frame(3600, "tracks"))


@pytest.mark.parametrize("apart_s", [-5000.0, 1.5, 1e9])
def test_another_hosts_clock_says_nothing(apart_s):
    """A tunnel ends at an address of this machine; a replay has the times of its recording."""
    assert not Lifespan(0.5, is_local=True).is_over(frame(3600, apart_s=apart_s))


def test_from_far_only_the_relays_clock_counts():
    lifespan = Lifespan(0.5, is_local=False)
    assert not lifespan.is_over(frame(3600))
    assert lifespan.is_over(frame(0, relayed_mono_ns=time.monotonic_ns() - S))
    assert not lifespan.is_over(frame(3600, relayed_mono_ns=time.monotonic_ns()))


def test_a_cameras_own_clock_is_not_compared():
    old = frame(3600, clock="device", captured_ns=5)
    assert Lifespan(0.5, is_local=True).is_over(old)


def test_nonsense_is_not_old():
    nonsense = Message(Topic("frame", "cam1"), Origin("n", "s", 0, 0), {"mono_ns": "x"})
    assert not Lifespan(0.5, is_local=True).is_over(nonsense)
