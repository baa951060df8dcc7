"""A client as pyMultiVideo's document describes it: shows pictures, sends random boxes as fast as it loops.

example_client.py PUB_ADDRESS PUSH_ADDRESS COUNT: prints a line of JSON for each of COUNT pictures.
"""

import base64
import hashlib
import json
import random
import sys

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
    if subscriber.poll(1000):
        message = json.loads(subscriber.recv())
        pixels = np.frombuffer(base64.b64decode(message["image"]), dtype=np.uint8)
        image = pixels.reshape(message["height"], message["width"])
        shown += 1
        seen = {key: message[key] for key in ("unique_id", "timestamp", "height", "width")}
        print(json.dumps({**seen, "sha256": hashlib.sha256(image.tobytes()).hexdigest()}), flush=True)
    x1, y1 = random.randint(0, 98), random.randint(0, 98)
    x2, y2 = random.randint(x1 + 1, 99), random.randint(y1 + 1, 99)
    pusher.send_json({"DRAW_BOX": {"TOP_LEFT": [x1, y1], "BOTTOM_RIGHT": [x2, y2]}})

context.destroy(linger=200)
