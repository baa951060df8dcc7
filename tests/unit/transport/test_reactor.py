import os
import signal
import socket as plain
import threading

import pytest
import zmq

from zbus.errors import TransportError
from zbus.transport import DOOR, PUSH, Reactor, make_socket
from zbus.transport import _reactor as reactor_module

DEADLINE_S = 20.0


@pytest.fixture
def reactor():
    """A loop that is ended at the deadline, whatever the test does."""
    with Reactor() as reactor:
        reactor.after(DEADLINE_S, lambda: pytest.fail("the loop was not stopped"))
        yield reactor


@pytest.fixture
def pipe():
    reading, writing = plain.socketpair()
    with reading, writing:
        yield reading, writing


def test_timers_come_in_the_order_of_their_times(reactor):
    came = []
    for delay_s in (0.03, 0.01, 0.02):
        reactor.after(delay_s, lambda delay_s=delay_s: came.append(delay_s))
    reactor.after(0.04, reactor.stop)
    reactor.run()
    assert came == [0.01, 0.02, 0.03]


def test_timers_of_one_time_come_in_the_order_they_were_set(reactor):
    came = []
    for number in range(20):
        timer = reactor.after(0, lambda number=number: came.append(number))
        timer.due_s = 0.0
    reactor.after(0.01, reactor.stop)
    reactor.run()
    assert came == sorted(came)


def test_a_beat_comes_again_and_again_until_it_is_cancelled(reactor):
    beats = []
    beat = reactor.every(0.002, lambda: beats.append(1) or (len(beats) == 5 and beat.cancel()), first_s=0.0)
    reactor.after(0.05, reactor.stop)
    reactor.run()
    assert len(beats) == 5


def test_missed_beats_are_not_made_up_for(reactor, monkeypatch):
    now, beats = [100.0], []
    monkeypatch.setattr(reactor_module.time, "monotonic", lambda: now[0])
    reactor.every(1.0, lambda: beats.append(now[0]))
    for now[0] in (100.5, 101.0, 101.2, 105.7, 105.9, 106.0, 107.0):
        reactor.run_once(0)
    assert beats == [101.0, 105.7, 106.0, 107.0]


def test_a_period_must_be_longer_than_nothing(reactor):
    for period_s in (0.0, -1.0, float("nan")):
        with pytest.raises(ValueError, match="a period of"):
            reactor.every(period_s, lambda: None)


def test_cancelled_timers_do_not_pile_up(reactor):
    kept = reactor.after(1_000, lambda: None)
    for _ in range(10_000):
        reactor.after(500, lambda: None).cancel()
    assert len(reactor._timers) < 300
    assert kept in reactor._timers


def test_a_timer_may_set_and_cancel_timers(reactor):
    came = []
    never = reactor.after(0.02, lambda: came.append("never"))

    def first():
        never.cancel()
        reactor.after(0.0, lambda: came.append("next"))

    reactor.after(0.0, first)
    reactor.after(0.05, reactor.stop)
    reactor.run()
    assert came == ["next"]


def test_it_calls_back_for_descriptors_and_sockets(reactor, pipe):
    reading, writing = pipe
    heard = []
    with make_socket(zmq.PULL, DOOR) as pull, make_socket(zmq.PUSH, PUSH) as push:
        pull.bind("inproc://reactor")
        push.connect("inproc://reactor")
        reactor.watch(pull, lambda: heard.append(pull.recv()))
        reactor.watch(reading.fileno(), lambda: heard.append(reading.recv(10)))
        push.send(b"socket")
        writing.send(b"descriptor")
        while len(heard) < 2:
            reactor.run_once()
        assert set(heard) == {b"socket", b"descriptor"}
        reactor.unwatch(pull)
        reactor.unwatch(reading.fileno())


def test_a_callback_may_unwatch_the_other_that_is_ready_too(reactor, pipe):
    (one, to_one), came = pipe, []
    two, to_two = plain.socketpair()
    with two, to_two:

        def only(mine, other):
            came.append(mine)
            reactor.unwatch(other.fileno())
            mine.recv(10)

        reactor.watch(one.fileno(), lambda: only(one, two))
        reactor.watch(two.fileno(), lambda: only(two, one))
        to_one.send(b"x")
        to_two.send(b"x")
        reactor.run_once()
        assert len(came) == 1
        reactor.unwatch(came[0].fileno())


def test_other_threads_hand_over_work_in_order(reactor):
    came = []

    def work():
        for number in range(500):
            reactor.call_soon(lambda number=number: came.append((number, threading.get_ident())))
        reactor.call_soon(reactor.stop)

    thread = threading.Thread(target=work)
    thread.start()
    reactor.run()
    thread.join()
    assert came == [(number, threading.get_ident()) for number in range(500)]


def test_work_handed_over_before_it_runs_is_not_lost():
    came = []
    reactor = Reactor()
    reactor.call_soon(lambda: came.append(1))
    reactor.call_soon(reactor.stop)
    reactor.run()
    reactor.close()
    assert came == [1]


def test_a_loop_that_hangs_is_told_to_who_hands_over(reactor, monkeypatch):
    monkeypatch.setattr(reactor_module, "SOON_MAX", 3)
    for _ in range(3):
        reactor.call_soon(lambda: None)
    with pytest.raises(TransportError, match="does not come to them"):
        reactor.call_soon(lambda: None)


def test_many_wake_ups_do_not_block(reactor):
    for _ in range(100_000):
        reactor.wake()
    reactor.call_soon(reactor.stop)
    reactor.run()


def test_waking_a_loop_that_was_closed_is_nothing():
    reactor = Reactor()
    reactor.open()
    reactor.open()
    reactor.close()
    reactor.close()
    reactor.wake()
    reactor.stop()


def test_stop_ends_the_turn_after_the_present_callback(reactor):
    came = []
    for name in ("one", "two"):
        reactor.call_soon(lambda name=name: came.append(name) or reactor.stop())
    reactor.after(0, lambda: came.append("timer"))
    reactor.run()
    assert came == ["one"]
    assert reactor.stopping
    reactor.run()
    assert came == ["one"]


def test_stop_from_another_thread_ends_a_long_wait(reactor):
    thread = threading.Thread(target=reactor.stop)
    reactor.call_soon(thread.start)
    reactor.run()
    thread.join()


def test_stop_from_a_signal_handler_ends_a_long_wait(reactor):
    before = signal.signal(signal.SIGUSR1, lambda number, frame: reactor.stop())
    try:
        reactor.call_soon(lambda: os.kill(os.getpid(), signal.SIGUSR1))
        reactor.run()
    finally:
        signal.signal(signal.SIGUSR1, before)


@pytest.mark.parametrize("error", [ValueError("slip"), KeyboardInterrupt()])
def test_an_error_ends_run_and_reaches_its_caller_and_the_rest_comes_later(reactor, error):
    came = []

    def fail():
        raise error

    reactor.call_soon(fail)
    reactor.call_soon(lambda: came.append(1))
    reactor.call_soon(reactor.stop)
    with pytest.raises(type(error)):
        reactor.run()
    reactor.run()
    assert came == [1]


def test_an_error_of_a_timer_does_not_end_its_beat(reactor):
    beats = []

    def beat():
        beats.append(1)
        if len(beats) == 1:
            raise ValueError("slip")
        reactor.stop()

    reactor.every(0.001, beat)
    with pytest.raises(ValueError, match="slip"):
        reactor.run()
    reactor.run()
    assert len(beats) == 2


def test_it_waits_without_burning_the_processor(reactor):
    reactor.after(0.3, reactor.stop)
    turns = 0
    while not reactor.stopping:
        reactor.run_once()
        turns += 1
    assert turns < 10
