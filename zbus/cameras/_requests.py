"""Changes of settings on their way to the thread that owns the camera."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Mapping
from concurrent.futures import Future

from zbus.cameras._camera import Camera, Setting
from zbus.errors import CameraError

MAX_REQUESTS = 16

Changes = Mapping[str, Setting]
Answer = Future[dict[str, Setting]]

_log = logging.getLogger(__name__)


class Requests:
    """Waiting changes, in order. While the camera is away every request is refused with the cause."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: deque[tuple[Changes, Answer]] = deque()
        self._refusal: CameraError | None = CameraError("the camera is not open yet")

    def ask(self, changes: Changes) -> Answer:
        """Queue `changes`; the answer holds the settings in force afterwards, or the camera's error."""
        answer: Answer = Future()
        with self._lock:
            if self._refusal is not None:
                answer.set_exception(self._refusal)
            elif len(self._waiting) >= MAX_REQUESTS:
                answer.set_exception(CameraError(f"{MAX_REQUESTS} changes of settings are waiting already"))
            else:
                self._waiting.append((changes, answer))
        return answer

    def accept(self) -> None:
        """The camera is there: take requests from now on."""
        with self._lock:
            self._refusal = None

    def refuse(self, cause: str) -> None:
        """The camera is away: refuse what is waiting and what comes."""
        with self._lock:
            self._refusal = refusal = CameraError(cause)
            waiting = list(self._waiting)
            self._waiting.clear()
        for _, answer in waiting:
            if answer.set_running_or_notify_cancel():
                answer.set_exception(refusal)

    def answer(self, camera: Camera) -> dict[str, Setting] | None:
        """Carry out what is waiting, on the thread that owns `camera`.

        The settings in force, or None where nothing has changed.
        """
        settings = None
        while (request := self._next()) is not None:
            changes, answer = request
            # A caller that gave up has cancelled, and then nothing is applied.
            if answer.set_running_or_notify_cancel():
                settings = _carry_out(camera, changes, answer) or settings
        return settings

    def _next(self) -> tuple[Changes, Answer] | None:
        with self._lock:
            return self._waiting.popleft() if self._waiting else None


def _carry_out(camera: Camera, changes: Changes, answer: Answer) -> dict[str, Setting] | None:
    try:
        camera.configure(changes)
        settings = camera.settings()
    except CameraError as error:
        answer.set_exception(error)
    except Exception as error:  # noqa: BLE001  Why: a plug-in's slip must reach the caller, not end the thread.
        _log.exception("camera %s failed in configure", camera.camera_id)
        answer.set_exception(CameraError(f"camera {camera.camera_id} failed in configure: {error!r}"))
    else:
        answer.set_result(settings)
        return settings
    return None
