"""The lock on bound sockets: only keys of the rig's list come in, and nobody where that cannot be checked."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import zmq

from zbus.errors import KeysError, TransportError
from zbus.transport._allowed import AllowedKey, Rights
from zbus.transport._context import process_context
from zbus.transport._control_link import is_worth_a_line
from zbus.transport._keys_folder import RIG, KeysFolder, RigKey
from zbus.transport._reactor import Reactor
from zbus.transport._resource import Resource

if TYPE_CHECKING:
    from zmq.auth.thread import ThreadAuthenticator

DOMAIN = "zbus"
CHECK_PERIOD_S = 0.1

# Where libzmq asks (ZeroMQ RFC 27).
_ASKED_AT = "inproc://zeromq.zap.01"

log = logging.getLogger(__name__)

OnRevoked = Callable[[list[str]], None]


class ServerLock(Resource):
    """Lets in who is in `allowed.toml` of a keys folder, at every socket that was bound with it.

    Opened before the first `bind(socket, ..., lock=lock)`; one per process. After `watch` a change of the
    list counts at once for who connects, and the end of its thread ends the loop with TransportError. Where
    nobody can check a key, nobody is let in. With `rig_only` the list does not count: only the rig's own key
    comes in, as another host of the rig has it.
    """

    def __init__(self, folder: Path | str, *, rig_only: bool = False) -> None:
        self.keys, self._rig_only = KeysFolder(folder), rig_only
        self.denied = 0
        self.rig_key = RigKey("", "")
        self._by_key: dict[str, AllowedKey] = {}
        self._early: dict[str, AllowedKey] = {}
        self._barred: dict[str, float] = {}
        self._seen: tuple[int, ...] = ()
        self._authenticator: ThreadAuthenticator | None = None
        self._undo = ExitStack()

    def open(self) -> None:
        """Read the keys and begin to check. Raises KeysError, TransportError where one is open already."""
        # Why here: it brings asyncio, which nobody else of the bus needs.
        from zmq.auth.thread import ThreadAuthenticator

        self.rig_key = self.keys.rig_key()
        self._load()
        authenticator = ThreadAuthenticator(process_context())
        authenticator.configure_curve_callback(DOMAIN, self)
        try:
            authenticator.start()
        except zmq.ZMQError as error:
            authenticator.stop()
            raise TransportError(
                f"the lock cannot be opened: {error.strerror}", next_step="open one lock per process"
            ) from error
        self._authenticator = authenticator

    def close(self) -> None:
        """Stop checking: nobody new is let in any more. Safe to call twice."""
        self._undo.close()
        authenticator, self._authenticator = self._authenticator, None
        if authenticator is not None:
            _end(authenticator)

    @property
    def is_alive(self) -> bool:
        """True while keys are checked."""
        return self._authenticator is not None and self._authenticator.is_alive()

    def watch(self, reactor: Reactor, on_revoked: OnRevoked = lambda names: None) -> None:
        """Look after the lock in this loop until it is closed.

        `on_revoked` is given the names of keys that were taken from the list or have other rights now:
        connections that they have open must be closed.
        """
        self._undo.callback(reactor.every(CHECK_PERIOD_S, lambda: self._check(on_revoked)).cancel)

    def apply(self, socket: zmq.Socket[bytes]) -> None:
        """Lock what this socket binds from now on. Raises TransportError where nobody checks keys."""
        if not self.is_alive:
            raise TransportError("the lock is not open", next_step="open it before anything is bound")
        socket.setsockopt_string(zmq.ZAP_DOMAIN, DOMAIN)
        # Why: without it libzmq lets everybody in while nobody checks.
        socket.setsockopt(zmq.ZAP_ENFORCE_DOMAIN, 1)
        socket.setsockopt(zmq.CURVE_SERVER, 1)
        socket.setsockopt(zmq.CURVE_SECRETKEY, self.rig_key.secret.encode())

    def find(self, user_id: str) -> AllowedKey | None:
        """The key by its `User-Id`, its public part; None where it is allowed no more, or barred."""
        if time.monotonic() < self._barred.get(user_id, 0.0):
            return None
        return self._by_key.get(user_id) or self._find_new(user_id)

    def bar(self, public: str, for_s: float) -> None:
        """Let an allowed key in no more for so long; the connections that it has are the caller's to end."""
        self._barred[public] = time.monotonic() + for_s

    def find_sender(self, part: zmq.Frame) -> AllowedKey | None:
        """The key of the connection over which this part came, None where it is allowed no more."""
        try:
            return self.find(str(part.get("User-Id")))
        except zmq.ZMQError:
            return None

    @property
    def allowed(self) -> list[AllowedKey]:
        """Who is let in at present."""
        return list(self._by_key.values())

    def callback(self, domain: str, key: bytes) -> bool:
        """Asked by the authenticator, in its thread, whether a key may come in."""
        is_allowed = domain == DOMAIN and self.find(key.decode("ascii")) is not None
        if not is_allowed:
            self.denied += 1
            if is_worth_a_line(self.denied):
                log.warning("a key that is not allowed was refused, %d by now: %s", self.denied, key.decode())
        return is_allowed

    def _check(self, on_revoked: OnRevoked) -> None:
        if not self.is_alive:
            raise TransportError(
                "nobody checks keys any more: the authenticator has ended, and the lock with it",
                next_step="start this process again; the cause stands above",
            )
        if self._signature() == self._seen:
            return
        before = {**self._by_key, **self._early}
        self._load()
        self._early = {}
        now = self._by_key
        changed = [key.name for public, key in before.items() if now.get(public) != key]
        log.info("the list of keys has changed: %d are allowed", len(now))
        if changed:
            on_revoked(changed)

    def _find_new(self, public: str) -> AllowedKey | None:
        """A key that was let in since the last look.

        Why: libzmq does not try again after a refusal, so that a client just made would be deaf for ever.
        """
        if self._signature() == self._seen:
            return None
        try:
            found = next((key for key in self.keys.allowed().values() if key.public == public), None)
        except KeysError:
            # Why not told here: the next look at the list ends the loop with it.
            return None
        if found is not None:
            # Why kept: where it is revoked before the next look, its connections must end all the same.
            self._early[public] = found
        return found

    def _load(self) -> None:
        # Why first: a change in between is then seen as one at the next look.
        self._seen = self._signature()
        if self._rig_only:
            self._by_key = {self.rig_key.public: AllowedKey(RIG, self.rig_key.public, Rights())}
            return
        self._by_key = {key.public: key for key in self.keys.allowed().values()}

    def _signature(self) -> tuple[int, ...]:
        try:
            found = self.keys.allowed_path.stat()
        except FileNotFoundError:
            return ()
        return found.st_ino, found.st_mtime_ns, found.st_ctime_ns, found.st_size, found.st_mode


def _end(authenticator: Any) -> None:
    """Stop it, and give the name back under which libzmq asks."""
    if authenticator.is_alive():
        # Why not its own `stop`: where the thread has just ended, that waits for ever.
        with suppress(zmq.Again):
            authenticator.pipe.send(b"TERMINATE", zmq.NOBLOCK)
        authenticator.thread.join()
    authenticator.pipe.close(linger=0)
    authenticator.pipe = None
    # Why: closing alone gives the name back some time later, and the next lock could not be opened.
    authenticator.zap_socket.unbind(_ASKED_AT)
    authenticator.stop()
