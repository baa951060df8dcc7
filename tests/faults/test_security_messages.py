"""Messages whose form is right and whose content is a lie, a bomb, or somebody else's name.

The rows of the threat table are in README.md; each test names its own.
"""

from __future__ import annotations

import subprocess
import sys

import msgpack
import pytest
import zmq
from honest import wait_for_counters
from strangers import stranger

from zbus.transport import EVERY, Publisher, Puller, Pusher, Subscriber
from zbus.wire import OVERLAY_MAX_BYTES, SIDE_MAX_PX, Event, Topic

pytestmark = pytest.mark.fault

MB = 1_000_000


def test_s13_topics_that_are_none_and_messages_that_lie(exposed, honest):
    bad_topics = [b"", b"frame", b"frame/cam1", b"\xff\xfe", b"frame/" + b"x" * 100_000 + b"/", b"/" * 50]
    lies = [
        [b"frame/liar/", b"\xc1"],
        [b"frame/liar/", b"\x80"],
        [b"frame/liar/", b"\x90" * 4_000],
        [b"frame/liar/", b"\xdd\xff\xff\xff\xff"],
        [b"state/liar/", b"\x80", b"x" * 200_000],
    ]
    # These would make the broker's subscribers deaf, so they end at the broker.
    too_large = [
        [b"state/liar/", b"x" * 200_000],
        [b"frame/liar/", b"x" * 5_000_000],
        [b"event/liar/", b"\x80", b"x" * 400_000],
    ]
    with (
        Subscriber(exposed.subscribe, "", policy=EVERY) as victim,
        stranger(zmq.XPUB, exposed.publish) as liar,
    ):
        # Until it is wanted: a PUB keeps back what nobody subscribes to.
        while liar.recv() != b"\1":
            pass
        for message in [*([topic, b"x"] for topic in bad_topics), *too_large, *lies]:
            liar.send_multipart(message)
        while sum(victim.counters.refused.values()) < len(lies):
            received = victim.recv(10)
            assert received is not None
            assert received.origin.node in ("n1", "directory")
    counters = wait_for_counters(exposed, lambda now: now["refused"] >= len(bad_topics) + len(too_large))
    assert counters["states_too_large"] == 1


def test_s13_two_publishers_of_one_name_are_found_and_neighbors_are_not_mixed_up(exposed, wait_until):
    """Not even with keys is a name proof: both are heard, and whoever listens is told."""
    found: list[object] = []
    with (
        Publisher("n1", connect=[exposed.publish]) as one,
        Publisher("n1", connect=[exposed.publish]) as other,
        Subscriber(exposed.subscribe, "event/cam1/", policy=EVERY, on_finding=found.append) as victim,
    ):
        wait_until(lambda: one.wants(Topic("event", "cam1")) and other.wants(Topic("event", "cam1")))

        def both_speak() -> bool:
            for publisher in (one, other):
                for source in ("cam1", "cam10", "cam11"):
                    publisher.send(Topic("event", source), Event("x", {}))
            received = victim.recv(1.0)
            assert received is None or str(received.topic) == "event/cam1/"
            return victim.counters.duplicates > 0

        wait_until(both_speak)
    assert "Duplicate" in {type(each).__name__ for each in found}


# Decodes each bomb and tells what the process's memory has grown by, at most.
_BOMBED = """
import resource, sys
from zbus.errors import WireError
from zbus.wire import decode_body, decode_message, decode_overlays
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for line in sys.stdin.buffer.read().split(b"\\n\\n"):
    topic, _, data = line.partition(b" ")
    data = bytes.fromhex(data.decode())
    try:
        decode_overlays(data) if topic == b"door" else decode_body(decode_message([topic, data]))
    except WireError as error:
        print(error.reason)
    else:
        print("taken")
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""
_X = b"\x81\xa1x"
# What is sent where, and by which reason it is refused.
_BOMBS = {
    "a million arrays": (b"state/x/", b"\x90" * 2**20, "header_too_large"),
    "as many as a header holds": (
        b"tracks/x/",
        b"\xdd\x00\x03\xff\xfa" + b"\x90" * 262_138,
        "header_not_map",
    ),
    "60 000 deep": (b"state/x/", _X + b"\x91" * 60_000 + b"\xc0", "bad_msgpack"),
    "100 deep": (b"state/x/", _X + b"\x91" * 100 + b"\xc0", "header_too_deep"),
    "an array that claims 4 billion": (b"state/x/", _X + b"\xdd\xff\xff\xff\xff", "bad_msgpack"),
    "a map that claims 4 billion": (b"state/x/", b"\xdf\xff\xff\xff\xff", "bad_msgpack"),
    "a text that claims 4 GB": (b"state/x/", _X + b"\xdb\xff\xff\xff\xffx", "bad_msgpack"),
    "arrays of arrays": (
        b"state/x/",
        _X + (b"\xdc\x00\xc8" + (b"\xdc\x01\x2c" + b"\x90" * 300) * 200),
        "missing_key",
    ),
    "an extension type": (b"state/x/", _X + b"\xc7\x08\x05" + bytes(8), "bad_msgpack"),
    "a time past the calendar": (b"state/x/", _X + b"\xd7\xff" + b"\xff" * 8, "bad_msgpack"),
    "a key twice, and one that is a number": (b"state/x/", b"\x82\x01\x01\x01\x02", "bad_msgpack"),
    "a number that is none": (b"state/x/", _X + b"\xcb\x7f\xf8" + bytes(6), "out_of_range"),
    "JSON that is deep": (b"door", b"[" * 60_000, "bad_json"),
    "JSON that is long": (b"door", b"[" + b"1," * 100_000 + b"1]", "too_large"),
    "JSON that is not a number": (b"door", b'{"DRAW_CIRCLE": {"CENTER": [NaN, 1], "RADIUS": 1}}', "bad_json"),
    "JSON that is not finite": (
        b"door",
        b'{"DRAW_CIRCLE": {"CENTER": [1, 1], "RADIUS": 1e999}}',
        "out_of_range",
    ),
    "JSON numbers without end": (b"door", b'{"DRAW_BOX": ' + b"9" * 60_000 + b"}", "bad_json"),
}


def test_s14_s15_bombs_are_refused_and_take_little_memory():
    lines = b"\n\n".join(topic + b" " + data.hex().encode() for topic, data, _ in _BOMBS.values())
    run = subprocess.run([sys.executable, "-c", _BOMBED], input=lines, capture_output=True, check=True)
    *told, grown_kb = run.stdout.decode().split()
    assert dict(zip(_BOMBS, told, strict=True)) == {name: bomb[2] for name, bomb in _BOMBS.items()}
    # The input itself, in hex and as bytes, is of 5 MB.
    assert int(grown_kb) * 1_000 < 60 * MB


def test_s15_bombs_at_the_door_leave_it_open(wait_until):
    with Puller("tcp://127.0.0.1:0") as door, Pusher(door.endpoint) as pusher:
        for topic, data, _ in _BOMBS.values():
            # A larger one would end the connection, and what was sent behind it with that.
            if topic == b"door" and len(data) <= OVERLAY_MAX_BYTES:
                wait_until(lambda data=data: pusher.send(data, timeout_s=1.0))
        wait_until(lambda: pusher.send(b"good", timeout_s=1.0))
        taken: list[bytes] = []
        wait_until(lambda: taken.extend(door.take()) or b"good" in taken)


_FRAME = {
    "v": 1, "node": "n9", "session": "a" * 16, "seq": 0, "published_ns": 1, "camera": "liar",
    "frame_number": 0, "captured_ns": 1, "mono_ns": 1, "clock": "host", "width": 4, "height": 4,
    "pixel_format": "mono8", "stride_bytes": 4, "codec": "raw", "nbytes": 16,
}  # fmt: skip
_SHAPES = [
    {"width": 100_000, "height": 100_000},
    {"width": SIDE_MAX_PX, "height": SIDE_MAX_PX, "stride_bytes": SIDE_MAX_PX, "nbytes": SIDE_MAX_PX**2},
    {"width": -4},
    {"height": 0},
    {"height": 2**62},
    {"stride_bytes": 1},
    {"stride_bytes": 2**40},
    {"nbytes": 17},
    {"pixel_format": "object"},
    {"pixel_format": "bgr8"},
    {"pixel_format": "mono16"},
    {"width": 4.0},
    {"width": True},
    {"width": "4"},
]


def test_s16_shapes_that_lie_are_refused_and_the_honest_frame_behind_them_is_not(exposed, wait_until):
    with (
        Subscriber(exposed.subscribe, "frame/liar/", policy=EVERY) as victim,
        stranger(zmq.XPUB, exposed.publish) as liar,
    ):
        while liar.recv() != b"\1frame/liar/":
            pass
        lies = [{**_FRAME, **shape, "seq": seq} for seq, shape in enumerate(_SHAPES)]
        for header in [*lies, {**_FRAME, "seq": len(lies)}]:
            liar.send_multipart([b"frame/liar/", msgpack.packb(header), bytes(16)])
        received = victim.recv(10)
        assert received is not None
        assert received.origin.seq == len(lies)
        assert sum(victim.counters.refused.values()) == len(lies)
