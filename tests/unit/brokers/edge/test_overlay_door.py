import zmq
from running_edge import knock

DRAWING = b'{"DRAW_BOX": {"TOP_LEFT": [1, 2], "BOTTOM_RIGHT": [3, 4]}}'


def test_drawings_of_keys_that_may_draw_go_on(edge, door):
    with (
        knock(zmq.PUSH, edge.overlays, edge.key("mute")) as mute,
        knock(zmq.PUSH, edge.overlays, edge.key("artist", overlay=True)) as artist,
    ):
        for socket in (mute, artist):
            assert socket.poll(20_000, zmq.POLLOUT)
        mute.send(b"forbidden")
        artist.send_multipart([DRAWING, b"more"])
        artist.send(DRAWING)
        assert door.poll(20_000)
        assert door.recv_multipart() == [DRAWING]
        assert not door.poll(200)
