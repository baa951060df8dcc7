from typing import Any

import cv2
import pytest

from zbus.cameras._capture_properties import CaptureProperties
from zbus.errors import CameraError


def properties(capture: Any) -> CaptureProperties:
    return CaptureProperties("usb1", capture)


def test_settings_are_read_in_genicam_units(fake_capture: Any) -> None:
    assert properties(fake_capture()).read_all() == {
        "Width": 640,
        "Height": 480,
        "AcquisitionFrameRate": 30.0,
        "ExposureAuto": "Continuous",
        "ExposureTime": 15_700.0,
        "Gain": 10.0,
    }


def test_settings_are_written_in_the_drivers_units(fake_capture: Any) -> None:
    capture = fake_capture()
    properties(capture).write({"ExposureAuto": "Off", "ExposureTime": 5000.0, "Gain": 3.0})
    assert capture.values[cv2.CAP_PROP_AUTO_EXPOSURE] == 1.0
    assert capture.values[cv2.CAP_PROP_EXPOSURE] == 50.0
    assert capture.values[cv2.CAP_PROP_GAIN] == 3.0


def test_a_size_is_taken_as_a_pair(fake_capture: Any) -> None:
    capture = fake_capture()
    properties(capture).write({"Width": 800, "Height": 600})
    assert properties(capture).read_all()["Width"] == 800


def test_what_the_driver_refuses_is_named_and_the_rest_put_back(fake_capture: Any) -> None:
    capture = fake_capture(stubborn=(cv2.CAP_PROP_GAIN,))
    before = dict(capture.values)
    with pytest.raises(CameraError, match=r"did not take Gain = 3.0, it has 10.0"):
        properties(capture).write({"ExposureTime": 5000.0, "Gain": 3.0, "Width": 800, "Height": 600})
    assert capture.values == before


def test_what_the_driver_does_not_have_cannot_be_set(fake_capture: Any) -> None:
    with pytest.raises(CameraError, match="Sharpness"):
        properties(fake_capture()).write({"Sharpness": 3.0})
