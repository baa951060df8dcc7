"""The only user of ZeroMQ: sockets by one table, publishers, subscribers, pipelines, requests, one loop."""

from zbus.transport._allowed import EVERYTHING, VIEWER, AllowedKey, Rights
from zbus.transport._beacon import BEACON_PERIOD_S, BeaconListener, BeaconSender, is_on_loopback
from zbus.transport._client_key import ClientKey, check_key, key_of, load_client_key
from zbus.transport._clock import ClockEstimate, ClockEstimator, Exchange
from zbus.transport._clock_asking import measure_clock
from zbus.transport._clock_watch import (
    CLOCK_WATCH_PERIOD_S,
    ClockReading,
    ClockStep,
    ClockWatch,
    Suspend,
    read_clocks,
)
from zbus.transport._context import make_socket, new_session, zeromq_features
from zbus.transport._control_link import ControlLink, Verb, is_request, is_worth_a_line, split_route
from zbus.transport._endpoints import LOCK_FIRST, bind, check_endpoint, connect, is_exposed
from zbus.transport._gaps import Duplicate, Finding, Gap, GapDetector, Overrun, Repeat, Restart
from zbus.transport._heard_rigs import HeardRig, HeardRigs
from zbus.transport._interfaces import find_interface, own_interfaces
from zbus.transport._ipc import IpcName, runtime_dir
from zbus.transport._keys_folder import KeysFolder, RigKey, default_keys_folder
from zbus.transport._monitor import ConnectionCounters, ConnectionMonitor
from zbus.transport._options import (
    CONTROL_LINK,
    DOOR,
    EDGE_OUT,
    FORWARD_IN,
    FORWARD_OUT,
    FRAMES_IN,
    FRAMES_OUT,
    PUSH,
    RELAY_FRAMES,
    RELAY_IN,
    RELAY_SMALL,
    SMALL_IN,
    SMALL_OUT,
    Link,
    apply_options,
)
from zbus.transport._parts import can_read, recv_frames, send_parts
from zbus.transport._pipeline import Puller, Pusher, PusherCounters
from zbus.transport._publisher import Publisher, PublisherCounters
from zbus.transport._raw_publisher import RawPublisher
from zbus.transport._reactor import Reactor, Timer
from zbus.transport._refusal import Refusal
from zbus.transport._replies import ReplyCache
from zbus.transport._requester import Requester
from zbus.transport._resource import Resource
from zbus.transport._ring_file import has_ring
from zbus.transport._ring_inlet import RingUse
from zbus.transport._ring_outlet import RingOutlet, RingPlan
from zbus.transport._ring_reader import RingReader
from zbus.transport._ring_sweep import sweep_rings
from zbus.transport._server_lock import ServerLock
from zbus.transport._shmring import RingWriter
from zbus.transport._subscriber import EVERY, LATEST, LIFESPAN_LATEST_S, Policy, Received, Subscriber
from zbus.transport._subscriber_counters import SubscriberCounters
from zbus.transport._zeroconf import ZeroconfAnnouncer, ZeroconfFinder

__all__ = [
    "BEACON_PERIOD_S",
    "CLOCK_WATCH_PERIOD_S",
    "CONTROL_LINK",
    "DOOR",
    "EDGE_OUT",
    "EVERY",
    "EVERYTHING",
    "FORWARD_IN",
    "FORWARD_OUT",
    "FRAMES_IN",
    "FRAMES_OUT",
    "LATEST",
    "LIFESPAN_LATEST_S",
    "LOCK_FIRST",
    "PUSH",
    "RELAY_FRAMES",
    "RELAY_IN",
    "RELAY_SMALL",
    "SMALL_IN",
    "SMALL_OUT",
    "VIEWER",
    "AllowedKey",
    "BeaconListener",
    "BeaconSender",
    "ClientKey",
    "ClockEstimate",
    "ClockEstimator",
    "ClockReading",
    "ClockStep",
    "ClockWatch",
    "ConnectionCounters",
    "ConnectionMonitor",
    "ControlLink",
    "Duplicate",
    "Exchange",
    "Finding",
    "Gap",
    "GapDetector",
    "HeardRig",
    "HeardRigs",
    "IpcName",
    "KeysFolder",
    "Link",
    "Overrun",
    "Policy",
    "Publisher",
    "PublisherCounters",
    "Puller",
    "Pusher",
    "PusherCounters",
    "RawPublisher",
    "Reactor",
    "Received",
    "Refusal",
    "Repeat",
    "ReplyCache",
    "Requester",
    "Resource",
    "Restart",
    "RigKey",
    "Rights",
    "RingOutlet",
    "RingPlan",
    "RingReader",
    "RingUse",
    "RingWriter",
    "ServerLock",
    "Subscriber",
    "SubscriberCounters",
    "Suspend",
    "Timer",
    "Verb",
    "ZeroconfAnnouncer",
    "ZeroconfFinder",
    "apply_options",
    "bind",
    "can_read",
    "check_endpoint",
    "check_key",
    "connect",
    "default_keys_folder",
    "find_interface",
    "has_ring",
    "is_exposed",
    "is_on_loopback",
    "is_request",
    "is_worth_a_line",
    "key_of",
    "load_client_key",
    "make_socket",
    "measure_clock",
    "new_session",
    "own_interfaces",
    "read_clocks",
    "recv_frames",
    "runtime_dir",
    "send_parts",
    "split_route",
    "sweep_rings",
    "zeromq_features",
]
