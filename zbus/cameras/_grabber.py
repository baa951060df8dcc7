"""The thread of a camera: it grabs into one bounded queue and survives what devices do."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Literal, Self

from zbus.cameras._buffers import BufferMaker, UsesBuffers
from zbus.cameras._camera import Camera, Capture, EndOfStream, Setting
from zbus.cameras._capture_queue import CaptureQueue
from zbus.cameras._numbering import Numbering
from zbus.cameras._requests import Changes, Requests
from zbus.errors import CameraError, CameraLost, CameraNotFound

State = Literal["opening", "running", "lost", "ended", "failed"]

QUEUE_FRAMES = 4
GRAB_TIMEOUT_S = 0.25
FIRST_RETRY_S, LAST_RETRY_S = 0.2, 5.0
CLOSE_TIMEOUT_S = 1.0
MAX_CHANGES = 64

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class GrabCounters:
    """What became of the frames: `grabbed` from the camera, `dropped` because the owner did not take them.

    `camera_lost_frames` is the sum of the gaps of frame_number; `reopened` counts openings after the first.
    """

    grabbed: int = 0
    dropped: int = 0
    reopened: int = 0
    camera_lost_frames: int = 0


@dataclass(frozen=True, slots=True)
class StateChange:
    """A grabber entered `state` at `mono_ns`; `cause` is why, empty where all is well."""

    state: State
    cause: str
    mono_ns: int


class Grabber:
    """Pumps captures from a camera until it is closed, in a thread of its own that owns the camera.

    `opening` becomes `running` with the first opening that succeeds. A camera that is not found or lost
    (`lost`), or that raises another error (`failed`), is closed and opened again, after 0.2 s at first and at
    most 5 s; `ended` comes once, after EndOfStream, and captures may still wait in the queue then. Frame
    numbers only rise, also over reopenings, see Numbering.

    `on_ready` is called from the thread after each capture and each change of state: wake your loop there,
    and do not block. With `lossless` a full queue holds the camera up instead of dropping its oldest capture,
    which suits files. Cameras that can are told to put their pictures into what `make_buffer` gives.
    """

    def __init__(
        self,
        camera: Camera,
        queue_frames: int = QUEUE_FRAMES,
        *,
        on_ready: Callable[[], None] = lambda: None,
        lossless: bool = False,
        make_buffer: BufferMaker | None = None,
    ) -> None:
        self._camera = camera
        if make_buffer is not None and isinstance(camera, UsesBuffers):
            camera.use_buffers(make_buffer)
        self._on_ready = on_ready
        self._queue = CaptureQueue(queue_frames, lossless)
        self._requests = Requests()
        self._numbering = Numbering()
        self._history = _History()
        self._grabbed = self._openings = 0
        self._retry_s = FIRST_RETRY_S
        self._settings: dict[str, Setting] = {}
        self._returned_ns = time.monotonic_ns()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"grab-{camera.camera_id}", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def state(self) -> State:
        return self._history.now.state

    @property
    def cause(self) -> str:
        """Why the camera is lost, failed or ended; empty while it runs."""
        return self._history.now.cause

    @property
    def counters(self) -> GrabCounters:
        """A snapshot."""
        return GrabCounters(
            grabbed=self._grabbed,
            dropped=self._queue.dropped,
            reopened=max(0, self._openings - 1),
            camera_lost_frames=self._numbering.camera_lost_frames,
        )

    @property
    def settings(self) -> dict[str, Setting]:
        """The settings in force after the last opening or change."""
        return dict(self._settings)

    @property
    def returned_ns(self) -> int:
        """When (`time.monotonic_ns`) a grab last came back; old while `running` where the driver blocks."""
        return self._returned_ns

    def take(self) -> list[Capture]:
        """The captures that have come since the last call, oldest first. Never blocks."""
        return self._queue.take_all()

    def take_changes(self) -> list[StateChange]:
        """The changes of state since the last call, at most the newest MAX_CHANGES. Never blocks."""
        return self._history.take()

    def wait_open(self, timeout_s: float) -> None:
        """Block until the first opening succeeded, for an owner that cannot go on without the camera.

        Raises the error of an opening that failed (the thread goes on trying), or CameraError where none has
        succeeded or failed after `timeout_s`.
        """
        if not self._history.wait_past("opening", timeout_s):
            raise CameraError(
                f"camera {self._camera.camera_id} did not open within {timeout_s:g} s",
                next_step="wait longer, or check the device: zbus doctor",
            )
        error = self._history.error
        if isinstance(error, CameraError):
            raise error
        if error is not None:
            raise CameraError(f"camera {self._camera.camera_id} failed to open: {error!r}") from error

    def configure(self, changes: Changes, timeout_s: float) -> dict[str, Setting]:
        """Change settings between two grabs and return those in force.

        Raises the camera's CameraError, or one that tells that the camera is away, or that it did not answer
        within `timeout_s`: then the changes are not applied, unless the camera was at it already.
        """
        answer = self._requests.ask(changes)
        try:
            return answer.result(timeout_s)
        except TimeoutError:
            outcome = "nothing was changed" if answer.cancel() else "the changes may still be applied"
            raise CameraError(
                f"camera {self._camera.camera_id} did not answer within {timeout_s:g} s; {outcome}",
                next_step="zbus ps shows whether it still gives frames",
            ) from None

    def close(self) -> None:
        """Stop the thread, which closes the camera. Returns after about CLOSE_TIMEOUT_S at the latest.

        Where a driver call blocks for longer, the thread and its camera are left behind; being a daemon it
        does not hold up the end of the process. Safe to call twice and before entering.
        """
        self._stop.set()
        self._queue.close()
        self._requests.refuse(f"camera {self._camera.camera_id} is being closed")
        if self._thread.ident is None:
            return
        self._thread.join(CLOSE_TIMEOUT_S)
        if self._thread.is_alive():
            _log.warning("camera %s still blocks in its driver; its thread is left", self._camera.camera_id)

    def _run(self) -> None:
        while not self._stop.is_set():
            if self._serve() or self._stop.wait(self._retry_s):
                return
            self._retry_s = min(2 * self._retry_s, LAST_RETRY_S)

    def _serve(self) -> bool:
        """Open the camera and pump until something happens; true where no more is to come."""
        try:
            self._open()
            while not self._stop.is_set():
                self._settings = self._requests.answer(self._camera) or self._settings
                self._grab()
        except EndOfStream as end:
            self._tell("ended", end)
            return True
        except (CameraLost, CameraNotFound) as error:
            self._tell("lost", error)
        except Exception as error:  # noqa: BLE001  Why: a plug-in's slip is told; no thread dies in silence.
            _log.exception("camera %s failed", self._camera.camera_id)
            self._tell("failed", error)
        finally:
            self._release()
        return False

    def _open(self) -> None:
        self._camera.open()
        self._settings = self._camera.settings()
        self._openings += 1
        self._requests.accept()
        self._tell("running", None)

    def _grab(self) -> None:
        capture = self._camera.grab(GRAB_TIMEOUT_S)
        self._returned_ns = time.monotonic_ns()
        if capture is None:
            return
        self._retry_s = FIRST_RETRY_S
        self._grabbed += 1
        self._queue.put(self._numbering.carry_on(capture))
        self._wake_owner()

    def _release(self) -> None:
        self._requests.refuse(f"camera {self._camera.camera_id} is {self.state}: {self.cause}")
        try:
            self._camera.close()
        except Exception:  # noqa: BLE001  Why: a device that is gone may not even close, and is opened again.
            _log.exception("camera %s failed in close", self._camera.camera_id)
        self._returned_ns = time.monotonic_ns()

    def _tell(self, state: State, error: Exception | None) -> None:
        if self._history.enter(state, error):
            self._wake_owner()

    def _wake_owner(self) -> None:
        try:
            self._on_ready()
        except Exception:  # noqa: BLE001  Why: the owner's slip must not stop the camera.
            _log.exception("on_ready of camera %s failed", self._camera.camera_id)


class _History:
    """The present state and its error, and the changes that nobody has taken yet."""

    def __init__(self) -> None:
        self.now = StateChange("opening", "", time.monotonic_ns())
        self.error: Exception | None = None
        self._changes: deque[StateChange] = deque(maxlen=MAX_CHANGES)
        self._told = threading.Condition()

    def enter(self, state: State, error: Exception | None) -> bool:
        """Note the state; false where state and cause are what they were."""
        cause = "" if error is None else str(error) or repr(error)
        with self._told:
            if (state, cause) == (self.now.state, self.now.cause):
                return False
            self.now, self.error = StateChange(state, cause, time.monotonic_ns()), error
            self._changes.append(self.now)
            self._told.notify_all()
            return True

    def take(self) -> list[StateChange]:
        with self._told:
            taken = list(self._changes)
            self._changes.clear()
            return taken

    def wait_past(self, state: State, timeout_s: float) -> bool:
        with self._told:
            return self._told.wait_for(lambda: self.now.state != state, timeout_s)
