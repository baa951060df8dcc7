"""Write the conformance vectors: `python tests/conformance/make_vectors.py [folder]`.

The bytes are made by hand in `making/`, never by zbus.wire: the vectors check the code, not themselves.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from making.beacon import beacon_vectors
from making.control import reply_vectors, request_vectors
from making.envelope import envelope_vectors
from making.forms import plain
from making.frame import frame_vectors
from making.overlay import door_vectors, overlay_vectors
from making.relay import relay_vectors
from making.ring import notice_vectors, ring_vectors
from making.state import event_vectors, state_vectors
from making.tracks import tracks_vectors

HOME = Path(__file__).parents[2] / "zbus" / "testing" / "vectors"
SPEC = "1.0"

MAKERS = {
    "envelope": envelope_vectors,
    "frame": frame_vectors,
    "tracks": tracks_vectors,
    "door": door_vectors,
    "overlay": overlay_vectors,
    "state": state_vectors,
    "event": event_vectors,
    "request": request_vectors,
    "reply": reply_vectors,
    "relay": relay_vectors,
    "beacon": beacon_vectors,
    "notice": notice_vectors,
    "ring": ring_vectors,
}


def main(folder: Path = HOME) -> None:
    """Write one file a kind into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    for kind, make in MAKERS.items():
        vectors = [{"name": vector.pop("name"), "kind": kind, **vector} for vector in make()]
        names = [vector["name"] for vector in vectors]
        assert len(names) == len(set(names)), f"{kind}: two vectors have one name"
        lines = ",\n".join("  " + json.dumps(plain(vector), ensure_ascii=False) for vector in vectors)
        text = f'{{"spec": "{SPEC}", "kind": "{kind}", "vectors": [\n{lines}\n]}}\n'
        (folder / f"{kind}.json").write_text(text, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:2]))
