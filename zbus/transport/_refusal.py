"""Why a connection was not let in, in words, from what libzmq tells of its handshake."""

from __future__ import annotations

from dataclasses import dataclass

import zmq

from zbus.transport._client_key import ClientKey

HANDSHAKE_FAILURES = (
    zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL
    | zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL
    | zmq.EVENT_HANDSHAKE_FAILED_AUTH
)


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why the other side did not let this side in; `is_final` where libzmq does not try again."""

    cause: str
    next_step: str
    is_final: bool


def read_refusal(event: int, value: int, endpoint: str, key: ClientKey | None) -> Refusal | None:
    """The refusal that an event of a connecting socket tells of; None where it tells of none.

    A connection that is cut in its handshake tells nothing without a key: whoever listens there just ended.
    """
    if event == zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL:
        if value != zmq.PROTOCOL_ERROR_ZMTP_MECHANISM_MISMATCH:
            return None
        return _has_no_lock(endpoint) if key else _wants_a_key(endpoint)
    if key is None:
        return None
    if event == zmq.EVENT_HANDSHAKE_FAILED_AUTH:
        return _refuses_key(endpoint, key)
    return _does_not_know_its_own_key(endpoint, key)


def _wants_a_key(endpoint: str) -> Refusal:
    step = "make one on the rig: zbus keys new NAME; carry NAME.key here, and say --key NAME.key"
    return Refusal(f"{endpoint} wants a key", step, is_final=True)


def _has_no_lock(endpoint: str) -> Refusal:
    step = "leave --key out; or is this the rig's own port in place of its edge, by default 5560?"
    return Refusal(f"{endpoint} takes no keys: it is not locked", step, is_final=True)


def _refuses_key(endpoint: str, key: ClientKey) -> Refusal:
    step = f"see on the rig: zbus keys ls; let it in again: zbus keys add {key.name} '{key.public}'"
    cause = f"the key {key.name!r} was refused at {endpoint}: it is not allowed there, or was revoked"
    return Refusal(cause, step, is_final=True)


def _does_not_know_its_own_key(endpoint: str, key: ClientKey) -> Refusal:
    cause = (
        f"{endpoint} closed the connection before it was open: "
        f"it is not the rig that the key {key.name!r} is for, or checks no keys at the moment"
    )
    step = "compare `server` in the key file with the rig's public key: zbus keys ls, on the rig"
    return Refusal(cause, step, is_final=False)
