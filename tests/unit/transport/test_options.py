import pytest
import zmq

from zbus.transport import (
    CONTROL_LINK,
    DOOR,
    FRAMES_IN,
    FRAMES_OUT,
    PUSH,
    SMALL_IN,
    SMALL_OUT,
    Link,
    make_socket,
)
from zbus.transport._options import SUBSCRIPTION_MAX_BYTES, SUBSCRIPTIONS_WAITING_MAX
from zbus.wire import FRAME_MAX_BYTES, HEADER_MAX_BYTES, OVERLAY_MAX_BYTES

LINKS = [FRAMES_OUT, FRAMES_IN, SMALL_OUT, SMALL_IN, DOOR, PUSH, CONTROL_LINK]


@pytest.mark.parametrize("link", LINKS)
def test_every_link_is_bounded(link: Link):
    with make_socket(zmq.PUSH, link) as socket:
        assert socket.getsockopt(zmq.SNDHWM) == socket.getsockopt(zmq.RCVHWM) == link.depth > 0
        assert socket.getsockopt(zmq.MAXMSGSIZE) == link.max_message_bytes > 0
        assert 0 <= socket.getsockopt(zmq.LINGER) == link.linger_ms <= 1_000
        assert socket.getsockopt(zmq.HEARTBEAT_IVL) == (500 if link.heartbeat else 0)
        assert socket.getsockopt(zmq.TCP_KEEPALIVE_IDLE) == 10
        assert socket.getsockopt(zmq.HANDSHAKE_IVL) == 2_000
        assert socket.getsockopt(zmq.IMMEDIATE) == link.only_present
        assert socket.getsockopt(zmq.IPV6) == 0


def test_what_the_spec_allows_fits_and_what_publishers_take_in_is_small():
    assert FRAMES_IN.max_message_bytes >= FRAME_MAX_BYTES
    assert SMALL_IN.max_message_bytes >= max(HEADER_MAX_BYTES.values())
    assert CONTROL_LINK.max_message_bytes >= max(HEADER_MAX_BYTES.values())
    assert DOOR.max_message_bytes == OVERLAY_MAX_BYTES
    assert FRAMES_OUT.max_message_bytes == SMALL_OUT.max_message_bytes == SUBSCRIPTION_MAX_BYTES


@pytest.mark.parametrize("kind", [zmq.SUB, zmq.XSUB])
def test_subscriptions_are_not_dropped_for_want_of_room(kind: int):
    with make_socket(kind, FRAMES_IN) as socket:
        assert socket.getsockopt(zmq.SNDHWM) == 0
        assert socket.getsockopt(zmq.RCVHWM) == FRAMES_IN.depth


def test_a_publisher_of_few_frames_takes_in_many_subscriptions():
    with make_socket(zmq.XPUB, FRAMES_OUT) as socket:
        assert socket.getsockopt(zmq.RCVHWM) == SUBSCRIPTIONS_WAITING_MAX
        assert socket.getsockopt(zmq.SNDHWM) == FRAMES_OUT.depth


def test_frames_do_not_hide_in_the_kernel():
    with make_socket(zmq.XPUB, FRAMES_OUT) as socket:
        assert socket.getsockopt(zmq.SNDBUF) == FRAMES_OUT.kernel_buffer_bytes > 0


def test_only_links_that_are_always_read_have_heartbeats():
    assert [link for link in LINKS if link.heartbeat] == [CONTROL_LINK]


def test_who_is_asked_sends_no_heartbeats():
    with make_socket(zmq.ROUTER, CONTROL_LINK) as asked, make_socket(zmq.DEALER, CONTROL_LINK) as asker:
        assert asked.getsockopt(zmq.HEARTBEAT_IVL) == 0
        assert asker.getsockopt(zmq.HEARTBEAT_IVL) == 500
