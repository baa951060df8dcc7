"""The relay of one host: what is wanted from other hosts comes here once, and is given out here."""

from zbus_brokers.relay._relay import run_relay

__all__ = ["run_relay"]
