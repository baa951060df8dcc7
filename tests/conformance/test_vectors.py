"""Every vector is read, or refused for its reason; the vectors cover the registry, and can be made again."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from zbus.errors import UnknownName, WireError
from zbus.testing import VECTOR_KINDS, load_vectors
from zbus.wire import (
    CODECS,
    KINDS,
    NODE_STATES,
    PIXEL_FORMATS,
    TRACK_STATES,
    VERBS,
    Frame,
    FrameNotice,
    OverlaySet,
    TracksMessage,
    decode_beacon,
    decode_body,
    decode_message,
    decode_overlays,
    decode_relay,
    decode_reply,
    decode_request,
    decode_ring_header,
)

VECTORS = load_vectors()
DATA_KINDS = ("frame", "tracks", "overlay", "state", "event")


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: f"{vector.kind}: {vector.name}")
def test_the_vector_is_read_as_it_says(vector):
    if vector.refuse:
        with pytest.raises(WireError) as caught:
            READERS[vector.kind](vector.parts)
        assert caught.value.reason == vector.refuse
    else:
        assert READERS[vector.kind](vector.parts) == vector.expect


def test_every_reason_has_a_vector(wire_reasons):
    assert {vector.refuse for vector in VECTORS if vector.refuse} == wire_reasons - {"not_raw"}


def test_what_is_not_raw_has_no_pixels():
    parts = next(vector.parts for vector in VECTORS if vector.name == "jpeg")
    frame = decode_body(decode_message(parts))
    assert isinstance(frame, Frame)
    with pytest.raises(WireError, match="not_raw"):
        _ = frame.image


@pytest.mark.parametrize("kind", VECTOR_KINDS)
def test_every_kind_has_good_and_bad_vectors(kind):
    vectors = load_vectors(kind)
    assert any(vector.refuse for vector in vectors)
    assert any(vector.expect for vector in vectors)


def test_every_name_of_the_registry_has_a_vector():
    assert set(KINDS) == set(DATA_KINDS) <= set(VECTOR_KINDS)
    good = [vector.expect for vector in VECTORS if vector.expect is not None]
    assert {expect.get("pixel_format") for expect in good} >= set(PIXEL_FORMATS)
    assert {expect.get("codec") for expect in good} >= set(CODECS)
    assert {expect.get("state") for expect in good} >= set(NODE_STATES)
    assert {state for expect in good for state in expect.get("states", ())} == set(TRACK_STATES)
    drawn = {overlay["verb"] for expect in good for overlay in expect.get("overlays", ())}
    assert drawn == set(VERBS) - {"DRAW_RECT"}


def test_names_are_unique_within_a_kind():
    names = [(vector.kind, vector.name) for vector in VECTORS]
    assert len(names) == len(set(names))


def test_the_committed_vectors_are_what_the_script_makes(tmp_path):
    here = Path(__file__).parent
    subprocess.run([sys.executable, "-W", "error", here / "make_vectors.py", tmp_path], check=True)
    home = here.parents[1] / "zbus" / "testing" / "vectors"
    made = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert made == {path.name: path.read_bytes() for path in home.glob("*.json")}
    assert set(made) == {f"{kind}.json" for kind in VECTOR_KINDS}


def test_an_unknown_kind_of_vectors_is_named():
    with pytest.raises(UnknownName, match="pose"):
        load_vectors("pose")


def read_envelope(parts):
    message = decode_message(parts)
    topic = message.topic
    names = {
        "topic": str(topic),
        "topic_kind": topic.kind,
        "source": topic.source,
        "rendition": topic.rendition,
    }
    payload = [bytes(part) for part in message.payload]
    return names | fields_of(message.origin) | {"payload": payload}


def read_data(parts):
    message = decode_message(parts)
    body = decode_body(message)
    assert body is not None
    return fields_of(message.origin) | body_fields(body)


def body_fields(body):
    if isinstance(body, Frame):
        fields = fields_of(body) | {"nbytes": body.nbytes}
        assert fields.pop("check") is None
        data = bytes(fields.pop("data"))
        small = body.codec == "raw" and body.width < 100
        return (
            fields
            | {"pixels": body.image.tolist() if small else None}
            | ({} if body.codec == "raw" else {"data": data})
        )
    if isinstance(body, TracksMessage):
        columns = fields_of(body.tracks)
        lists = {
            key: getattr(column, "tolist", lambda column=column: list(column))()
            for key, column in columns.items()
        }
        return {key: value for key, value in fields_of(body).items() if key != "tracks"} | lists
    if isinstance(body, OverlaySet):
        return {"camera": body.camera, "shapes": [overlay_fields(shape) for shape in body.shapes]}
    return fields_of(body)


def read_door(parts):
    return {"overlays": [overlay_fields(overlay) for overlay in decode_overlays(parts[0])]}


def overlay_fields(overlay):
    return fields_of(overlay) | {"color": list(overlay.color)}


def read_request(parts):
    return fields_of(decode_request(parts))


def read_reply(parts):
    reply = decode_reply(parts)
    error = {"code": reply.error_code, "cause": reply.cause, "next_step": reply.next_step}
    outcome = {"result": reply.result, "error": None} if reply.ok else {"result": None, "error": error}
    return {"request_id": reply.request_id, "target": reply.target, "ok": reply.ok, **outcome}


def read_one_beacon(parts):
    return fields_of(decode_beacon(parts[0]))


def read_relay(parts):
    message = decode_relay(parts)
    fields = fields_of(message)
    if "nodes" in fields:
        fields["nodes"] = [node_fields(node) for node in message.nodes]
    if "parts" in fields:
        fields["parts"] = [bytes(part) for part in message.parts]
    if "topics" in fields:
        fields["topics"] = list(message.topics)
    return {"word": message.word, **fields}


def node_fields(node):
    fields = fields_of(node) | {"publishes": list(node.publishes)}
    return fields if node.rates else {key: value for key, value in fields.items() if key != "rates"}


def fields_of(record):
    return {name: getattr(record, name) for name in record.__slots__}


def read_notice(parts):
    message = decode_message(parts)
    notice = decode_body(message)
    assert isinstance(notice, FrameNotice)
    assert notice.frame(bytes(notice.nbytes)).nbytes == notice.nbytes
    return {key: value for key, value in notice.header().items() if key != "v"}


def read_ring(parts):
    """As a stranger would read it: by the header's numbers and nothing else."""
    (data,) = parts
    header = decode_ring_header(data, len(data))
    starts = [header.header_bytes + slot * header.slot_stride for slot in range(header.slot_count)]
    locks = [int.from_bytes(data[start : start + 8], "little") for start in starts]
    begins = [start + header.slot_header_bytes for start in starts]
    pixels = [
        data[begin : begin + header.payload_max] if lock and lock % 2 == 0 else None
        for begin, lock in zip(begins, locks, strict=True)
    ]
    return fields_of(header) | {
        "version": 1,
        "locks": locks,
        "pixels": pixels,
        "board": read_board(data, header),
    }


def read_board(data, header):
    """What is on a board, the oldest first."""
    shown, found = int.from_bytes(data[192:200], "little"), []
    for number in range(max(0, shown - header.board_entries), shown):
        place = header.board_start + number % header.board_entries * header.board_entry_bytes
        lock, nbytes = (int.from_bytes(data[place + at : place + at + 8], "little") for at in (0, 8))
        assert lock == 2 * number + 2
        found.append(data[place + 16 : place + 16 + nbytes])
    return found


READERS = {
    "notice": read_notice,
    "ring": read_ring,
    "envelope": read_envelope,
    "door": read_door,
    "request": read_request,
    "reply": read_reply,
    "beacon": read_one_beacon,
    "relay": read_relay,
    **dict.fromkeys(DATA_KINDS, read_data),
}
