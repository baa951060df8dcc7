"""Recordings that can be trusted: segments, writers, sidecar, manifest, exports. Not built yet."""

__all__: list[str] = []
