"""Like a face tracker, without a face: boxes the largest dark thing of each picture.

blob_client.py PUB_ADDRESS PUSH_ADDRESS COUNT: prints timestamp and box of each picture.
"""

import base64
import json
import sys

import cv2
import numpy as np
import zmq

pub_address, push_address, count = sys.argv[1], sys.argv[2], int(sys.argv[3])

context = zmq.Context()
subscriber = context.socket(zmq.SUB)
subscriber.connect(pub_address)
subscriber.setsockopt_string(zmq.SUBSCRIBE, "")
pusher = context.socket(zmq.PUSH)
pusher.connect(push_address)

for _ in range(count):
    message = json.loads(subscriber.recv_string())
    pixels = np.frombuffer(base64.b64decode(message["image"]), dtype=np.uint8)
    image = pixels.reshape(message["height"], message["width"])
    dark = (cv2.GaussianBlur(image, (5, 5), 0) < 0.6 * np.median(image)).astype(np.uint8)
    found, _, stats, _ = cv2.connectedComponentsWithStats(dark)
    if found < 2:
        continue
    x, y, width, height, _ = stats[1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))]
    box = {"TOP_LEFT": [int(x), int(y)], "BOTTOM_RIGHT": [int(x + width - 1), int(y + height - 1)]}
    pusher.send_json({"DRAW_BOX": box})
    print(json.dumps({"timestamp": message["timestamp"], **box}), flush=True)

context.destroy(linger=200)
