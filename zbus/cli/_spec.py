"""`zbus spec`"""

from __future__ import annotations

from importlib.resources import files

import click

from zbus.errors import UnknownName


@click.command()
@click.argument("chapter", required=False, default="")
def spec(chapter: str) -> None:
    """Print a chapter of the wire specification, by number or name; without one, list them."""
    chapters = {
        entry.name.removesuffix(".md"): entry
        for entry in files("zbus.spec").iterdir()
        if _is_chapter(entry.name)
    }
    if not chapter:
        for name in sorted(chapters):
            title = chapters[name].read_text(encoding="utf-8").splitlines()[0].lstrip("# ")
            click.echo(f"{name:<14} {title}")
        click.echo("\nread one: zbus spec 3   or all: zbus spec all")
        return
    wanted = [name for name in sorted(chapters) if chapter == "all" or chapter in (name, *name.split("-", 1))]
    if not wanted:
        raise UnknownName("chapter", chapter, sorted(chapters), next_step="zbus spec lists them")
    for name in wanted:
        click.echo(chapters[name].read_text(encoding="utf-8"))


def _is_chapter(name: str) -> bool:
    return name.endswith(".md") and name != "README.md"
