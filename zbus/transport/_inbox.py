"""What becomes of a message that was received: judged, kept waiting, and handed over."""

from __future__ import annotations

from collections.abc import Callable

from zbus.errors import WireError
from zbus.transport._gaps import Finding, GapDetector, Overrun, Repeat
from zbus.transport._lifespan import Lifespan
from zbus.transport._ring_inlet import RingPixels
from zbus.transport._subscriber_counters import SubscriberCounters
from zbus.transport._waiting import Queue, Received, Waiting
from zbus.wire import Frame, Message, decode_body


class Inbox:
    """Takes messages in and hands them over again; holds no socket. All that is lost on the way is counted.

    With `keeps` pixels are copied out of a ring before they wait in the `queue`.
    """

    def __init__(
        self,
        queue: Queue,
        lifespan: Lifespan,
        counters: SubscriberCounters,
        on_finding: Callable[[Finding], None] | None,
        *,
        keeps: bool,
    ) -> None:
        self._queue, self._lifespan, self._counters = queue, lifespan, counters
        self._on_finding, self._keeps = on_finding, keeps
        self._gaps = GapDetector()

    def put(self, message: Message, pixels: RingPixels | None, nbytes: int, now_ns: int) -> None:
        """Take a message of `nbytes` in, which came at `now_ns` (monotonic)."""
        self._counters.received += 1
        finding = self._gaps.observe(message, now_ns)
        if finding is not None:
            if isinstance(finding, Repeat):
                self._counters.repeated += 1
                return
            self._note(finding)
        if pixels is not None and self._keeps:
            if not self._keep(message, pixels):
                return
            nbytes += pixels.nbytes
        self._counters.skipped += self._queue.put(Waiting(message, now_ns, nbytes, pixels))

    def pass_through(self, message: Message, frame: Frame | None, now_ns: int) -> Received | None:
        """Hand over at once what waits for nobody; a `frame` that is None was written over."""
        counters = self._counters
        counters.received += 1
        finding = self._gaps.observe(message, now_ns)
        if finding is not None:
            if isinstance(finding, Repeat):
                counters.repeated += 1
                return None
            self._note(finding)
        if self._lifespan.is_over(message):
            counters.stale += 1
            return None
        if frame is None:
            self._note(Overrun(str(message.topic), message.origin.seq))
            return None
        counters.delivered += 1
        return Received(message.topic, message.origin, frame, now_ns)

    def pop(self) -> Received | None:
        """The next message that decodes, oldest first."""
        while (waiting := self._queue.pop()) is not None:
            message, pixels = waiting.message, waiting.pixels
            if self._lifespan.is_over(message):
                self._counters.stale += 1
                continue
            try:
                body = decode_body(message) if pixels is None else pixels.read()
            except WireError as error:
                self._counters.refuse(error.reason)
                continue
            if body is None and pixels is not None:
                self._note(Overrun(str(message.topic), message.origin.seq))
                continue
            self._counters.delivered += 1
            return Received(message.topic, message.origin, body, waiting.came_ns)
        return None

    def _keep(self, message: Message, pixels: RingPixels) -> bool:
        try:
            if pixels.keep():
                return True
            self._note(Overrun(str(message.topic), message.origin.seq))
        except WireError as error:
            self._counters.refuse(error.reason)
        return False

    def _note(self, finding: Finding) -> None:
        self._counters.note(finding)
        if self._on_finding is not None:
            self._on_finding(finding)
