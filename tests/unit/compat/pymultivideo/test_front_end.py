import json
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
import zmq

from zbus.compat.pymultivideo import FrontEnd, FrontEndSettings
from zbus.config import BrokerPlan, CameraPlan
from zbus.errors import ConfigError
from zbus.nodes import run_camera
from zbus.transport import Reactor

from .conftest import DEADLINE_S


@contextmanager
def running(run: Callable[[Reactor], None]) -> Iterator[None]:
    """A node in a thread of its own."""
    with Reactor() as reactor:
        thread = threading.Thread(target=run, args=(reactor,))
        thread.start()
        try:
            yield
        finally:
            reactor.stop()
            thread.join(DEADLINE_S)
            assert not thread.is_alive()


def test_its_settings_are_known_without_opencv() -> None:
    code = (
        "import sys; from zbus.compat.pymultivideo import FrontEnd; "
        "print(FrontEnd.Settings.__name__, 'cv2' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["FrontEndSettings", "False"]


def test_a_wrong_settings_file_is_told_before_anything_runs(loop: Reactor, nowhere: BrokerPlan) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        FrontEnd.run(FrontEndSettings("cam1", config="nosuch.json"), nowhere, loop)


def test_it_serves_the_camera_as_the_settings_file_says_until_stopped(
    broker: Any, runtime: str, tmp_path: Path, free_endpoint: Callable[[], str]
) -> None:
    plan = BrokerPlan(broker.directory, broker.publish, broker.subscribe)
    address = free_endpoint()
    entry = {
        "unique_id": "cam1-spinnaker",
        "pub_server_address": address,
        "pull_server_address": free_endpoint(),
    }
    config = tmp_path / "cameras.json"
    config.write_text(json.dumps([entry]))
    sim = CameraPlan("sim", {"width": 160, "height": 120, "fps": 30.0})
    with ExitStack() as ends:
        ends.enter_context(running(lambda reactor: run_camera("cam1", sim, plan, reactor)))
        settings = FrontEndSettings("cam1", config=str(config))
        ends.enter_context(running(lambda reactor: FrontEnd.run(settings, plan, reactor)))
        client = ends.enter_context(zmq.Context.instance().socket(zmq.SUB))
        client.setsockopt(zmq.LINGER, 0)
        client.setsockopt(zmq.SUBSCRIBE, b"")
        client.connect(address)
        assert client.poll(int(DEADLINE_S * 1000))
        message = json.loads(client.recv())
    assert (message["unique_id"], message["width"], message["height"]) == ("cam1-spinnaker", 160, 120)
