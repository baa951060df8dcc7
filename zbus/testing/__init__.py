"""Proofs to run on code that is not ours: contracts for plug-ins, and the conformance vectors of the wire."""

from zbus.testing._camera_contract import check_camera
from zbus.testing._detector_contract import check_detector, draw_animals
from zbus.testing._tracker_contract import check_tracker
from zbus.testing._vectors import VECTOR_KINDS, Vector, load_vectors

__all__ = [
    "VECTOR_KINDS",
    "Vector",
    "check_camera",
    "check_detector",
    "check_tracker",
    "draw_animals",
    "load_vectors",
]
