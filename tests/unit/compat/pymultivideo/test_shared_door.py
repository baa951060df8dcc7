import pytest

from zbus.compat.pymultivideo._shared_door import _is_same_address, _other_camera


@pytest.mark.parametrize(
    ("door", "wanted", "same"),
    [
        ("tcp://127.0.0.1:5556", "tcp://localhost:5556", True),
        ("tcp://0.0.0.0:5556", "tcp://127.0.0.1:5556", True),
        ("tcp://127.0.0.1:5556", "tcp://*:5556", True),
        ("tcp://127.0.0.1:5556", "tcp://127.0.0.1:5557", False),
        ("tcp://10.0.0.7:5556", "tcp://127.0.0.1:5556", False),
        ("", "tcp://127.0.0.1:5556", False),
    ],
)
def test_two_ways_to_write_one_address(door: str, wanted: str, same: bool) -> None:
    assert _is_same_address(door, wanted) is same


def test_whose_meaning_a_door_has() -> None:
    assert _other_camera({"id": "pymultivideo", "camera": "cam2"}, "cam1") == "cam2"
    assert _other_camera({"id": "pymultivideo", "camera": "cam1"}, "cam1") == ""
    assert _other_camera({"id": "", "camera": "cam2"}, "cam1") == ""
    assert _other_camera({}, "cam1") == ""
