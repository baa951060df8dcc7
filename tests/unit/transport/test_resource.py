import pytest

from zbus.transport import Resource
from zbus.transport._resource import to_ms


class Door(Resource):
    def __init__(self) -> None:
        self.log: list[str] = []

    def open(self) -> None:
        self.log.append("open")

    def close(self) -> None:
        self.log.append("close")


def test_with_opens_and_closes_whatever_happens():
    door = Door()
    with pytest.raises(KeyboardInterrupt), door as entered:
        assert entered is door
        raise KeyboardInterrupt
    assert door.log == ["open", "close"]


@pytest.mark.parametrize(
    ("seconds", "ms"), [(0, 0), (-1, 0), (0.0001, 1), (0.001, 1), (0.0011, 2), (2, 2000)]
)
def test_a_wait_is_rounded_up(seconds: float, ms: int):
    assert to_ms(seconds) == ms
