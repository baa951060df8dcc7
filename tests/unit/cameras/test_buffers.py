import numpy as np
import pytest

from zbus.cameras import Buffers, FileCamera, OpenCVCamera, SimCamera, UsesBuffers


def test_without_an_owner_memory_is_its_own():
    array = Buffers().new((3, 4, 3), np.uint16)
    assert (array.shape, array.dtype) == ((3, 4, 3), np.uint16)


def test_the_owners_memory_comes_first_and_is_done_without():
    given = np.zeros((2, 2), np.uint8)
    answers = [given, None]
    buffers = Buffers()
    buffers.use(lambda shape, dtype: answers.pop(0))
    assert buffers.new((2, 2)) is given
    assert buffers.new((2, 2)).shape == (2, 2)


@pytest.mark.parametrize("camera", [SimCamera, FileCamera, OpenCVCamera])
def test_all_cameras_of_zbus_use_buffers(camera):
    assert issubclass(camera, UsesBuffers)
