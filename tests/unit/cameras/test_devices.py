from pathlib import Path

from zbus.cameras import Device, list_devices


def test_devices_come_in_order_with_their_names(tmp_path: Path) -> None:
    for number, name in ((10, "Ten\n"), (2, "Two: Camera\n")):
        (tmp_path / f"video{number}").mkdir()
        (tmp_path / f"video{number}" / "name").write_text(name)
    (tmp_path / "v4l-subdev0").mkdir()
    assert list_devices(tmp_path) == [Device("/dev/video2", "Two: Camera"), Device("/dev/video10", "Ten")]


def test_a_device_without_a_name_is_listed(tmp_path: Path) -> None:
    (tmp_path / "video0").mkdir()
    assert list_devices(tmp_path) == [Device("/dev/video0", "")]


def test_there_are_none_where_the_system_keeps_no_list(tmp_path: Path) -> None:
    assert list_devices(tmp_path / "nothing") == []
