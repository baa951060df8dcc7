"""Checks of a rig file that has hosts: every node has one, and no two of them meet at one address."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from zbus.config._plans import Rig

HOSTS_MAX = 16

# Why shorter than a node id: relay.<host> and supervisor.<host> are node ids.
_HOST_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,31}")


def taken_names(rig: Rig) -> dict[str, str]:
    """Names of nodes that a rig with hosts has besides, and whose they are."""
    relays = {f"relay.{host}": f"the relay of {host}" for host in rig.hosts}
    return relays | {f"supervisor.{host}": f"the supervisor of {host}" for host in rig.hosts}


def check_hosts(rig: Rig) -> None:
    """Raises ConfigError, with the line, for a host that is not there, missing or not of the right form."""
    if len(rig.hosts) > HOSTS_MAX:
        raise rig.place.error(f"has {len(rig.hosts)} hosts", key="hosts", expected=f"at most {HOSTS_MAX}")
    for name in rig.hosts:
        if not _HOST_NAME.fullmatch(name):
            expected = "a name of up to 32 letters, digits, '_' and '-'"
            raise rig.place.error("is not the name of a host", key=f"hosts.{name}", expected=expected)
    for key, plan in _placed(rig):
        _check_place(rig, key, plan)
    _check_relays(rig)


def _placed(rig: Rig) -> Iterator[tuple[str, Any]]:
    """Every plan that runs on one host, and where it stands."""
    for section in ("cameras", "trackers"):
        for name, plan in getattr(rig, section).items():
            yield f"{section}.{name}", plan
    for section in ("overlay", "gateway", "edge"):
        if getattr(rig, section):
            yield section, getattr(rig, section)


def _check_place(rig: Rig, key: str, plan: Any) -> None:
    if plan.host in rig.hosts or not (plan.host or rig.hosts):
        return
    expected = "one of " + (", ".join(rig.hosts) or "the hosts of this file, which has none")
    cause = f"is {plan.host!r}" if plan.host else "is missing"
    raise rig.place.error(cause, key=f"{key}.host", expected=expected)


def _check_relays(rig: Rig) -> None:
    seen: dict[str, str] = {}
    for name, host in rig.hosts.items():
        if host.relay_endpoint in seen:
            cause = f"is at {host.relay_endpoint}, and so is {seen[host.relay_endpoint]}"
            raise rig.place.error(
                cause, key=f"hosts.{name}.address", expected="another address or relay_port"
            )
        seen[host.relay_endpoint] = f"hosts.{name}"
