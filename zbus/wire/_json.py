"""JSON from strangers: bounded, finite, and never a surprise."""

from __future__ import annotations

import json
from typing import Any

from zbus.errors import WireError


def load_json(data: bytes, max_bytes: int) -> Any:
    """Read one JSON value. Raises WireError `too_large` or `bad_json` (also for NaN and Infinity)."""
    if len(data) > max_bytes:
        raise WireError("too_large", f"{len(data)} bytes, more than {max_bytes}")
    try:
        return json.loads(data.decode("utf-8-sig"), parse_constant=_refuse_constant)
    except RecursionError:
        raise WireError("bad_json", "nested too deeply") from None
    except ValueError as error:
        raise WireError("bad_json", str(error)[:120]) from error


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")
