import mmap
import os
import signal
import threading
import time

import pytest

from zbus.transport import _bell as bell_module
from zbus.transport._bell import Bell, has_bell

pytestmark = pytest.mark.skipif(not has_bell(), reason="there are no bells here")


@pytest.fixture
def sides(tmp_path):
    """A bell of who rings, and that of who may only read."""
    with (tmp_path / "word").open("w+b") as file:
        file.truncate(4096)
        writable = mmap.mmap(file.fileno(), 4096)
        readable = mmap.mmap(file.fileno(), 4096, mmap.MAP_SHARED, mmap.PROT_READ)
    yield Bell(memoryview(writable)), Bell(memoryview(readable))


def test_who_waits_is_woken(sides):
    ringing, waiting = sides
    done = threading.Event()

    def wait() -> None:
        before = waiting.count
        while waiting.count == before:
            waiting.wait(before, 60.0)
        done.set()

    thread = threading.Thread(target=wait)
    thread.start()
    ringing.ring()
    while not done.wait(0.01):
        ringing.ring()
    thread.join()


def test_what_was_rung_before_is_not_waited_for(sides):
    ringing, waiting = sides
    count = waiting.count
    ringing.ring()
    waiting.wait(count, 3600.0)
    assert waiting.count == count + 1


def test_nobody_waits_for_longer_than_was_said(sides):
    _, waiting = sides
    began_s = time.monotonic()
    waiting.wait(waiting.count, 0.05)
    assert time.monotonic() - began_s >= 0.05


def test_the_count_goes_round(sides):
    ringing, waiting = sides
    ringing._word[0] = 2**32 - 1
    ringing.ring()
    assert waiting.count == 0


def test_a_signal_gets_through(sides):
    """Whoever waits for ever can be interrupted."""
    _, waiting = sides

    class Interrupted(Exception):
        pass

    def interrupt(*_: object) -> None:
        raise Interrupted

    before = signal.signal(signal.SIGUSR1, interrupt)
    timer = threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGUSR1))
    timer.start()
    try:
        with pytest.raises(Interrupted):
            while True:
                waiting.wait(waiting.count, 60.0)
    finally:
        timer.join()
        signal.signal(signal.SIGUSR1, before)


def test_elsewhere_there_is_none(monkeypatch):
    monkeypatch.setattr(bell_module.sys, "platform", "win32")
    assert not has_bell()
    monkeypatch.undo()
    monkeypatch.setattr(bell_module.platform, "machine", lambda: "m68k")
    assert not has_bell()
