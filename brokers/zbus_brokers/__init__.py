"""Processes that move messages without opening their payloads: forwarder, last-value cache, directory."""

from zbus_brokers._broker import run_broker
from zbus_brokers._directory import Directory
from zbus_brokers._forwarder import Forwarder
from zbus_brokers._last_value import LastValueCache
from zbus_brokers._registry import Registry

__all__ = ["Directory", "Forwarder", "LastValueCache", "Registry", "run_broker"]
