"""Every bound of the wire, as listed in spec/registry.md."""

from __future__ import annotations

WIRE_VERSION = 1

TOPIC_MAX_BYTES = 128
SOURCE_MAX_CHARS = 64
PARTS_MAX = 3

HEADER_MAX_BYTES = {
    "frame": 4_096,
    "tracks": 262_144,
    "overlay": 131_072,
    "state": 65_536,
    "event": 65_536,
    "control": 65_536,
    "reply": 262_144,
}
UNKNOWN_HEADER_MAX_BYTES = 65_536
HEADER_MAX_DEPTH = 8

FRAME_MAX_BYTES = 268_435_456
SIDE_MAX_PX = 16_384

RING_SLOTS_MIN = 2
RING_SLOTS_MAX = 4_096
RING_ALIGN_BYTES = 64
RING_HEADER_MAX_BYTES = 4_096
RING_ENTRIES_MAX = 4_096
RING_ENTRY_MAX_BYTES = 8_192
RING_FILE_MAX_BYTES = 17_179_869_184

TRACKS_MAX_ROWS = 2_048
# Why: tracks travel as float32, and what is past its range would arrive as infinity.
NUMBER_MAX = 3.4e38

OVERLAY_MAX_BYTES = 65_536
OVERLAY_BATCH_MAX = 256
SHAPES_MAX_PER_CAMERA = 256
POINTS_MAX = 256
COORDINATE_MAX_PX = 1_000_000.0
LABEL_MAX_CHARS = 256
LIFETIME_DEFAULT_S = 1.0
LIFETIME_MAX_S = 60.0

# Why: what fits into one packet of any network is there whole or not at all.
BEACON_MAX_BYTES = 1_200

RELAY_HEADER_MAX_BYTES = 262_144
RELAY_NODES_MAX = 256
RELAY_NODE_TOPICS_MAX = 64
RELAY_TOPICS_MAX = 1_024

INTEGER_MIN = -(2**63)
INTEGER_MAX = 2**63 - 1
