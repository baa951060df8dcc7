"""How many messages of each topic a node offers a second, from how many it has offered so far."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping

RATE_WINDOW_NS = 5_000_000_000
RATE_SAMPLE_NS = 250_000_000


class Rates:
    """Rates over the last seconds. Times are monotonic nanoseconds that are handed in."""

    def __init__(self) -> None:
        self._samples: deque[tuple[int, Mapping[str, int]]] = deque()

    def observe(self, offered: Mapping[str, int], now_ns: int) -> dict[str, float]:
        """Messages a second by topic, of those that are known for a while."""
        samples = self._samples
        while samples and now_ns - samples[0][0] > RATE_WINDOW_NS:
            samples.popleft()
        rates = {topic: self._rate_hz(topic, count, now_ns) for topic, count in offered.items()}
        if not samples or now_ns - samples[-1][0] >= RATE_SAMPLE_NS:
            samples.append((now_ns, dict(offered)))
        return {topic: rate for topic, rate in rates.items() if rate is not None}

    def _rate_hz(self, topic: str, count: int, now_ns: int) -> float | None:
        for then_ns, offered in self._samples:
            if topic in offered and now_ns - then_ns >= RATE_SAMPLE_NS:
                return round((count - offered[topic]) * 1e9 / (now_ns - then_ns), 2)
        return None
