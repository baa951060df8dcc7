"""Rings of shared memory under force: torn pictures, killed writers and readers, no room, other places.

Every picture is painted with its own number, so that a torn one shows.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest

from zbus.transport import EVERY, Gap, Overrun, Publisher, Received, Restart, RingPlan, RingReader, Subscriber
from zbus.transport import sweep_rings as sweep
from zbus.transport._bell import has_bell
from zbus.transport._board import BoardReader
from zbus.transport._ring_file import open_ring_file
from zbus.wire import Frame, Topic, frame_of_image

pytestmark = pytest.mark.fault

WaitUntil = Callable[[Callable[[], object]], None]

CAM = Topic("frame", "ringtest")
NOTICES = Topic("frame", "ringtest", "ring")
WORDS = 2_048
READS = 100_000
KILLS = 20

# Writes as fast as it can; write n is painted with n.
_WRITER = """
import sys
from pathlib import Path
import numpy as np
from zbus.transport import RingWriter, sweep_rings
folder = Path(sys.argv[1])
sweep_rings(folder)
ring = RingWriter("ringtest", 4, 8 * int(sys.argv[2]), folder)
ring.open()
reference = ring.copy_in(np.full(int(sys.argv[2]), 1, np.uint64).data)
print(ring.name, reference.generation, flush=True)
pictures, number = np.empty(int(sys.argv[2]), np.uint64), 1
while True:
    number += 1
    pictures[:] = number
    ring.copy_in(pictures.data)
"""

# Shows as fast as it can; notice n is made of the word n, and of one length or another.
_RINGER = """
import sys
from pathlib import Path
from zbus.transport import RingWriter, sweep_rings
folder = Path(sys.argv[1])
sweep_rings(folder)
ring = RingWriter("ringtest", 4, 64, folder)
ring.open()
reference = ring.copy_in(b"x")
print(ring.name, reference.generation, flush=True)
number = 0
while True:
    ring.show(number.to_bytes(8, "little") * (20 + number % 100))
    number += 1
"""

# A camera that draws 16-bit pictures of its frame's number, at about a kilohertz.
_CAMERA = """
import sys, time
import numpy as np
from zbus.transport import FRAMES_OUT, Publisher, RingPlan, sweep_rings
from zbus.wire import Topic, frame_of_image
sweep_rings()
topic, number = Topic("frame", "ringtest"), 0
with Publisher("ringtest", link=FRAMES_OUT, bind=[sys.argv[1]], ring=RingPlan(seconds=0.1)) as camera:
    print(camera.endpoints[0], flush=True)
    while True:
        image = camera.loan(topic, (60, 80), np.uint16)
        image = np.empty((60, 80), np.uint16) if image is None else image
        image[:] = number
        camera.send(topic, frame_of_image(image, "mono16", camera="ringtest", frame_number=number,
            captured_ns=time.time_ns(), mono_ns=time.monotonic_ns()))
        del image
        number += 1
        time.sleep(0.001)
"""

_READER = """
import sys
from zbus.transport import EVERY, Subscriber
with Subscriber(sys.argv[1], "frame/ringtest/", policy=EVERY, ring="view") as subscriber:
    for received in subscriber:
        if received.body.check is not None:
            print("mapped", flush=True)
            if sys.argv[2] == "leave":
                break
"""


class Scripts:
    """Processes of a test, which end with it."""

    def __init__(self, ends: ExitStack) -> None:
        self._ends = ends

    def start(self, script: str, *arguments: object, within: tuple[str, ...] = ()) -> subprocess.Popen[str]:
        command = [*within, sys.executable, "-W", "error", "-c", script, *map(str, arguments)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self._ends.callback(end, process)
        return process


@pytest.fixture
def scripts() -> Iterator[Scripts]:
    with ExitStack() as ends:
        # Why: what is killed leaves its ring behind.
        ends.callback(sweep)
        yield Scripts(ends)


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder of shared memory that nobody else sweeps."""
    with tempfile.TemporaryDirectory(prefix="zbt", dir="/dev/shm") as folder:
        yield Path(folder)


def end(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.wait()
    if process.stdout is not None:
        process.stdout.close()


def say(process: subprocess.Popen[str]) -> str:
    """The next line of a process."""
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line, "the process ended"
    return line.strip()


class Peeper:
    """Reads slots at random, as somebody who knows their locks, and judges what it was given by the paint."""

    def __init__(self, name: str, generation: int, folder: Path) -> None:
        self._reader = RingReader(name, generation, folder)
        self._header = open_ring_file(name, generation, folder).header
        self._random = random.Random(7)
        self.accepted = self.rejected = self.torn_rejected = 0

    def peep(self) -> None:
        slot = self._random.randrange(self._header.slot_count)
        lock = self._lock(slot)
        pixels = np.frombuffer(bytes(self._reader.pixels(slot, 8 * WORDS)), np.uint64)
        is_whole = bool((pixels == pixels[0]).all())
        if lock % 2 == 0 and lock and self._reader.holds(slot, lock):
            assert is_whole, "a torn picture was accepted"
            assert pixels[0] == lock // 2, "a picture of another write was accepted"
            self.accepted += 1
        else:
            self.rejected += 1
            self.torn_rejected += not is_whole

    def _lock(self, slot: int) -> int:
        return self._reader._locks[self._reader._place(slot) // 8]


def test_no_torn_picture_is_accepted_in_a_hundred_thousand_reads(scripts: Scripts, folder: Path) -> None:
    """S28: against a writer at full speed. Both must happen, or nothing was tried."""
    name, generation = say(scripts.start(_WRITER, folder, WORDS)).split()
    peeper = Peeper(name, int(generation), folder)
    for _ in range(READS):
        peeper.peep()
    assert peeper.accepted + peeper.rejected == READS
    assert peeper.accepted > 1_000
    assert peeper.rejected > 1_000
    assert peeper.torn_rejected > 10, (peeper.accepted, peeper.rejected, peeper.torn_rejected)


def test_a_writer_that_is_killed_leaves_nothing_torn_and_nothing_behind(
    scripts: Scripts, folder: Path
) -> None:
    """Row 54: killed at any moment, also while it writes; the next one removes what the last one left."""
    chance = random.Random(11)
    accepted = 0
    for _ in range(KILLS):
        writer = scripts.start(_WRITER, folder, WORDS)
        name, generation = say(writer).split()
        assert [path.name for path in folder.iterdir()] == [name]
        peeper = Peeper(name, int(generation), folder)
        for _ in range(chance.randrange(50, 1_000)):
            peeper.peep()
        end(writer)
        for _ in range(200):
            peeper.peep()
        accepted += peeper.accepted
    assert accepted > KILLS
    assert len(sweep(folder)) == 1
    assert not list(folder.iterdir())


def read_notices(board: BoardReader, count: int, last: int = -1, wait_s: float = 0.05) -> tuple[int, int]:
    """Read `count` notices after number `last`; the last one's number, and how many were passed over.

    None is torn. Ends early where none comes for `wait_s`.
    """
    missed = 0
    for _ in range(count):
        data = board.read()
        if data is None:
            if not board.wait(wait_s):
                break
            continue
        number = int.from_bytes(data[:8], "little")
        assert data == data[:8] * (20 + number % 100), "a torn notice was read"
        assert number > last, "a notice came twice"
        missed += number - last - 1 if last >= 0 else 0
        last = number
    return last, missed


@pytest.mark.skipif(not has_bell(), reason="there are no bells here")
def test_no_torn_notice_is_read_off_the_board_in_a_hundred_thousand_reads(
    scripts: Scripts, folder: Path
) -> None:
    """S28, for the board: a writer at full speed, which writes over what is read."""
    name, generation = say(scripts.start(_RINGER, folder)).split()
    board = RingReader(name, int(generation), folder).board
    assert board is not None
    last, missed = read_notices(board, READS, wait_s=20)
    assert last > 1_000
    while not missed:
        # Why: long enough that a whole board is written over, some time.
        time.sleep(0.01)
        last, missed = read_notices(board, 20, last, wait_s=20)


@pytest.mark.skipif(not has_bell(), reason="there are no bells here")
def test_a_writer_that_is_killed_while_it_rings_harms_nobody(scripts: Scripts, folder: Path) -> None:
    """Row 54, for the board: whoever waits at it reads what is whole, and waits no longer than was said."""
    chance = random.Random(13)
    for _ in range(KILLS):
        writer = scripts.start(_RINGER, folder)
        name, generation = say(writer).split()
        board = RingReader(name, int(generation), folder).board
        assert board is not None
        read_notices(board, chance.randrange(50, 1_000))
        end(writer)
        read_notices(board, READS)
        assert board.read() is None
        assert not board.wait(0.01)


@pytest.fixture
def camera() -> Iterator[Publisher]:
    with Publisher("ringtest", bind=["tcp://127.0.0.1:0"], ring=RingPlan(seconds=0.1)) as publisher:
        yield publisher


def send(camera: Publisher, number: int) -> None:
    image = camera.loan(CAM, (60, 80), np.uint16)
    assert image is not None
    image[:] = number
    camera.send(CAM, painted(image, number))


def painted(image: np.ndarray, number: int) -> Frame:
    return frame_of_image(
        image,
        "mono16",
        camera="ringtest",
        frame_number=number,
        captured_ns=time.time_ns(),
        mono_ns=time.monotonic_ns(),
    )


def is_whole(received: Received) -> bool:
    frame = received.body
    assert isinstance(frame, Frame)
    return bool((frame.image == frame.frame_number % 65_536).all())


@pytest.mark.parametrize("how", ["leave", "stay"])
def test_a_reader_that_ends_or_is_killed_leaves_the_ring_alone(
    camera: Publisher, scripts: Scripts, wait_until: WaitUntil, how: str
) -> None:
    """Row 55: a reader's end removes nothing, neither a good one nor a bad one."""
    reader = scripts.start(_READER, camera.endpoints[0], how)
    wait_until(lambda: camera.wants_rendition(NOTICES))
    number = 0

    def has_one_way() -> bool:
        nonlocal number
        number += 1
        send(camera, number)
        return not camera.wants(CAM)

    wait_until(has_one_way)
    assert say(reader) == "mapped"
    if how == "stay":
        reader.kill()
    reader.wait()
    wait_until(lambda: not camera.wants_rendition(NOTICES))
    outlet = camera.ring_of(CAM)
    assert outlet is not None
    assert Path("/dev/shm", outlet.name).exists()
    with Subscriber(camera.endpoints, "frame/ringtest/", ring="view", policy=EVERY) as another:
        came: list[Received | None] = []

        def comes() -> bool:
            # Why again and again: what the killed one wanted still counts for a while.
            send(camera, 500)
            came.append(another.recv(0.1))
            return came[-1] is not None

        wait_until(comes)
        assert came[-1] is not None
        assert is_whole(came[-1])


def test_a_slow_readers_overruns_are_counted_and_all_others_are_whole(
    scripts: Scripts, wait_until: WaitUntil
) -> None:
    """Row 57: each frame was handed over whole, or is counted as overrun, skipped or lost."""
    endpoint = say(scripts.start(_CAMERA, "tcp://127.0.0.1:0"))
    told: list[object] = []
    with Subscriber(
        endpoint, "frame/ringtest/", policy=EVERY, ring="view", depth=1_000, on_finding=told.append
    ) as reader:
        first = reader.recv(20)
        assert first is not None
        assert is_whole(first)
        handed = 1

        def reads_slowly() -> bool:
            nonlocal handed
            received = reader.recv(20)
            assert received is not None
            frame = received.body
            assert isinstance(frame, Frame)
            is_right = is_whole(received)
            assert is_right or not frame.valid()
            handed += 1
            # Why: longer than the ring is.
            time.sleep(0.05)
            return reader.counters.overruns > 5 and handed > 5

        wait_until(reads_slowly)
        counters = reader.counters
        waiting = len(reader._waiting)
        seen = counters.received - counters.repeated
        assert counters.delivered == handed
        assert seen == counters.delivered + counters.overruns + counters.skipped + counters.stale + waiting
        assert counters.overruns == sum(isinstance(each, Overrun) for each in told)
        assert counters.lost == sum(each.lost for each in told if isinstance(each, Gap))


def test_a_camera_that_is_killed_and_comes_back_is_read_on(scripts: Scripts, wait_until: WaitUntil) -> None:
    """Row 54, through the bus: a new ring each time, no torn picture, and the old files are gone."""
    camera = scripts.start(_CAMERA, "tcp://127.0.0.1:0")
    endpoint = say(camera)
    told: list[object] = []
    with Subscriber(endpoint, "frame/ringtest/", policy=EVERY, on_finding=told.append) as reader:
        former, by_ring, by_bell = "", 0, 0

        def reads_on() -> bool:
            nonlocal by_ring, by_bell
            received = reader.recv(20)
            assert received is not None
            assert is_whole(received)
            is_new = name_of_ring(reader) not in ("", former)
            by_ring += is_new
            by_bell += is_new and reader._inlets[b"frame/ringtest/"].bell.board is not None
            return by_ring > 50 and (by_bell > 20 or not has_bell())

        for killed in range(5):
            wait_until(reads_on)
            assert sum(isinstance(each, Restart) for each in told) == killed
            os.kill(camera.pid, signal.SIGKILL)
            camera.wait()
            while (left := reader.recv(0.2)) is not None:
                assert is_whole(left)
            camera = scripts.start(_CAMERA, endpoint)
            assert say(camera) == endpoint
            former, by_ring, by_bell = name_of_ring(reader), 0, 0
        # The ring is made with the first picture, and before that the old one was swept.
        wait_until(lambda: len(rings()) == 1 and rings()[0].name != former)
    end(camera)
    sweep()
    assert not rings()


def name_of_ring(subscriber: Subscriber) -> str:
    """The ring that it reads at the moment; "" while it takes the pixels inline."""
    reader = subscriber._inlets[b"frame/ringtest/"]._reader
    return reader.name if reader else ""


def rings() -> list[Path]:
    return list(Path("/dev/shm").glob("zbus.ringtest.*.ring"))


# In a mount namespace of its own, with a /dev/shm of its own: as in another container.
OWN_SHM = 'mount -t tmpfs -o size={size} tmpfs /dev/shm && exec "$@"'


def with_own_shm(size: str) -> tuple[str, ...]:
    within = ("unshare", "--mount", "--propagation", "private", "sh", "-c", OWN_SHM.format(size=size), "sh")
    if subprocess.run([*within, "true"], capture_output=True, check=False).returncode:
        pytest.skip("mounting a /dev/shm of one's own needs root")
    return within


def test_without_room_in_shared_memory_pixels_go_inline(scripts: Scripts) -> None:
    """Row 56: told once, and no SIGBUS whatever is written; with a little room, a smaller ring."""
    within = with_own_shm("8m")
    camera = scripts.start(_LARGE_CAMERA, within=within)
    endpoint = say(camera)
    assert say(camera).startswith("no room for 4 pictures of 6.2 MB")
    with Subscriber(endpoint, "frame/ringtest/", policy=EVERY) as reader:
        for _ in range(3):
            received = reader.recv(20)
            assert received is not None
            assert is_whole_8(received)
    assert camera.poll() is None


# Full HD in color into 8 MB; then small pictures, which have a ring; then nothing is left for a larger one.
_LARGE_CAMERA = """
import time
import numpy as np
from pathlib import Path
from zbus.transport import Publisher, RingPlan
from zbus.wire import Topic, frame_of_image
topic, number = Topic("frame", "ringtest"), 0
with Publisher("ringtest", bind=["tcp://127.0.0.1:0"], ring=RingPlan()) as camera:
    print(camera.endpoints[0], flush=True)
    assert camera.loan(topic, (1080, 1920, 3)) is None
    print(camera.ring_of(topic).why, flush=True)
    camera.ring_of(topic)._retry_s = 1e-9
    small = camera.loan(topic, (100, 100))
    small[:] = 1
    assert camera.ring_of(topic).slots == 100
    with Path("/dev/shm/filler").open("wb") as filler:
        try:
            while True:
                filler.write(bytes(65536))
                filler.flush()
        except OSError:
            pass
    for _ in range(300):
        camera.ring_of(topic).place(bytes(10_000))
    while True:
        image = np.full((1080, 1920, 3), number % 256, np.uint8)
        camera.send(topic, frame_of_image(image, "bgr8", camera="ringtest", frame_number=number,
            captured_ns=time.time_ns(), mono_ns=time.monotonic_ns()))
        number += 1
        time.sleep(0.02)
"""


def is_whole_8(received: Received) -> bool:
    frame = received.body
    assert isinstance(frame, Frame)
    assert frame.check is None
    return bool((frame.image == frame.frame_number % 256).all())


_FAR_READER = """
import sys
from zbus.transport import EVERY, Gap, Subscriber
told = []
with Subscriber(sys.argv[1], "frame/ringtest/", policy=EVERY, depth=1000, on_finding=told.append) as reader:
    numbers = []
    while len(numbers) < 200:
        frame = reader.recv(20).body
        assert (frame.image == frame.frame_number % 65536).all()
        assert frame.check is None
        numbers.append(frame.frame_number)
    lost = sum(each.lost for each in told if isinstance(each, Gap))
    assert numbers[-1] - numbers[0] + 1 == len(numbers) + lost, (numbers, told)
    assert numbers == sorted(set(numbers))
    assert reader.counters.overruns == 0
    assert reader._inlets[b"frame/ringtest/"]._reader is None
    print("whole", lost, flush=True)
"""


def test_a_reader_that_cannot_map_the_ring_has_all_inline(scripts: Scripts) -> None:
    """S28: as in another container, or behind a tunnel: nothing is missing that it is not told of."""
    within = with_own_shm("1m")
    endpoint = say(scripts.start(_CAMERA, "tcp://127.0.0.1:0"))
    reader = scripts.start(_FAR_READER, endpoint, within=within)
    assert say(reader).startswith("whole")
    with Subscriber(endpoint, "frame/ringtest/", policy=EVERY, ring="view") as near:
        wanted = None
        while wanted is None:
            received = near.recv(20)
            assert received is not None
            assert isinstance(received.body, Frame)
            wanted = received.body.check
