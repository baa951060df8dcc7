"""A broker to misbehave at, and the honest beside it."""

from __future__ import annotations

import pytest
from honest import Honest

from zbus.transport import Requester


@pytest.fixture
def exposed(start_broker):
    """A broker in a process of its own, as in a rig: what strangers cost it, the honest do not pay."""
    return start_broker()


@pytest.fixture
def honest(exposed, wait_until):
    """Whatever the test does: frames go on, and none is missing at the end."""
    with Honest(exposed) as honest:
        wait_until(lambda: honest.heard > 5)
        yield honest
        heard = honest.heard
        wait_until(lambda: honest.heard > heard + 10)
    assert (honest.counters.gaps, honest.counters.refused, honest.counters.restarts) == (0, {}, 0)
    with Requester(exposed.directory) as requester:
        assert requester.request("endpoints", timeout_s=20)["publish"] == exposed.publish
