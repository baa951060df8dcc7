"""What nobody calls here: nothing that runs code from the wire, and no ZeroMQ but by the table."""

from __future__ import annotations

import ast

import pytest

from .plan import ROOT, calls, imports, name, python_files, tree

FILES = [name(path) for path in python_files()]

FORBIDDEN_MODULES = {"pickle", "cPickle", "dill", "marshal", "shelve", "jsonpickle", "yaml"}
FORBIDDEN_CALLS = {"eval", "exec", "compile", "os.system", "os.popen", "__import__"}
FORBIDDEN_METHODS = {"recv_pyobj", "send_pyobj", "recv_serialized", "unpack_unsafe"}
ZEROMQ_ROOMS = ("zbus/transport/", "brokers/")

# An HTML page compiles nothing; `re.compile` and model `.compile` are other things and have a dot.


@pytest.mark.parametrize("file", FILES)
def test_nothing_runs_code_from_the_wire(file: str):
    modules = {module.split(".")[0] for module in imports(ROOT / file)}
    assert not modules & FORBIDDEN_MODULES
    for called, call in calls(ROOT / file):
        assert called not in FORBIDDEN_CALLS, f"{file}:{call.lineno}: {called}"
        assert called.rpartition(".")[2] not in FORBIDDEN_METHODS, f"{file}:{call.lineno}: {called}"
        assert not allows_pickle(call), f"{file}:{call.lineno}: {called} with allow_pickle"
        assert not uses_shell(call), f"{file}:{call.lineno}: {called} with a shell"


def allows_pickle(call: ast.Call) -> bool:
    return any(word.arg == "allow_pickle" and ast.unparse(word.value) != "False" for word in call.keywords)


def uses_shell(call: ast.Call) -> bool:
    return any(word.arg == "shell" and ast.unparse(word.value) != "False" for word in call.keywords)


@pytest.mark.parametrize("file", [file for file in FILES if not file.startswith(ZEROMQ_ROOMS)])
def test_only_transport_and_the_brokers_speak_zeromq(file: str):
    assert "zmq" not in {module.split(".")[0] for module in imports(ROOT / file)}


@pytest.mark.parametrize("file", [file for file in FILES if file.startswith(ZEROMQ_ROOMS)])
def test_every_socket_is_made_by_the_table(file: str):
    """Else it would have no bound, no heartbeat and a linger for ever."""
    if file == "zbus/transport/_context.py":
        return
    for called, call in calls(ROOT / file):
        assert called not in ("zmq.Context", "zmq.Socket", "zmq.Context.instance"), f"{file}:{call.lineno}"
        made_by = ast.unparse(call.func).rpartition(".")
        assert made_by[2] != "socket" or made_by[0] == "_socket", f"{file}:{call.lineno}: {called}"


@pytest.mark.parametrize("file", FILES)
def test_a_library_never_prints_and_never_exits(file: str):
    if file.startswith("zbus/cli/"):
        return
    for called, call in calls(ROOT / file):
        assert called not in ("print", "exit", "quit", "sys.exit"), f"{file}:{call.lineno}: {called}"


# Where the wall clock is read, and why. Durations and deadlines are the monotonic clock's: a person or a
# time server may set the other one at any moment.
WALL_CLOCK = {
    "brokers/zbus_brokers/_broker.py": "published_ns and since_ns of its own messages",
    "brokers/zbus_brokers/_directory.py": "tells it to who asks for the clocks of this host",
    "brokers/zbus_brokers/relay/_clocks.py": "compares it with another host's",
    "brokers/zbus_brokers/relay/_directory_link.py": "asked_ns",
    "brokers/zbus_brokers/relay/_exporter.py": "tells it to who pings",
    "brokers/zbus_brokers/relay/_relay.py": "since_ns",
    "brokers/zbus_brokers/relay/_sources.py": "whether a frame's two times are of this host's clocks",
    "brokers/zbus_brokers/edge/_voice.py": "since_ns",
    "zbus/cameras/_pace.py": "captured_ns",
    "zbus/cli/_tap.py": "how old a message is by its UTC stamps, for a person",
    "zbus/gateways/_forms.py": "the age of pictures of another host, by UTC",
    "zbus/gateways/_view.py": "since_ns of nodes that were lost",
    "zbus/nodes/_presence.py": "since_ns",
    "zbus/testing/_camera_contract.py": "what captured_ns is held against",
    "zbus/transport/_clock_watch.py": "watches it",
    "zbus/transport/_control_link.py": "asked_ns of a request, and whether it came too late",
    "zbus/transport/_lifespan.py": "whether a frame's two clocks are this host's two",
    "zbus/transport/_publisher.py": "published_ns",
    "zbus/transport/_requester.py": "asked_ns of a request",
    "zbus/transport/_ring_sweep.py": "the age of a file, which the file system tells by UTC",
}
WALL_CLOCK_NAMES = {
    "time.time", "time.time_ns", "time.clock_gettime", "time.localtime", "time.gmtime",
    "datetime.now", "datetime.utcnow", "datetime.datetime.now", "datetime.datetime.utcnow", "date.today",
}  # fmt: skip


@pytest.mark.parametrize("file", FILES)
def test_the_wall_clock_is_read_in_named_places_only(file: str):
    if file in WALL_CLOCK:
        return
    for node in ast.walk(tree(ROOT / file)):
        if isinstance(node, ast.Attribute):
            assert ast.unparse(node) not in WALL_CLOCK_NAMES, f"{file}:{node.lineno}: {ast.unparse(node)}"
        if isinstance(node, ast.ImportFrom) and node.module == "time":
            taken = {f"time.{alias.name}" for alias in node.names}
            assert not taken & WALL_CLOCK_NAMES, f"{file}:{node.lineno}: {taken}"


@pytest.mark.parametrize("file", sorted(WALL_CLOCK))
def test_no_named_place_of_the_wall_clock_outlives_its_use(file: str):
    read = {ast.unparse(node) for node in ast.walk(tree(ROOT / file)) if isinstance(node, ast.Attribute)}
    assert read & WALL_CLOCK_NAMES
