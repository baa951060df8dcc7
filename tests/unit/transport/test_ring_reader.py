import pytest

from zbus.errors import WireError
from zbus.transport import RingReader, RingWriter


@pytest.fixture
def pair(tmp_path):
    with RingWriter("cam1", 4, 100, tmp_path) as ring:
        reference = ring.copy_in(b"p" * 100)
        yield ring, RingReader(ring.name, reference.generation, tmp_path), reference


def test_views_are_read_only_and_of_the_size_asked_for(pair):
    _, reader, where = pair
    view = reader.pixels(where.slot, 60)
    assert (len(view), view.readonly) == (60, True)


@pytest.mark.parametrize(("slot", "nbytes"), [(4, 10), (4095, 10), (-1, 10), (0, 101), (0, 0), (0, 2**40)])
def test_what_is_not_in_the_ring_is_refused(pair, slot, nbytes):
    """S28: slot and size of a notice are checked for each one."""
    with pytest.raises(WireError, match="size_mismatch"):
        pair[1].pixels(slot, nbytes)


def test_a_mapped_ring_outlives_its_file_and_its_reader(pair):
    ring, reader, where = pair
    view = reader.pixels(where.slot, 100)
    ring.close()
    del reader
    assert bytes(view) == b"p" * 100


def test_what_cannot_be_opened_says_so(tmp_path):
    with pytest.raises(FileNotFoundError):
        RingReader("zbus.cam1.0000000000000000.ring", 1, tmp_path)
    with pytest.raises(WireError):
        RingReader("../x", 1, tmp_path)
