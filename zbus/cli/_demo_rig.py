"""The rigs of the demo."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zbus.config import BrokerPlan, CameraPlan, GatewayPlan, OverlayPlan, Rig, TrackerPlan
from zbus.errors import TrackingError
from zbus.nodes import free_ports

if TYPE_CHECKING:
    from numpy.typing import NDArray

SAMPLES = 40
VIDEO_QUEUE_FRAMES = 128
GRAY_LEVELS = 6  # by which the channels of a gray picture differ at most, after a codec
GRAY_PART = 0.999  # of the pixels that are so


def arena_rig(animals: int) -> Rig:
    """A simulated arena, tracked from its first frame on."""
    settings = {"animals": animals}
    return Rig(
        name="demo",
        cameras={"arena": CameraPlan("sim", settings, wait_for_subscriber=True)},
        trackers={"tracker": TrackerPlan("arena", settings=settings)},
        overlay=OverlayPlan(),
        gateway=GatewayPlan(),
    )


def video_rig(video: Path, animals: int, loop: bool, folder: Path) -> Rig:
    """A video, tracked by what its own pictures suggest; a background picture goes into `folder`.

    One without colors is played as mono8, a third of the bytes. Raises CameraNotFound where it is not a
    readable video, TrackingError where it has too few pictures of one size.
    """
    from zbus.cameras import sample_pictures
    from zbus.tracking import median_picture, suggest_detector

    pictures = sample_pictures(video, SAMPLES)
    try:
        name, settings = suggest_detector(pictures, animals)
    except TrackingError as error:
        raise _tell_why(error, video) from error
    if name == "background":
        path = folder / f"{video.stem}-background.png"
        _write_picture(path, median_picture(pictures))
        settings = {**settings, "background_path": str(path)}
    camera: dict[str, Any] = {"path": str(video.resolve()), "loop": loop}
    if all(map(_is_gray, pictures)):
        camera["pixel_format"] = "mono8"
    tracker = {"animals": animals, "detector": name, "detector_settings": settings}
    return Rig(
        name="demo",
        cameras={"video": CameraPlan("file", camera, wait_for_subscriber=True)},
        trackers={"tracker": TrackerPlan("video", settings=tracker, queue_frames=VIDEO_QUEUE_FRAMES)},
        overlay=OverlayPlan(),
        gateway=GatewayPlan(),
    )


def choose_ports(rig: Rig) -> Rig:
    """The same rig at ports that are free now."""
    directory, publish, subscribe, overlay, page = free_ports(5)
    address = "tcp://127.0.0.1:{}".format
    return replace(
        rig,
        broker=BrokerPlan(address(directory), address(publish), address(subscribe)),
        overlay=rig.overlay and OverlayPlan(address(overlay)),
        gateway=rig.gateway and GatewayPlan(f"127.0.0.1:{page}"),
    )


def _tell_why(error: TrackingError, video: Path) -> TrackingError:
    """What the detector's choice failed for, said of the video or folder."""
    step = "give a longer video, or a folder of pictures"
    if video.is_dir():
        step = "put more pictures of one size there: those of another size than the first are passed over"
    return TrackingError(f"{video}: {error.cause}; {error.next_step}", next_step=step)


def _is_gray(picture: NDArray[Any]) -> bool:
    """True where the channels are the same at almost all pixels, or there is only one."""
    import numpy as np

    if picture.ndim == 2:
        return True
    # Why in int16: differences of uint8 wrap around.
    spread = np.ptp(picture.astype(np.int16), axis=2)
    return bool((spread <= GRAY_LEVELS).mean() >= GRAY_PART)


def _write_picture(path: Path, picture: object) -> None:
    import cv2
    import numpy as np

    cv2.imwrite(str(path), np.asarray(picture))
