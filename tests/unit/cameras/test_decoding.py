import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from zbus.cameras._decoding import convert, decode_picture, pixel_format_of

NOISY = """
import sys
from zbus.cameras import FileCamera, FileSettings, OpenCVCamera, OpenCVSettings
from zbus.errors import CameraNotFound
for camera in (
    FileCamera("a", FileSettings(sys.argv[1])),
    OpenCVCamera("b", OpenCVSettings(device="rtsp://127.0.0.1:9/none")),
    OpenCVCamera("c", OpenCVSettings(device=9999)),
):
    try:
        camera.open()
    except CameraNotFound:
        pass
"""


def test_the_decoders_are_kept_from_printing(tmp_path: Path) -> None:
    broken = tmp_path / "clip.mp4"
    broken.write_bytes(b"\x00\x00\x00\x18ftypmp42" + bytes(200))
    program = [sys.executable, "-c", NOISY, str(broken)]
    ran = subprocess.run(program, capture_output=True, text=True, check=True, timeout=60)
    assert (ran.stdout, ran.stderr) == ("", "")


@pytest.mark.parametrize("shape", [(4, 6), (4, 6, 3)])
def test_a_picture_is_decoded_as_it_is(shape: tuple[int, ...]) -> None:
    picture = np.arange(np.prod(shape), dtype=np.uint8).reshape(shape)
    content = cv2.imencode(".png", picture)[1].tobytes()
    decoded = decode_picture(content)
    assert decoded is not None
    assert np.array_equal(decoded, picture)


@pytest.mark.parametrize("content", [b"", b"no picture", b"\x89PNG\r\n\x1a\n"])
def test_what_is_no_picture_is_none(content: bytes) -> None:
    assert decode_picture(content) is None


def test_formats_are_converted_only_where_needed() -> None:
    gray = np.full((4, 6), 7, np.uint8)
    assert convert(gray, "mono8") is gray
    color = convert(gray, "bgr8")
    assert color.shape == (4, 6, 3)
    assert convert(color, "bgr8") is color
    assert np.array_equal(convert(color, "mono8"), gray)
    assert convert(gray[:, :, None], "mono8").shape == (4, 6)
    assert pixel_format_of(gray[:, :, None]) == "mono8"
