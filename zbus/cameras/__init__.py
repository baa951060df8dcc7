"""Sources of pictures: simulated, from files, through OpenCV, and the thread that grabs from any of them.

Importing this package loads neither OpenCV nor SciPy; a camera does when it opens.
"""

from zbus.cameras._buffers import BufferMaker, Buffers, UsesBuffers
from zbus.cameras._camera import Camera, Capture, EndOfStream, Setting
from zbus.cameras._devices import Device, list_devices
from zbus.cameras._file import FileCamera, FileSettings
from zbus.cameras._grabber import Grabber, GrabCounters, StateChange
from zbus.cameras._opencv import OpenCVCamera, OpenCVSettings
from zbus.cameras._sampling import sample_pictures
from zbus.cameras._settings import Feature, check_changes
from zbus.cameras._sim import SimCamera
from zbus.cameras._sim_settings import SimSettings

__all__ = [
    "BufferMaker",
    "Buffers",
    "Camera",
    "Capture",
    "Device",
    "EndOfStream",
    "Feature",
    "FileCamera",
    "FileSettings",
    "GrabCounters",
    "Grabber",
    "OpenCVCamera",
    "OpenCVSettings",
    "Setting",
    "SimCamera",
    "SimSettings",
    "StateChange",
    "UsesBuffers",
    "check_changes",
    "list_devices",
    "sample_pictures",
]
