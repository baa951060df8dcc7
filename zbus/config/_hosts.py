"""One host's part of a rig that has several."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, TypeVar

from zbus.config._plans import BrokerPlan, Rig
from zbus.errors import ConfigError, UnknownName

PlanT = TypeVar("PlanT")


def host_part(rig: Rig, host: str | None, *, verb: str = "zbus up RIG.TOML") -> Rig:
    """What runs on `host`: its broker's addresses, its cameras and nodes. A rig without hosts is all of it.

    `verb` is the command that lacked `--host`, for the error. Raises ConfigError where the rig has hosts
    and none was named, or one was and it has none; UnknownName for a host that it does not have.
    """
    if not rig.hosts:
        if host:
            step = "leave --host out, or add [hosts.NAME] tables with an address each"
            raise ConfigError(f"is {host!r}, and this rig has no hosts", key="--host", next_step=step)
        return rig
    if not host:
        names = ", ".join(rig.hosts)
        step = f"say which part to run: {verb} --host {next(iter(rig.hosts))}"
        raise ConfigError(
            f"is missing: the rig {rig.name!r} has hosts: {names}", key="--host", next_step=step
        )
    if host not in rig.hosts:
        raise UnknownName("host of this rig", host, list(rig.hosts), next_step="use a name of the rig file")
    return replace(
        rig,
        host=host,
        broker=broker_of(rig, host),
        cameras=_there(rig.cameras, host),
        trackers=_there(rig.trackers, host),
        overlay=_here_or_none(rig.overlay, host),
        gateway=_here_or_none(rig.gateway, host),
        edge=_here_or_none(rig.edge, host),
    )


def broker_of(rig: Rig, host: str) -> BrokerPlan:
    """Where the broker of a host is, for who is on that host."""
    own = rig.hosts[host]
    given = {name: getattr(own, name) for name in ("directory", "publish", "subscribe") if getattr(own, name)}
    return replace(rig.broker, host=host, **given)


def _there(plans: Mapping[str, PlanT], host: str) -> dict[str, PlanT]:
    return {name: plan for name, plan in plans.items() if getattr(plan, "host", "") == host}


def _here_or_none(plan: Any, host: str) -> Any:
    return plan if plan is not None and plan.host == host else None
