"""How fast frames go from a publisher to a decoded array: this library, plain pyzmq, and JSON with base64.

Each way sends the same frames over tcp on loopback, one at a time in flight up to WINDOW, from one thread to
another, and the ways take turns. What counts are the ratios of the medians.
"""

from __future__ import annotations

import argparse
import base64
import json
import statistics
import sys
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import numpy as np
import zmq
from numpy.typing import NDArray

from zbus.transport import EVERY, FRAMES_OUT, Publisher, Subscriber
from zbus.wire import Frame, Topic, frame_of_image

TOPIC = Topic("frame", "cam1")
# So many frames are on their way at most: less than the shortest queue, so that none is dropped.
WINDOW = 3
DEADLINE_S = 30.0
WARM_UP_FRAMES = 20

Image = NDArray[np.uint8]
Send = Callable[[int, Image], None]
Receive = Callable[[], Image]


class Way:
    """One way to carry frames: `open` gives what sends one and what receives one."""

    def __init__(self, name: str, open_sender: Any, open_receiver: Any) -> None:
        self.name, self.open_sender, self.open_receiver = name, open_sender, open_receiver


def zbus_sender(ends: ExitStack) -> tuple[str, Send, Callable[[], bool]]:
    publisher = ends.enter_context(Publisher("n1", link=FRAMES_OUT, bind=["tcp://127.0.0.1:0"]))

    def send(number: int, image: Image) -> None:
        publisher.send(TOPIC, frame_of(number, image))

    return publisher.endpoints[0], send, lambda: publisher.wants(TOPIC)


def zbus_receiver(ends: ExitStack, endpoint: str) -> Receive:
    subscriber = ends.enter_context(Subscriber(endpoint, str(TOPIC), policy=EVERY))

    def receive() -> Image:
        received = subscriber.recv(DEADLINE_S)
        assert received is not None and isinstance(received.body, Frame)
        return received.body.image

    return receive


def frame_of(number: int, image: Image) -> Frame:
    now_ns, mono_ns = time.time_ns(), time.monotonic_ns()
    return frame_of_image(
        image, "mono8", camera="cam1", frame_number=number, captured_ns=now_ns, mono_ns=mono_ns
    )


def pyzmq_sender(ends: ExitStack) -> tuple[str, Send, Callable[[], bool]]:
    """What a script would do: the topic, a small JSON header, the pixels as they are."""
    socket, endpoint = plain_xpub(ends)

    def send(number: int, image: Image) -> None:
        header = json.dumps({"shape": image.shape, "dtype": str(image.dtype), "number": number}).encode()
        socket.send_multipart([TOPIC.encode(), header, image.data], copy=False)

    return endpoint, send, lambda: bool(socket.poll(0))


def pyzmq_receiver(ends: ExitStack, endpoint: str) -> Receive:
    socket = plain_sub(ends, endpoint)

    def receive() -> Image:
        _, header, pixels = socket.recv_multipart(copy=False)
        fields = json.loads(header.bytes)
        return np.frombuffer(pixels.buffer, fields["dtype"]).reshape(fields["shape"])

    return receive


def base64_sender(ends: ExitStack) -> tuple[str, Send, Callable[[], bool]]:
    """What many systems of the field do: one JSON text, the pixels as base64 in it."""
    socket, endpoint = plain_xpub(ends)

    def send(number: int, image: Image) -> None:
        pixels = base64.b64encode(image.data).decode()
        message = {"shape": image.shape, "dtype": str(image.dtype), "number": number, "pixels": pixels}
        socket.send_multipart([TOPIC.encode(), json.dumps(message).encode()])

    return endpoint, send, lambda: bool(socket.poll(0))


def base64_receiver(ends: ExitStack, endpoint: str) -> Receive:
    socket = plain_sub(ends, endpoint)

    def receive() -> Image:
        message = json.loads(socket.recv_multipart()[1])
        pixels = base64.b64decode(message["pixels"])
        return np.frombuffer(pixels, message["dtype"]).reshape(message["shape"])

    return receive


def plain_xpub(ends: ExitStack) -> tuple[zmq.Socket[bytes], str]:
    socket = ends.enter_context(zmq.Context.instance().socket(zmq.XPUB))
    socket.setsockopt(zmq.LINGER, 0)
    port = socket.bind_to_random_port("tcp://127.0.0.1")
    return socket, f"tcp://127.0.0.1:{port}"


def plain_sub(ends: ExitStack, endpoint: str) -> zmq.Socket[bytes]:
    socket = ends.enter_context(zmq.Context.instance().socket(zmq.SUB))
    socket.setsockopt(zmq.RCVTIMEO, int(DEADLINE_S * 1_000))
    socket.setsockopt(zmq.SUBSCRIBE, TOPIC.encode())
    socket.connect(endpoint)
    return socket


WAYS = (
    Way("zbus", zbus_sender, zbus_receiver),
    Way("pyzmq multipart", pyzmq_sender, pyzmq_receiver),
    Way("JSON + base64", base64_sender, base64_receiver),
)


def run_round(way: Way, images: list[Image], count: int) -> float:
    """Seconds for each frame, from before the first send until the last one is an array."""
    room, failures = threading.Semaphore(WINDOW), []
    began_s = 0.0

    def listen(endpoint: str) -> None:
        try:
            with ExitStack() as ends:
                receive = way.open_receiver(ends, endpoint)
                for number in range(WARM_UP_FRAMES + count):
                    image = receive()
                    assert image[0, 0] == images[number % len(images)][0, 0]
                    room.release()
        except BaseException as error:  # noqa: BLE001  Why: told by the thread that waits for this one.
            failures.append(error)
            room.release()

    with ExitStack() as ends:
        endpoint, send, is_wanted = way.open_sender(ends)
        listener = threading.Thread(target=listen, args=(endpoint,))
        listener.start()
        while not is_wanted():
            time.sleep(0.001)
        for number in range(WARM_UP_FRAMES + count):
            if number == WARM_UP_FRAMES:
                began_s = time.perf_counter()
            room.acquire(timeout=DEADLINE_S)
            if failures:
                break
            send(number, images[number % len(images)])
        listener.join()
        ended_s = time.perf_counter()
    if failures:
        raise RuntimeError(f"{way.name}: {failures[0]!r}")
    return (ended_s - began_s) / count


def compare(width: int, height: int, count: int, rounds: int) -> dict[str, Any]:
    """Medians of all ways, and their ratios to the first."""
    noise = np.random.default_rng(1)
    images = [noise.integers(0, 255, (height, width), np.uint8) for _ in range(8)]
    for number, image in enumerate(images):
        image[0, 0] = number
    taken: dict[str, list[float]] = {way.name: [] for way in WAYS}
    for number in range(rounds):
        for turn in range(len(WAYS)):
            way = WAYS[(number + turn) % len(WAYS)]
            taken[way.name].append(run_round(way, images, count))
    medians = {name: statistics.median(times) for name, times in taken.items()}
    return {
        "width": width,
        "height": height,
        "frames": count,
        "rounds": rounds,
        "median_us": {name: round(seconds * 1e6, 1) for name, seconds in medians.items()},
        "spread_us": {name: [round(t * 1e6, 1) for t in (min(ts), max(ts))] for name, ts in taken.items()},
        "times_zbus": {name: round(seconds / medians["zbus"], 2) for name, seconds in medians.items()},
    }


def show(result: dict[str, Any]) -> None:
    print(
        f"{result['frames']} frames of {result['width']}x{result['height']} mono8, {result['rounds']} rounds"
    )
    print(f"{'way':<18}{'median':>12}{'fastest':>12}{'slowest':>12}{'times zbus':>12}")
    for name, median_us in result["median_us"].items():
        fastest, slowest = result["spread_us"][name]
        times = result["times_zbus"][name]
        print(f"{name:<18}{median_us:>9.1f} us{fastest:>9.1f} us{slowest:>9.1f} us{times:>12.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--size", default="640x480", help="width x height in pixels")
    parser.add_argument("--frames", type=int, default=300, help="frames of a round")
    parser.add_argument("--rounds", type=int, default=7, help="rounds of each way")
    parser.add_argument("--json", action="store_true", help="for a program")
    words = parser.parse_args()
    width, height = map(int, words.size.split("x"))
    result = compare(width, height, words.frames, words.rounds)
    if words.json:
        json.dump(result, sys.stdout)
        print()
    else:
        show(result)


if __name__ == "__main__":
    main()
