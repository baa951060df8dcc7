"""The thread that listens to the bus for the gateway."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from zbus.gateways._handoff import Heard
from zbus.transport import EVERY, LATEST, ClientKey, Reactor, Resource, Subscriber, check_endpoint
from zbus.wire import EVENT, FRAME, JPEG_RENDITION, OVERLAY, STATE, TRACKS, Topic

# Why: what a page has not seen after this many messages, it need not see any more.
NEWS_DEPTH = 1_000
DRAWINGS_DEPTH = 1_000

log = logging.getLogger(__name__)


class Pump(Resource):
    """Hears states, events, tracks and overlays of the whole bus, and the pictures of watched cameras.

    `deliver` is called in the pump's thread with everything heard; `on_failure` with what ended the thread
    unexpectedly. Acquires in `with`; `watch` and `unwatch` may be called from any thread.
    """

    def __init__(
        self,
        endpoint: str,
        deliver: Callable[[Heard], None],
        on_failure: Callable[[Exception], None],
        key: ClientKey | None = None,
    ) -> None:
        self._key = key
        self._endpoint, self._deliver, self._on_failure = endpoint, deliver, on_failure
        self._pictures: dict[str, Subscriber] = {}
        self._reactor: Reactor | None = None
        self._thread: threading.Thread | None = None

    def open(self) -> None:
        """Start listening. Raises TransportError for what is not an endpoint."""
        check_endpoint(self._endpoint)
        self._reactor = Reactor()
        self._thread = threading.Thread(target=self._run, args=(self._reactor,), name="gateway-pump")
        self._thread.start()

    def close(self) -> None:
        """Stop listening. Safe to call twice."""
        if self._reactor is None or self._thread is None:
            return
        self._reactor.stop()
        self._thread.join()
        self._reactor.close()
        self._reactor = self._thread = None

    def watch(self, camera: str) -> None:
        """Listen to the pictures of `camera`."""
        self._soon(lambda reactor: self._open_pictures(reactor, camera))

    def unwatch(self, camera: str) -> None:
        """Listen to the pictures of `camera` no more, so that it need not compress them."""
        self._soon(lambda reactor: self._close_pictures(reactor, camera))

    def _soon(self, act: Callable[[Reactor], None]) -> None:
        reactor = self._reactor
        if reactor is not None:
            reactor.call_soon(lambda: act(reactor))

    def _run(self, reactor: Reactor) -> None:
        news = self._subscriber(f"{STATE}/", f"{EVENT}/", depth=NEWS_DEPTH)
        drawings = self._subscriber(f"{TRACKS}/", f"{OVERLAY}/", depth=DRAWINGS_DEPTH)
        try:
            with news, drawings:
                reactor.watch(news.socket, lambda: self._take(news))
                reactor.watch(drawings.socket, lambda: self._take(drawings))
                reactor.run()
        except Exception as error:
            log.exception("the gateway lost its view of the bus")
            self._on_failure(error)
        finally:
            for subscriber in self._pictures.values():
                subscriber.close()

    def _subscriber(self, *topics: str, depth: int) -> Subscriber:
        return Subscriber(
            self._endpoint, topics, policy=EVERY, depth=depth, on_finding=self._deliver, key=self._key
        )

    def _take(self, subscriber: Subscriber) -> None:
        for received in subscriber.take():
            self._deliver(received)

    def _open_pictures(self, reactor: Reactor, camera: str) -> None:
        if camera in self._pictures:
            return
        topic = str(Topic(FRAME, camera, JPEG_RENDITION))
        subscriber = Subscriber(self._endpoint, topic, policy=LATEST, on_finding=self._deliver, key=self._key)
        subscriber.open()
        self._pictures[camera] = subscriber
        reactor.watch(subscriber.socket, lambda: self._take(subscriber))

    def _close_pictures(self, reactor: Reactor, camera: str) -> None:
        subscriber = self._pictures.pop(camera, None)
        if subscriber is not None:
            reactor.unwatch(subscriber.socket)
            subscriber.close()
