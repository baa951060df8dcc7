"""The spec's tables say what the code does, and its worked examples are vectors."""

from __future__ import annotations

import inspect
import json
import re
from pathlib import Path

import msgpack
import pytest

import zbus.errors
import zbus.overlay
import zbus.wire._control
import zbus.wire._limits as limits
from zbus import wire
from zbus.config import EDGE_PORT, BrokerPlan, EdgePlan, HostPlan, OverlayPlan
from zbus.errors import WireError, ZbusError
from zbus.testing import load_vectors
from zbus.wire import Origin, Reply, Request, Topic

SPEC = Path(zbus.__file__).parent / "spec"
DOCUMENTS = sorted(SPEC.glob("*.md"))
DATA_KINDS = wire.KINDS
BASES = {
    "frame": "mono8, 4 x 2",
    "tracks": "two tracks",
    "overlay": "two shapes",
    "state": "a running camera",
    "event": "a gap",
    "request": "configure",
    "reply": "done",
    "beacon": "all keys",
    "notice": "no ring at the moment",
}


def text_of(name):
    return (SPEC / f"{name}.md").read_text(encoding="utf-8")


def section(title):
    return text_of("registry").split(f"\n## {title}\n")[1].split("\n## ")[0]


def rows(title):
    """The body rows of a section's tables, each as its cells without backquotes."""
    lines = [line for line in section(title).splitlines() if line.startswith("|")]
    cells = [[cell.strip().replace("`", "") for cell in line.strip("|").split("|")] for line in lines]
    rules = {number for number, row in enumerate(cells) if set(row[0]) == {"-"}}
    return [row for number, row in enumerate(cells) if number not in rules and number + 1 not in rules]


def column(title):
    return [row[0] for row in rows(title)]


def words(title):
    return re.findall(r"`([^`]+)`", section(title))


def key_rows(where):
    """Name, whether it may be absent, and type of each header key of a kind."""
    listed = [row for row in rows("Header keys") if row[1] == where]
    return [(row[0].rstrip("?"), row[0].endswith("?"), row[2]) for row in listed]


def key_names(*places):
    return {name for where in places for name, _, _ in key_rows(where)}


def test_kinds():
    assert column("Kinds") == [*wire.KINDS, wire.CONTROL, wire.REPLY]
    assert {row[0]: int(row[3]) for row in rows("Kinds")} == limits.HEADER_MAX_BYTES
    assert f"may have a header of {limits.UNKNOWN_HEADER_MAX_BYTES} bytes" in section("Kinds")


def test_pixel_formats_and_codecs():
    listed = {row[0]: tuple(map(int, row[1:])) for row in rows("Pixel formats")}
    assert listed == {
        name: (pixels.pixel_bytes, pixels.channels, 8 * pixels.dtype.itemsize)
        for name, pixels in wire.PIXEL_FORMATS.items()
    }
    assert column("Codecs") == list(wire.CODECS)
    assert column("Renditions") == [wire.JPEG_RENDITION, wire.RING_RENDITION, wire.BELL_RENDITION]


def test_states_and_verbs():
    assert words("Node states") == list(wire.NODE_STATES)
    assert words("Track states") == list(wire.TRACK_STATES)
    assert column("Overlay verbs") == list(wire.VERBS)


def test_refusal_reasons(wire_reasons):
    assert set(column("Refusal reasons")) == wire_reasons


def test_error_codes():
    classes = [cls for _, cls in inspect.getmembers(zbus.errors, inspect.isclass)]
    codes = {cls.code for cls in classes if issubclass(cls, ZbusError)}
    assert codes <= set(column("Error codes"))


def test_limits():
    code = {name: value for name, value in vars(limits).items() if name.isupper()}
    code |= {name: getattr(zbus.overlay, name) for name in zbus.overlay.__all__ if name.isupper()}
    code["TIMEOUT_MAX_MS"] = zbus.wire._control.TIMEOUT_MAX_MS
    del code["HEADER_MAX_BYTES"]
    assert {row[0]: json.loads(row[1]) for row in rows("Limits")} == code


def test_ports():
    broker, overlay = BrokerPlan(), OverlayPlan()
    relay = HostPlan("127.0.0.1").relay_endpoint
    edge = EdgePlan(f"tcp://0.0.0.0:{EDGE_PORT}")
    bound = [broker.directory, broker.publish, broker.subscribe, relay, overlay.bind, *edge.places]
    ports = [endpoint.rsplit(":", 1)[1] for endpoint in bound]
    assert column("Ports") == [f"{wire.BEACON_PORT}/udp", *ports]


@pytest.mark.parametrize("kind", DATA_KINDS)
def test_header_keys_are_those_that_are_sent(kind):
    message = wire.decode_message(base(kind).parts)
    body = wire.decode_body(message)
    assert body is not None
    sent = wire.decode_message(wire.encode_message(message.topic, message.origin, body)).header
    assert set(sent) | MAY_BE_ABSENT == key_names("all", kind) | MAY_BE_ABSENT


def test_header_keys_of_notices_are_those_that_are_sent():
    message = wire.decode_message(base("notice").parts)
    body = wire.decode_notice(message)
    frame = body.frame(bytes(body.nbytes))
    notice = wire.FrameNotice(frame.header(), body.reference)
    parts = wire.encode_message(message.topic, message.origin, notice)
    assert len(parts) == 2
    sent = wire.decode_message(parts).header
    assert set(sent) | MAY_BE_ABSENT == key_names("all", "frame", "frame.ring")


def test_control_keys_are_those_that_are_sent():
    request = msgpack.unpackb(wire.encode_request(Request("r", "node1", "stop"))[1])
    assert set(request) == key_names("control")
    done, failed = Reply("r", "node1"), Reply("r", "node1", error_code="busy")
    sent = [set(msgpack.unpackb(wire.encode_reply(reply)[1])) for reply in (done, failed)]
    assert set.union(*sent) == key_names("reply")


def test_beacon_keys_are_those_that_are_sent():
    sent = wire.encode_beacon(wire.decode_beacon(base("beacon").parts[0]))
    assert set(msgpack.unpackb(sent)) == key_names("beacon")


def test_an_origin_is_the_common_keys():
    assert key_names("all") == {"v", *Origin.__slots__}


KEYS = [(kind, *row) for kind in DATA_KINDS for row in key_rows("all") + key_rows(kind)]
KEYS += [("request", *row) for row in key_rows("control")] + [("reply", *row) for row in key_rows("reply")]
KEYS += [("beacon", *row) for row in key_rows("beacon")]
KEYS += [("notice", *row) for row in key_rows("frame.ring")]
# Why: a reply that is ok has no error that could be wrong.
CHECKED_KEYS = [row for row in KEYS if row[1] != "error"]
READERS = {
    "request": wire.decode_request,
    "reply": wire.decode_reply,
    "beacon": lambda parts: wire.decode_beacon(parts[0]),
}
WRONG = {"int": ["1", 1.0, None], "text": [1, b"x"], "array": ["x", {}], "bool": [1, None], "map": [[], 1]}
ABSENT = object()
MAY_BE_ABSENT = {"device_ns", "relayed_mono_ns", "thinned"}


@pytest.mark.parametrize(("kind", "key", "optional", "type_and_bound"), CHECKED_KEYS)
def test_what_the_registry_says_of_a_key_holds(kind, key, optional, type_and_bound):
    type_name, _, bound = type_and_bound.partition(" ")
    assert refusal(kind, key, ABSENT) == ("" if optional else "missing_key")
    assert {refusal(kind, key, wrong) for wrong in WRONG[type_name]} == {"wrong_type"}
    if type_name == "text":
        assert refusal(kind, key, "x" * int(bound)) != "out_of_range"
        assert refusal(kind, key, "x" * (int(bound) + 1)) == "out_of_range"
    if type_name == "int":
        low, high = bound.split("..")
        assert refusal(kind, key, int(low)) != "out_of_range"
        assert refusal(kind, key, int(low) - 1) == "out_of_range"
        assert refusal(kind, key, int(high or limits.INTEGER_MAX) + 1) == "out_of_range"


def base(kind):
    """A good message of this kind."""
    return next(vector for vector in load_vectors(kind) if vector.name == BASES[kind])


def refusal(kind, key, value):
    """The reason for which the kind's good message is refused when `key` is `value`; "" where it is not."""
    parts = list(base(kind).parts)
    # Why: a beacon is a header and nothing else.
    at = 0 if kind == "beacon" else 1
    fields = msgpack.unpackb(parts[at]) | {key: value}
    if value is ABSENT:
        del fields[key]
    read = READERS.get(kind, lambda parts: wire.decode_body(wire.decode_message(parts)))
    try:
        read([*parts[:at], msgpack.packb(fields), *parts[at + 1 :]])
    except WireError as error:
        return error.reason
    return ""


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_worked_examples_are_vectors(document):
    text = document.read_text(encoding="utf-8")
    for kind, name, shown in re.findall(r"```text\nvector (\w+): (.*)\n([^`]*)```", text):
        parts = [bytes.fromhex(part) for part in re.split(r"part \d+ \(\d+ bytes\)\n", shown)[1:]]
        sizes = [int(size) for size in re.findall(r"part \d+ \((\d+) bytes\)", shown)]
        vector = next(vector for vector in load_vectors(kind) if vector.name == name)
        assert tuple(parts) == vector.parts
        assert sizes == [len(part) for part in vector.parts]


@pytest.mark.parametrize(
    "part",
    [
        "1-envelope",
        "3-frame",
        "4-tracks",
        "5-overlay",
        "6-state",
        "7-control",
        "8-discovery",
        "9-shm",
        "10-relay",
    ],
)
def test_every_part_has_a_worked_example(part):
    assert "```text\nvector " in text_of(part)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(document):
    for target in re.findall(r"\]\(([^)#:]+)\)", document.read_text(encoding="utf-8")):
        assert (document.parent / target).exists(), target


def test_events_and_verbs_of_the_parts_are_in_the_registry():
    first_cells = r"(?m)^\| `(\w+)` \|"
    events = re.findall(first_cells, text_of("6-state").split("## Event\n")[1])
    assert words("Events") == events[events.index("truth") :]
    verbs = re.findall(first_cells, text_of("7-control").split("## Verbs of the directory")[1])
    assert column("Control verbs") == verbs


def test_the_longest_names_of_the_abnf_make_a_topic():
    longest = Topic("k" * 16, "S" + "x" * 63, "r" * 16)
    assert wire.decode_topic(longest.encode()) == longest
    assert len(longest.encode()) <= limits.TOPIC_MAX_BYTES
