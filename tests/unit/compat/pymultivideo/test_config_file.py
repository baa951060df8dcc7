import json
from pathlib import Path
from typing import Any

import pytest

from zbus.compat.pymultivideo import FrontEndSettings
from zbus.compat.pymultivideo._config_file import CONFIG_MAX_BYTES, apply_config_file
from zbus.errors import ConfigError


def applied(path: Path, content: Any, **options: Any) -> FrontEndSettings:
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return apply_config_file(FrontEndSettings("18360350", config=str(path), **options))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "config.json"


def test_without_a_file_nothing_changes() -> None:
    settings = FrontEndSettings("cam1", put_rate=3.0)
    assert apply_config_file(settings) is settings


@pytest.mark.parametrize("name", ["server_config", "socket_config"])
def test_rates_are_read_under_both_names(path: Path, name: str) -> None:
    table = {name: {"put_rate": 25, "pull_rate": 5, "server_buffer_size": 10}, "other": {"x": 1}}
    settings = applied(path, table)
    assert (settings.put_rate, settings.pull_rate) == (25.0, 5.0)


def test_a_config_py_is_read_but_not_run(tmp_path: Path) -> None:
    source = "import nothing_of_that_name\nserver_config = {'put_rate': 20, 'pull_rate': 4}\nboom = 1 / 0\n"
    settings = applied(tmp_path / "config.py", source)
    assert (settings.put_rate, settings.pull_rate) == (20.0, 4.0)


def test_what_was_asked_for_wins_over_the_file(path: Path) -> None:
    settings = applied(path, {"server_config": {"put_rate": 25, "pull_rate": 5}}, put_rate=50.0)
    assert (settings.put_rate, settings.pull_rate) == (50.0, 5.0)


ENTRY = {
    "unique_id": "18360350-spinnaker",
    "fps": 60,
    "pub_server_address": "tcp://localhost:5561",
    "pull_server_address": "tcp://localhost:5562",
}
OTHER = {"unique_id": "1-spinnaker", "pub_server_address": "tcp://localhost:1"}


@pytest.mark.parametrize(
    "table",
    [
        [OTHER, ENTRY],
        {"1-spinnaker": OTHER, "18360350-spinnaker": ENTRY},
        {"18360350": {key: value for key, value in ENTRY.items() if key != "fps"}},
        {"server_config": {}, "camera_configs": [OTHER, ENTRY]},
        {"cameras": {"left": OTHER, "right": ENTRY}},
    ],
)
def test_each_camera_finds_its_own_addresses(path: Path, table: Any) -> None:
    settings = applied(path, table)
    assert settings.pub_address == "tcp://localhost:5561"
    assert settings.pull_address == "tcp://localhost:5562"
    assert settings.picture_id == "18360350-spinnaker"


def test_a_camera_that_the_file_does_not_know_keeps_the_defaults(path: Path) -> None:
    settings = applied(path, [OTHER, {"unique_id": ["no", "text"], "name": None}, 7])
    assert settings.pub_address == "tcp://127.0.0.1:5555"


@pytest.mark.parametrize("content", ["{", '{"server_config": {"put_rate": "fast"}}', '{"a": NaN}'])
def test_a_wrong_file_is_named(path: Path, content: str) -> None:
    with pytest.raises(ConfigError) as caught:
        applied(path, content)
    assert caught.value.path == str(path)


def test_a_wrong_config_py_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be understood"):
        applied(tmp_path / "config.py", "server_config = open('x')")


def test_a_file_that_is_not_there_or_too_large_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        apply_config_file(FrontEndSettings("cam1", config=str(tmp_path / "none.json")))
    with pytest.raises(ConfigError, match="too large"):
        applied(tmp_path / "big.json", " " * (CONFIG_MAX_BYTES + 1))
