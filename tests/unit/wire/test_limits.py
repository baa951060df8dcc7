"""Limits: bounds that must hold among themselves."""

from zbus.wire import KINDS
from zbus.wire import _limits as limits


def test_every_kind_has_a_limit():
    assert set(limits.HEADER_MAX_BYTES) == {*KINDS, "control", "reply"}


def test_the_longest_source_fits_a_topic():
    assert 16 + 1 + 16 + 1 + limits.SOURCE_MAX_CHARS + 1 <= limits.TOPIC_MAX_BYTES


def test_the_largest_picture_of_one_byte_fits_a_frame():
    assert limits.SIDE_MAX_PX**2 <= limits.FRAME_MAX_BYTES


def test_the_default_lifetime_is_a_lifetime():
    assert 0 < limits.LIFETIME_DEFAULT_S <= limits.LIFETIME_MAX_S
