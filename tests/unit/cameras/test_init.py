import subprocess
import sys

import zbus.cameras
from zbus.plugins import load_plugin


def test_every_public_name_is_there() -> None:
    assert list(zbus.cameras.__all__) == sorted(zbus.cameras.__all__)
    assert all(hasattr(zbus.cameras, name) for name in zbus.cameras.__all__)


def test_importing_loads_no_heavy_library() -> None:
    program = "import sys, zbus.cameras; sys.exit(bool({'cv2', 'scipy', 'zmq'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", program], check=False, timeout=60).returncode == 0


def test_the_cameras_are_registered_as_plug_ins() -> None:
    for name, camera in (("sim", "SimCamera"), ("file", "FileCamera"), ("opencv", "OpenCVCamera")):
        assert load_plugin("zbus.cameras", name) is getattr(zbus.cameras, camera)
