"""Rooms: the top-level folders are those of the design, and every folder says its job in one sentence."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from .plan import NOT_ROOMS, ROOT, TOP_FOLDERS


def committed_files() -> list[Path]:
    """What belongs to the house: what git knows, or what lies there where this is no checkout."""
    try:
        run = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return [path.relative_to(ROOT) for top in TOP_FOLDERS for path in (ROOT / top).rglob("*")]
    return [Path(each) for each in run.stdout.split("\0") if each and (ROOT / each).exists()]


def folders() -> list[str]:
    found = {parent for file in committed_files() for parent in file.parents if parent != Path()}
    return sorted(
        folder.as_posix() for folder in found
        if not NOT_ROOMS & set(folder.parts) and not folder.parts[0].startswith(".")
        and not is_mirror(folder)
    )  # fmt: skip


def is_mirror(folder: Path) -> bool:
    """The rooms of tests/unit are those of the house, and are described there."""
    return folder.parts[:2] == ("tests", "unit") and len(folder.parts) > 2


def test_only_the_top_level_folders_of_the_design():
    tops = {file.parts[0] for file in committed_files() if len(file.parts) > 1}
    assert {top for top in tops if not top.startswith(".")} <= TOP_FOLDERS


@pytest.mark.parametrize("folder", folders())
def test_every_folder_opens_with_its_job_in_one_sentence(folder: str):
    readme = ROOT / folder / "README.md"
    assert readme.exists(), f"{folder} has no README.md"
    first = re.sub(r"^(#.*\n|\s*\n)+", "", readme.read_text(encoding="utf-8")).split("\n\n")[0].strip()
    sentence = re.sub(r"\s+", " ", first)
    assert sentence.endswith((".", ":")), f"{folder}: {sentence!r}"
    assert not re.search(r"[.!?] [A-Z]", sentence), (
        f"{folder} opens with more than one sentence: {sentence!r}"
    )
