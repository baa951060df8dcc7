from typing import Any

import pytest

from zbus.cameras import SimCamera, SimSettings
from zbus.cameras._requests import MAX_REQUESTS, Requests
from zbus.errors import CameraError


@pytest.fixture
def camera() -> SimCamera:
    camera = SimCamera("sim1", SimSettings(width=160, height=120))
    camera.open()
    return camera


def accepting() -> Requests:
    requests = Requests()
    requests.accept()
    return requests


def test_requests_are_carried_out_in_order(camera: Any) -> None:
    requests = accepting()
    answers = [requests.ask({"Gain": float(gain)}) for gain in (1, 2, 3)]
    settings = requests.answer(camera)
    assert settings is not None
    assert settings["Gain"] == 3.0
    assert [answer.result(0)["Gain"] for answer in answers] == [1.0, 2.0, 3.0]


def test_nothing_waiting_changes_nothing(camera: Any) -> None:
    assert accepting().answer(camera) is None


def test_a_cancelled_request_is_not_carried_out(camera: Any) -> None:
    requests = accepting()
    assert requests.ask({"Gain": 9.0}).cancel()
    assert requests.answer(camera) is None
    assert camera.settings()["Gain"] == 0.0


def test_a_refusal_reaches_those_who_wait_and_those_who_come() -> None:
    requests = accepting()
    answers = [requests.ask({"Gain": 1.0})]
    requests.refuse("camera sim1 is lost: unplugged")
    answers.append(requests.ask({"Gain": 1.0}))
    for answer in answers:
        with pytest.raises(CameraError, match="unplugged"):
            answer.result(0)


def test_too_many_requests_are_refused() -> None:
    requests = accepting()
    for _ in range(MAX_REQUESTS):
        assert not requests.ask({"Gain": 1.0}).done()
    with pytest.raises(CameraError, match="are waiting already"):
        requests.ask({"Gain": 1.0}).result(0)
