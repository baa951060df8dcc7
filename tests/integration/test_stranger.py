"""A stranger: pyzmq, msgpack and numpy, the printed spec, and nothing of zbus."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from rig_process import DEADLINE_S, ZbusProcess, runtime_folder

SCRIPT = '''
import json, sys, time
import msgpack, numpy as np, zmq

places = json.loads(sys.argv[1])
context = zmq.Context()

inbox = context.socket(zmq.SUB)
inbox.connect(places["subscribe"])
for prefix in ("frame/arena/", "tracks/", "overlay/arena/", "state/overlay/"):
    inbox.subscribe(prefix.encode())
door = context.socket(zmq.PUSH)
door.connect(places["overlay"])


def receive():
    """The next message, by spec 1: its kind, its header, its payload."""
    assert inbox.poll(20_000), "nothing came"
    topic, header, *payload = inbox.recv_multipart()
    kind, source, rest = topic.decode("ascii").split("/")
    assert rest == ""
    header = msgpack.unpackb(header)
    assert header["v"] == 1
    return kind, header, payload


frames, tracks = {}, {}
while not set(frames) & set(tracks):
    kind, header, payload = receive()
    if kind == "frame":
        rows = np.frombuffer(payload[0], np.uint8).reshape(header["height"], header["stride_bytes"])
        assert header["codec"] == "raw" and header["pixel_format"] == "mono8"
        assert len(payload[0]) == header["nbytes"]
        frames[header["frame_number"]] = rows[:, : header["width"]], header
    elif kind == "tracks" and len(header["track_ids"]) == 5:
        tracks[header["frame_number"]] = header

number = max(set(frames) & set(tracks))
(image, frame), track = frames[number], tracks[number]
assert frame["captured_ns"] == track["captured_ns"] and frame["mono_ns"] == track["mono_ns"]
# Dark animals on a light floor: the picture is darker where the tracks are.
centers = np.rint(track["centroids_px"]).astype(int)
at_animals = image[centers[:, 1].clip(0, image.shape[0] - 1), centers[:, 0].clip(0, image.shape[1] - 1)]

door.send(b"\\\\xff garbage {")
box = {"TOP_LEFT": [10, 20], "BOTTOM_RIGHT": [50, 60]}
door.send(json.dumps({"DRAW_BOX": box, "id": "by-json"}).encode())
door.send(msgpack.packb({"DRAW_BOX": {"TOP_LEFT": [70, 80], "BOTTOM_RIGHT": [90, 99]}, "id": "by-msgpack",
                         "camera": "arena", "lifetime_s": 1.5}))

seen, last, refused = {}, None, 0
while len(seen) < 2 or last or not refused:
    kind, header, payload = receive()
    if kind == "state":
        refused = header["counters"]["refused"]
    if kind == "overlay":
        last = [shape["id"] for shape in header["shapes"]]
        for shape in header["shapes"]:
            seen.setdefault(shape["id"], (shape["DRAW_BOX"], shape["lifetime_s"]))

print(json.dumps({
    "number": number,
    "sessions": frame["session"] != track["session"],
    "contrast": float(np.median(image)) - float(np.median(at_animals)),
    "seen": seen,
    "refused": refused,
    "zbus": [name for name in sys.modules if name.startswith("zbus")],
}))
'''


def test_a_stranger_reads_the_rig_and_draws_on_it(tmp_path: Path) -> None:
    script = tmp_path / "stranger.py"
    script.write_text(SCRIPT)
    with (
        runtime_folder() as folder,
        ZbusProcess("demo", "--no-browser", "--ports", "auto", "--json", folder=folder) as demo,
    ):
        endpoints = demo.first_line()["endpoints"]
        done = subprocess.run(
            [sys.executable, "-I", str(script), json.dumps(endpoints)],
            capture_output=True,
            text=True,
            timeout=DEADLINE_S,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        found = json.loads(done.stdout)
        assert found["zbus"] == []
        assert found["sessions"]
        assert found["contrast"] > 30
        boxes = {name: box for name, (box, _) in found["seen"].items()}
        assert boxes == {
            "by-json": {"TOP_LEFT": [10, 20], "BOTTOM_RIGHT": [50, 60]},
            "by-msgpack": {"TOP_LEFT": [70, 80], "BOTTOM_RIGHT": [90, 99]},
        }
        assert 0 < found["seen"]["by-json"][1] <= 1.0 < found["seen"]["by-msgpack"][1] <= 1.5
        assert found["refused"] == 1
        assert demo.end() == 0
        assert "an overlay was refused" in demo.stderr
