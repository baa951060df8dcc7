"""A client of the later dialect: filters the topic, reads msgpack, takes the pixels as they are.

msgpack_client.py PUB_ADDRESS PUSH_ADDRESS COUNT: prints a line of JSON for each of COUNT pictures.
"""

import hashlib
import json
import sys

import msgpack
import numpy as np
import zmq

pub_address, push_address, count = sys.argv[1], sys.argv[2], int(sys.argv[3])

context = zmq.Context()
subscriber = context.socket(zmq.SUB)
subscriber.connect(pub_address)
subscriber.setsockopt_string(zmq.SUBSCRIBE, "")
pusher = context.socket(zmq.PUSH)
pusher.connect(push_address)

shown = 0
while shown < count:
    topic, packed, pixels = subscriber.recv_multipart()
    if topic.decode() != "image":
        continue
    message = msgpack.unpackb(packed)
    image = np.frombuffer(pixels, dtype=np.uint8).reshape(message["height"], message["width"])
    shown += 1
    print(json.dumps({**message, "sha256": hashlib.sha256(image.tobytes()).hexdigest()}), flush=True)
    box = {"TOP_LEFT": [1, 2], "BOTTOM_RIGHT": [shown % 50 + 3, 9]}
    pusher.send(msgpack.packb({"DRAW_RECT": box}))  # pyright: ignore

context.destroy(linger=200)
