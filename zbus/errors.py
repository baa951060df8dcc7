"""One error tree: every error carries its fields, a code, an exit code and the next thing to try."""

from __future__ import annotations

EXIT_FAILURE = 1
EXIT_USAGE = 2
EXIT_CONFIG = 3
EXIT_NOT_FOUND = 4
EXIT_ADDRESS_IN_USE = 5
EXIT_UNREACHABLE = 6
EXIT_DEVICE = 7


class ZbusError(Exception):
    """Something zbus cannot do, with its cause and the next thing to try.

    `code` is the name that travels in control replies and `--json` output; `exit_code` is what a command
    ends with; `next_step` is one sentence or command for the person who reads it.
    """

    code = "error"
    exit_code = EXIT_FAILURE

    def __init__(self, cause: str, *, next_step: str = "") -> None:
        super().__init__(cause)
        self.cause = cause
        self.next_step = next_step

    def __str__(self) -> str:
        return f"{self.cause}\n  try: {self.next_step}" if self.next_step else self.cause


class ConfigError(ZbusError):
    """A wrong rig file or setting: `path`, `line` and `key` say where, `expected` what would be right.

    `what` is what is wrong, without the place.
    """

    code = "bad_config"
    exit_code = EXIT_CONFIG

    def __init__(
        self,
        cause: str,
        *,
        path: str = "",
        line: int = 0,
        key: str = "",
        expected: str = "",
        next_step: str = "",
    ) -> None:
        place = f"{path}:{line}: " if path and line else f"{path}: " if path else ""
        wanted = f" (expected {expected})" if expected else ""
        super().__init__(f"{place}{f'{key}: ' if key else ''}{cause}{wanted}", next_step=next_step)
        self.what, self.path, self.line, self.key, self.expected = cause, path, line, key, expected


class UnknownName(ZbusError):
    """A name that nobody registered: a plug-in, a camera, a node, a verb. `known` lists what exists."""

    code = "unknown_name"
    exit_code = EXIT_NOT_FOUND

    def __init__(self, what: str, name: str, known: list[str], *, next_step: str = "") -> None:
        listing = ", ".join(known) if known else "none"
        super().__init__(f"no {what} is called {name!r}; there is: {listing}", next_step=next_step)
        self.what, self.name, self.known = what, name, known


class WireError(ZbusError):
    """A message that the spec refuses. `reason` is one word of the registry; whoever refuses counts it."""

    code = "bad_message"

    def __init__(self, reason: str, cause: str) -> None:
        super().__init__(f"{reason}: {cause}")
        self.reason = reason


class TransportError(ZbusError):
    """A socket that cannot do what was asked."""

    code = "transport"
    exit_code = EXIT_UNREACHABLE


class AddressInUse(TransportError):
    """Somebody else is bound to `endpoint`."""

    code = "address_in_use"
    exit_code = EXIT_ADDRESS_IN_USE

    def __init__(self, endpoint: str, *, next_step: str) -> None:
        super().__init__(f"{endpoint} is already in use", next_step=next_step)
        self.endpoint = endpoint


class ExposedAddress(TransportError):
    """Binding beyond loopback was asked for without keys and without `--insecure`."""

    code = "exposed_address"
    exit_code = EXIT_CONFIG


class KeysError(ZbusError):
    """A key or a keys folder that is not there, not right, or readable by others."""

    code = "bad_keys"
    exit_code = EXIT_CONFIG


class KeyRefused(TransportError):
    """The other side is there and does not let this side in: for want of a key, or not with this one."""

    code = "key_refused"


class RequestTimeout(TransportError):
    """Nobody answered within the deadline. The request may or may not have been carried out."""

    code = "timeout"


class RequestRefused(ZbusError):
    """The other side answered, and the answer was an error. `code` is its code."""

    def __init__(self, code: str, cause: str, *, next_step: str = "") -> None:
        super().__init__(cause, next_step=next_step)
        self.code = code


class CameraError(ZbusError):
    """A camera that cannot do what was asked."""

    code = "camera"
    exit_code = EXIT_DEVICE


class CameraNotFound(CameraError):
    """There is no such device, file or folder, or it is not a readable picture source."""

    code = "camera_not_found"


class CameraLost(CameraError):
    """The device stopped delivering. Opening it again may bring it back."""

    code = "camera_lost"


class TrackingError(ZbusError):
    """A detector or tracker was handed something that it cannot work with."""

    code = "tracking"


class NodeFailed(ZbusError):
    """A process of the rig ended that should not have; `code` and `exit_code` are its own, where it told."""

    code = "node_failed"

    def __init__(
        self, cause: str, *, next_step: str = "", code: str = "", exit_code: int = EXIT_FAILURE
    ) -> None:
        super().__init__(cause, next_step=next_step)
        self.code, self.exit_code = code or type(self).code, exit_code
