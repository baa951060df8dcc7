from __future__ import annotations

import pytest

from zbus.config import HostPlan, RelayPlan


def test_a_host_is_reached_at_its_address_and_port() -> None:
    assert HostPlan("10.0.0.1").relay_endpoint == "tcp://10.0.0.1:5553"
    assert HostPlan("[fe80::1]", 6000).relay_endpoint == "tcp://[fe80::1]:6000"


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"address": "10.0.0.1:80"}, "address"),
        ({"address": "*"}, "address"),
        ({"address": ""}, "address"),
        ({"address": "a", "relay_port": 0}, "relay_port"),
        ({"address": "a", "directory": "here"}, "directory"),
        ({"address": "a", "publish": "tcp://a:70000"}, "publish"),
    ],
)
def test_a_host_of_another_form_is_refused_by_name(given: dict[str, object], named: str) -> None:
    with pytest.raises(ValueError, match=f"^{named} "):
        HostPlan(**given)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"topics": ("Frame/",)}, "topics"),
        ({"topics": ("frame/a/b/",)}, "topics"),
        ({"topics": ("",)}, "topics"),
        ({"frames_hz": -1.0}, "frames_hz"),
        ({"lifespan_ms": 0.0}, "lifespan_ms"),
    ],
)
def test_a_relay_of_another_form_is_refused_by_name(given: dict[str, object], named: str) -> None:
    with pytest.raises(ValueError, match=f"^{named} "):
        RelayPlan(**given)  # type: ignore[arg-type]


def test_topics_may_end_anywhere_in_a_topic() -> None:
    topics = ("frame.jpeg/", "tracks/t1/", "state", "event/cam")
    assert RelayPlan(topics=topics).topics == topics
