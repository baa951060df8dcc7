import numpy as np

from zbus.transport._lending import POOL_BUFFERS_MAX, BufferPool, Lending, address_of
from zbus.wire import frame_of_image


def test_a_piece_comes_back_when_the_last_view_of_it_is_gone():
    back = []
    memory = bytearray(64)
    lending = Lending(back.append)
    array = lending.lend(7, memory)
    picture = array.view(np.uint8).reshape(8, 8)[:, :]
    frame = frame_of_image(picture, "mono8", camera="c", frame_number=0, captured_ns=0, mono_ns=0)
    data = frame.data
    picture[3, 3] = 9
    assert memory[27] == 9
    del array
    assert back == []
    del picture, frame
    assert back == []
    del data
    assert back == [7]


def test_a_number_can_be_lent_again():
    back = []
    lending = Lending(back.append)
    for _ in range(3):
        array = lending.lend(0, bytearray(4))
        assert array.flags.writeable
        del array
    assert back == [0, 0, 0]


def test_a_pool_gives_memory_again_that_nobody_looks_at():
    pool = BufferPool()
    first = pool.take(1000)
    address = address_of(first)[0]
    second = pool.take(1000)
    assert address_of(second)[0] != address
    del first
    assert address_of(pool.take(1000))[0] == address


def test_a_pool_gives_what_it_was_asked_for():
    pool = BufferPool()
    for nbytes in (10, 20, 10):
        assert pool.take(nbytes).nbytes == nbytes


def test_a_pool_keeps_few_buffers():
    pool = BufferPool()
    taken = [pool.take(10) for _ in range(3 * POOL_BUFFERS_MAX)]
    taken.clear()
    assert len(pool._free) == POOL_BUFFERS_MAX
    assert not pool._out


def test_addresses():
    data = bytearray(16)
    whole, part = address_of(data), address_of(memoryview(data)[4:12])
    assert (part[0] - whole[0], part[1], whole[1]) == (4, 8, 16)
