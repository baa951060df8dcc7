"""A stranger to this project: only pyzmq, msgpack, numpy and the pages of `zbus/spec/`.

Usage: stranger.py ENDPOINT COUNT PREFIX...
Prints one line of JSON for each message that it could read.
"""

import json
import sys

import msgpack
import numpy as np
import zmq

DTYPES = {"mono8": ("u1", 1), "mono16": ("<u2", 1), "bgr8": ("u1", 3), "rgb8": ("u1", 3)}


def main(endpoint, count, *prefixes):
    socket = zmq.Context().socket(zmq.SUB)
    socket.setsockopt(zmq.RCVTIMEO, 60_000)
    for prefix in prefixes:
        socket.setsockopt(zmq.SUBSCRIBE, prefix.encode("ascii"))
    socket.connect(endpoint)
    print(json.dumps({"ready": True}), flush=True)
    for _ in range(int(count)):
        print(json.dumps(read(*socket.recv_multipart())), flush=True)


def read(topic, header, *payload):
    kind = topic.decode("ascii").split("/")[0]
    fields = msgpack.unpackb(header)
    assert fields["v"] == 1
    told = {"topic": topic.decode("ascii"), "node": fields["node"], "seq": fields["seq"]}
    told["session"] = fields["session"]
    if kind == "frame":
        told |= read_frame(fields, *payload)
    elif kind == "tracks":
        told |= {"camera": fields["camera"], "frame_number": fields["frame_number"]}
        told |= {"track_ids": fields["track_ids"], "states": fields["states"]}
        told["centroids_px"] = np.array(fields["centroids_px"]).reshape(-1, 2).tolist()
    elif kind == "state":
        told |= {"role": fields["role"], "state": fields["state"]}
    return told


def read_frame(fields, payload):
    assert fields["nbytes"] == len(payload)
    dtype, channels = DTYPES[fields["pixel_format"]]
    rows = np.frombuffer(payload, "u1").reshape(fields["height"], fields["stride_bytes"])
    pixel_bytes = np.dtype(dtype).itemsize * channels
    image = rows[:, : fields["width"] * pixel_bytes].view(dtype)
    image = image.reshape(fields["height"], fields["width"], channels)
    return {"frame_number": fields["frame_number"], "shape": image.shape, "sum": int(image.sum())}


if __name__ == "__main__":
    main(*sys.argv[1:])
