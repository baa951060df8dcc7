"""From a message to its body, by kind."""

from __future__ import annotations

from collections.abc import Callable

from zbus.wire._envelope import Message
from zbus.wire._frame import Frame, decode_frame
from zbus.wire._notice import FrameNotice, decode_notice
from zbus.wire._overlay import OverlaySet, decode_overlay_set
from zbus.wire._state import Event, State, decode_event, decode_state
from zbus.wire._topics import BELL_RENDITION, EVENT, FRAME, OVERLAY, RING_RENDITION, STATE, TRACKS
from zbus.wire._tracks import TracksMessage, decode_tracks

AnyBody = Frame | FrameNotice | TracksMessage | OverlaySet | State | Event

_DECODERS: dict[str, Callable[[Message], AnyBody]] = {
    FRAME: decode_frame,
    TRACKS: decode_tracks,
    OVERLAY: decode_overlay_set,
    STATE: decode_state,
    EVENT: decode_event,
}


def decode_body(message: Message) -> AnyBody | None:
    """Read the body of a message; None for a kind that this version does not know. Raises WireError."""
    if message.topic.rendition in (RING_RENDITION, BELL_RENDITION) and message.topic.kind == FRAME:
        return decode_notice(message)
    decoder = _DECODERS.get(message.topic.kind)
    return decoder(message) if decoder else None
