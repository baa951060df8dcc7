from zbus.transport import ClockReading
from zbus_brokers._host_clock import HostClock

S = 1_000_000_000


class Clocks:
    """Clocks that a test sets."""

    def __init__(self):
        self.now = ClockReading(mono_ns=100 * S, utc_ns=1_700_000_000 * S, boot_ns=130 * S)

    def pass_time(self, mono_ns=0, utc_ns=0, boot_ns=0):
        now = self.now
        self.now = ClockReading(now.mono_ns + mono_ns, now.utc_ns + utc_ns, now.boot_ns + boot_ns)

    def read(self):
        return self.now


def watched():
    clocks, told = Clocks(), []
    return clocks, told, HostClock("rig1", lambda *event: told.append(event), clocks.read)


def test_time_that_passes_is_not_told():
    clocks, told, host = watched()
    for _ in range(5):
        clocks.pass_time(S, S, S)
        host.look()
    assert told == []
    assert host.counters == {"clock_steps": 0, "suspends": 0}


def test_a_step_is_told_once_with_both_clocks_and_counted(caplog):
    clocks, told, host = watched()
    clocks.pass_time(S, S - 3600 * S, S)
    host.look()
    clocks.pass_time(S, S, S)
    host.look()
    (event, fields), *more = told
    assert (event, more) == ("clock_step", [])
    assert fields == {
        "host": "rig1",
        "step_ns": -3600 * S,
        "mono_ns": 101 * S,
        "utc_ns": 1_700_000_001 * S - 3600 * S,
    }
    assert host.counters == {"clock_steps": 1, "suspends": 0}
    assert "clock_step on rig1" in caplog.text


def test_a_host_that_slept_is_told_and_its_clock_was_not_set():
    clocks, told, host = watched()
    clocks.pass_time(S, 31 * S, 31 * S)
    host.look()
    assert [(event, fields.get("suspended_ns")) for event, fields in told] == [("host_suspended", 30 * S)]
    assert host.counters == {"clock_steps": 0, "suspends": 1}


def test_it_reads_the_clocks_of_this_host():
    told = []
    host = HostClock("rig1", lambda *event: told.append(event))
    host.look()
    assert told == []
