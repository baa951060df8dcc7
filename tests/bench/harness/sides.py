"""The two sides of a round, each in a process of its own."""

from __future__ import annotations

import importlib
import resource
import time
import traceback
from ctypes import c_int64
from multiprocessing.connection import Connection
from multiprocessing.sharedctypes import RawArray
from typing import Any

from harness.job import Contender, Got, Job, Sender, is_marked, now_ns
from harness.summary import percentile

# The places of the counters that the sides share, then the last number of each subscriber.
FIRST, END, HEARD = 0, 1, 2
HEARING_EVERY_S = 0.01
WARM_UP_S = 0.25
# With nothing heard for so long, what is on its way is taken to be lost.
STALL_S = 0.05
SILENCE_S = 0.4
TAIL_S = 1.0
POLL_S = 0.1


def make_counters(subscribers: int) -> Any:
    """Shared memory of both sides: no message is needed to tell how far the other one is."""
    return RawArray(c_int64, HEARD + subscribers)


def publisher_side(contender: Contender, job: Job, counters: Any, pipe: Connection) -> None:
    """Open, tell where, send once all hear, tell what it cost."""
    with Told(pipe):
        module = importlib.import_module(f"contenders.{contender.module}")
        with module.publisher(job, **contender.options) as sender:
            pipe.send(("open", sender.endpoint))
            pipe.send(("sent", send_all(job, sender, counters)))
            pipe.recv()


def send_all(job: Job, sender: Sender, counters: Any) -> dict[str, Any]:
    """Send until every subscriber hears, warm up, then what counts."""
    number = 1
    deadline_s = time.monotonic() + 20.0
    while not all(counters[HEARD:]):
        sender.send(number)
        number += 1
        time.sleep(max(HEARING_EVERY_S, 4e-9 * job.nbytes))
        if time.monotonic() > deadline_s:
            raise TimeoutError("no subscriber heard anything for 20 s")
    number = send_for(job, sender, counters, number, WARM_UP_S)
    counters[FIRST] = number
    usage, began_s = cpu_s(), time.monotonic()
    end = send_for(job, sender, counters, number, job.seconds)
    took_s, used_s = time.monotonic() - began_s, cpu_s() - usage
    counters[END] = end
    send_tail(job, sender, counters, end)
    return {"sent": end - number, "seconds": took_s, "cpu_s": used_s, "process_cpu_s": cpu_s()}


def send_tail(job: Job, sender: Sender, counters: Any, end: int) -> None:
    """Send on, uncounted, until all have come to the end: the last picture that counts may have been lost."""
    heard, changed_s = min(counters[HEARD:]), time.monotonic()
    number = end
    while heard < end - 1 and time.monotonic() - changed_s < TAIL_S:
        time.sleep(max(HEARING_EVERY_S, 4e-9 * job.nbytes))
        sender.send(number)
        number += 1
        if min(counters[HEARD:]) != heard:
            heard, changed_s = min(counters[HEARD:]), time.monotonic()


def send_for(job: Job, sender: Sender, counters: Any, number: int, seconds: float) -> int:
    """Send for some time, at absolute deadlines or as fast as the window allows; returns the next number."""
    began_s = time.monotonic()
    if not job.rate_hz:
        while time.monotonic() - began_s < seconds:
            wait_for_room(counters, number, job.window)
            sender.send(number)
            number += 1
        return number
    for beat in range(round(seconds * job.rate_hz)):
        wait_s = began_s + beat / job.rate_hz - time.monotonic()
        if wait_s > 0:
            time.sleep(wait_s)
        elif wait_s < -2 * seconds:
            # Why: who is ten times too slow need not be waited for.
            break
        sender.send(number)
        number += 1
    return number


def wait_for_room(counters: Any, number: int, window: int) -> None:
    """Until fewer than `window` are on their way to every subscriber, or they seem lost."""
    if number - min(counters[HEARD:]) <= window:
        return
    deadline_s = time.monotonic() + STALL_S
    while number - min(counters[HEARD:]) > window and time.monotonic() < deadline_s:
        time.sleep(2e-5)


def subscriber_side(
    contender: Contender, job: Job, endpoint: str, place: int, counters: Any, pipe: Connection
) -> None:
    """Open, receive until the end, tell what came."""
    with Told(pipe):
        module = importlib.import_module(f"contenders.{contender.module}")
        with module.subscriber(job, endpoint, **contender.options) as recv:
            pipe.send(("got", receive_all(job, recv, HEARD + place, counters)))


def receive_all(job: Job, recv: Any, place: int, counters: Any) -> dict[str, Any]:
    """Take pictures until the last one came, or nothing comes any more."""
    lags_ns: list[int] = []
    torn = overrun = 0
    came_ns: list[int] = []
    usage = silent_s = 0.0
    while True:
        got: Got | None = recv(POLL_S)
        now = now_ns()
        if got is None:
            silent_s += POLL_S
            if counters[END] and silent_s > SILENCE_S:
                break
            continue
        silent_s = 0.0
        if counters[FIRST] and got.number >= counters[FIRST] and not 0 < counters[END] <= got.number:
            usage = usage or cpu_s()
            lags_ns.append(now - got.stamp_ns)
            came_ns.append(now)
            is_right = got.image is None or is_marked(got.image, got.number)
            is_whole = got.is_whole is None or got.is_whole()
            overrun += not is_whole
            torn += is_whole and not is_right
        counters[place] = got.number
        if counters[END] and got.number >= counters[END] - 1:
            break
        if job.pause_s:
            time.sleep(job.pause_s)
    told = {"torn": torn, "overrun": overrun, "cpu_s": cpu_s() - usage if usage else 0.0}
    return summary_of(lags_ns, came_ns) | told | {"process_cpu_s": cpu_s()}


def summary_of(lags_ns: list[int], came_ns: list[int]) -> dict[str, Any]:
    """What is told of one subscriber's round."""
    took_ns = came_ns[-1] - came_ns[0] if len(came_ns) > 1 else 0
    return {
        "received": len(lags_ns),
        "p50_us": percentile(lags_ns, 50) / 1e3 if lags_ns else None,
        "p99_us": percentile(lags_ns, 99) / 1e3 if lags_ns else None,
        "per_s": (len(came_ns) - 1) * 1e9 / took_ns if took_ns else 0.0,
    }


def cpu_s() -> float:
    """Seconds that this process has kept a processor busy, its kernel's time too."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


class Told:
    """Tells the parent what went wrong."""

    def __init__(self, pipe: Connection) -> None:
        self.pipe = pipe

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> bool:
        if isinstance(error, ImportError):
            self.pipe.send(("absent", f"{error}"))
        elif isinstance(error, Exception):
            where = traceback.extract_tb(trace)[-1]
            self.pipe.send(("failed", f"{type(error).__name__}: {error} ({where.name})"))
        return isinstance(error, Exception)
