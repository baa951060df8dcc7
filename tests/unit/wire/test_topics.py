"""Topics: round trips, prefixes that tell cam1 from cam10, and nothing else accepted."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zbus.errors import WireError
from zbus.wire import Topic, decode_topic, is_source_name

KINDS = st.from_regex(r"[a-z]{1,16}", fullmatch=True)
RENDITIONS = st.from_regex(r"([a-z0-9]{1,16})?", fullmatch=True)
SOURCES = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", fullmatch=True)


@given(KINDS, SOURCES, RENDITIONS)
def test_a_topic_comes_back(kind, source, rendition):
    topic = Topic(kind, source, rendition)
    assert decode_topic(topic.encode()) == topic
    assert is_source_name(source)


@given(st.binary(max_size=300))
def test_other_bytes_are_refused_or_come_back(data):
    try:
        assert decode_topic(data).encode() == data
    except WireError as error:
        assert error.reason == "bad_topic"


def test_a_subscription_to_one_camera_is_no_prefix_of_another():
    assert not Topic("frame", "cam10").encode().startswith(Topic("frame", "cam1").encode())


def test_a_subscription_to_frames_does_not_match_renditions():
    assert not Topic("frame", "cam1", "jpeg").encode().startswith(b"frame/")


@pytest.mark.parametrize("name", ["", "-cam", ".", "a/b", "a b", "käfig", "cam1\n", "x" * 65])
def test_names_that_cannot_stand_in_a_topic(name):
    assert not is_source_name(name)
