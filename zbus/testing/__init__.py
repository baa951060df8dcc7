"""Proofs to run on code that is not ours: the conformance vectors of the wire."""

from zbus.testing._vectors import VECTOR_KINDS, Vector, load_vectors

__all__ = ["VECTOR_KINDS", "Vector", "load_vectors"]
