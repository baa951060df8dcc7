import zmq
from running_edge import knock

from zbus.errors import AddressInUse
from zbus.transport import DOOR, Reactor
from zbus_brokers.edge._outer import Outer


def test_opened_again_it_is_at_the_same_place_with_no_old_connection(free_endpoint, wait_until):
    place = free_endpoint()
    with Reactor() as reactor:
        outer = Outer(zmq.PULL, DOOR, place, reactor, None, lambda socket: None)
        took = []
        outer.on_readable = lambda: took.append(outer.socket.recv())
        outer.open()
        with knock(zmq.PUSH, place, None) as socket:
            assert socket.poll(20_000, zmq.POLLOUT)
            socket.send(b"1")
            wait_until(lambda: reactor.run_once(0.1) or took == [b"1"])
            old = outer.socket
            outer.close()
            outer.close()
            assert old.closed
            assert not outer.is_open
            assert not outer.send([b"x"])
            while not outer.is_open:
                try:
                    outer.open()
                except AddressInUse:
                    reactor.run_once(0.01)
            assert outer.counters.connected == 1
            wait_until(lambda: reactor.run_once(0.05) or outer.counters.connected == 2)
        outer.close()
