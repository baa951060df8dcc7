import os
import subprocess
import sys

from zbus.transport._processes import UNKNOWN_START, is_running, start_of


def test_this_process_runs_since_its_start():
    start = start_of(os.getpid())
    assert start
    assert is_running(os.getpid(), start)
    assert is_running(os.getpid(), UNKNOWN_START)


def test_another_process_of_the_same_number_is_another():
    assert not is_running(os.getpid(), (start_of(os.getpid()) or 0) + 1)


def test_a_process_that_ended():
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    assert start_of(ended.pid) is None
    assert not is_running(ended.pid, UNKNOWN_START)


def test_numbers_that_no_process_has():
    assert start_of(2**40) is None
    assert not is_running(2**70, 1)
