"""The rigs of the demo."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from zbus.config import BrokerPlan, CameraPlan, GatewayPlan, OverlayPlan, Rig, TrackerPlan
from zbus.nodes import free_ports

SAMPLES = 40
VIDEO_QUEUE_FRAMES = 128


def arena_rig(animals: int) -> Rig:
    """A simulated arena, tracked."""
    settings = {"animals": animals}
    return Rig(
        name="demo",
        cameras={"arena": CameraPlan("sim", settings)},
        trackers={"tracker": TrackerPlan("arena", settings=settings)},
        overlay=OverlayPlan(),
        gateway=GatewayPlan(),
    )


def video_rig(video: Path, animals: int, loop: bool, folder: Path) -> Rig:
    """A video, tracked by what its own pictures suggest; a background picture goes into `folder`.

    Raises CameraNotFound where it is not a readable video.
    """
    from zbus.cameras import sample_pictures
    from zbus.tracking import median_picture, suggest_detector

    pictures = sample_pictures(video, SAMPLES)
    name, settings = suggest_detector(pictures, animals)
    if name == "background":
        path = folder / f"{video.stem}-background.png"
        _write_picture(path, median_picture(pictures))
        settings = {**settings, "background_path": str(path)}
    tracker = {"animals": animals, "detector": name, "detector_settings": settings}
    return Rig(
        name="demo",
        cameras={
            "video": CameraPlan(
                "file", {"path": str(video.resolve()), "loop": loop}, wait_for_subscriber=True
            )
        },
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


def _write_picture(path: Path, picture: object) -> None:
    import cv2
    import numpy as np

    cv2.imwrite(str(path), np.asarray(picture))
