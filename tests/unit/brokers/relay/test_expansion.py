from __future__ import annotations

import pytest

from zbus.wire import RELAY_TOPICS_MAX
from zbus_brokers.relay._expansion import expand, may_cross, read_topic

TOPICS = ["frame/a/", "frame/ab/", "frame.jpeg/a/", "tracks/t/", "state/a/"]


@pytest.mark.parametrize(
    ("prefixes", "wanted"),
    [
        ([], []),
        ([b"frame/a/"], ["frame/a/"]),
        ([b"frame/"], ["frame/a/", "frame/ab/"]),
        ([b"frame"], ["frame/a/", "frame/ab/"]),
        ([b""], ["frame/a/", "frame/ab/", "state/a/", "tracks/t/"]),
        ([b"frame.jpeg/"], ["frame.jpeg/a/"]),
        ([b"frame.jpeg"], []),
        ([b"frame.ring/a/"], ["frame/a/"]),
        ([b"frame.bell/a/"], ["frame/a/"]),
        ([b"frame.jpeg/a/", b"st", b"state/"], ["frame.jpeg/a/", "state/a/"]),
        ([b"frame/a/\xff", b"x/"], []),
    ],
)
def test_subscriptions_become_exact_topics_and_renditions_need_their_name(
    prefixes: list[bytes], wanted: list[str]
) -> None:
    assert expand(prefixes, TOPICS) == wanted


def test_so_many_are_asked_for_at_most() -> None:
    assert len(expand([b""], [f"state/n{number}/" for number in range(2_000)])) == RELAY_TOPICS_MAX


@pytest.mark.parametrize(
    ("topic", "crosses"),
    [
        ("frame/a/", True),
        ("frame.jpeg/a/", False),
        ("frame.ring/a/", False),
        ("frame.bell/a/", False),
        ("state/directory/", False),
        ("event/supervisor/", False),
        ("state/supervisor.left/", True),
        ("tracks/t/", False),
        ("state/a", False),
        ("state/ä/", False),
    ],
)
def test_only_what_is_allowed_crosses_and_nothing_of_a_host_alone(topic: str, crosses: bool) -> None:
    assert may_cross(topic, ["frame/", "frame.ring/", "frame.bell/", "state/", "event"]) == crosses


def test_what_is_no_topic_is_none() -> None:
    assert read_topic("state/a/") is not None
    assert read_topic("state/a/b/") is None
