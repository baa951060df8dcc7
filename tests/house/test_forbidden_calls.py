"""What nobody calls here: nothing that runs code from the wire, and no ZeroMQ but by the table."""

from __future__ import annotations

import ast

import pytest

from .plan import ROOT, calls, imports, name, python_files

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
