import threading

import pytest
import zmq

from zbus.transport import SMALL_OUT
from zbus.transport._own_socket import OwnSocket


def test_it_is_there_between_open_and_close():
    own = OwnSocket("thing")
    with pytest.raises(RuntimeError, match="the thing is not open"):
        own.get()
    assert own.open(zmq.PUB, SMALL_OUT) is own.get()
    assert own.is_open
    own.close()
    own.close()
    assert not own.is_open
    with pytest.raises(RuntimeError, match="with statement"):
        own.get()


def test_opening_twice_is_a_mistake_and_loses_nothing():
    own = OwnSocket("thing")
    socket = own.open(zmq.PUB, SMALL_OUT)
    with pytest.raises(RuntimeError, match="open already"):
        own.open(zmq.PUB, SMALL_OUT)
    own.close()
    assert socket.closed


def test_it_may_be_opened_again_elsewhere():
    own = OwnSocket("thing")
    own.open(zmq.PUB, SMALL_OUT)
    own.close()
    thread = threading.Thread(target=own.open, args=(zmq.PUB, SMALL_OUT))
    thread.start()
    thread.join()
    with pytest.raises(RuntimeError, match="belongs to the thread"):
        own.get()
    own.close()
