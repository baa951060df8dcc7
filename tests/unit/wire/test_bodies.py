"""From a message to its body: every kind has a reader, and unknown kinds have none."""

import pytest

from zbus.testing import load_vectors
from zbus.wire import KINDS, Frame, OverlaySet, State, Topic, TracksMessage, decode_body, decode_message
from zbus.wire import Event as WireEvent

BODIES = {"frame": Frame, "tracks": TracksMessage, "overlay": OverlaySet, "state": State, "event": WireEvent}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_its_body(kind):
    good = next(vector for vector in load_vectors(kind) if not vector.refuse)
    body = decode_body(decode_message(good.parts))
    assert isinstance(body, BODIES[kind])
    assert body.kind == kind


def test_a_kind_from_the_future_has_none():
    good = next(vector for vector in load_vectors("event") if not vector.refuse)
    assert decode_body(decode_message([Topic("pose", "a").encode(), *good.parts[1:]])) is None
