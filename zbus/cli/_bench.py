"""`zbus bench`"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import click

from zbus.errors import ConfigError

BENCHES = ("transport", "messages", "fanout", "codec")


@click.command()
@click.argument("bench", type=click.Choice(BENCHES), default="transport")
@click.option("--json", "as_json", is_flag=True, help="For a program: results and targets.")
@click.option("--quick", is_flag=True, help="Few and short rounds: a look, not a measure.")
@click.option("--check", is_flag=True, help="End with 1 where a target is missed.")
@click.option("--rounds", type=click.IntRange(1, 1000), help="Rounds of each contender.")
@click.option("--sizes", default="", help="Pictures, like 640x480x1,1920x1080x3.")
@click.pass_context
def bench(
    context: click.Context,
    bench: str,
    as_json: bool,
    quick: bool,
    check: bool,
    rounds: int | None,
    sizes: str,
) -> None:
    """Measure speed beside other ways, in one run on this machine, as ratios.

    Exit code 0 whatever comes out, unless --check. The measures are those of a checkout: tests/bench, whose
    README says how to read them.
    """
    flags = {"--json": as_json, "--quick": quick, "--check": check}
    words = [name for name, is_on in flags.items() if is_on]
    words += ["--rounds", str(rounds)] if rounds else []
    words += ["--sizes", sizes] if sizes else []
    done = subprocess.run([sys.executable, str(find_bench(bench)), *words], check=False)
    context.exit(done.returncode)


def find_bench(name: str) -> Path:
    """The script of a bench in the checkout that this package lies in. Raises ConfigError without one."""
    script = Path(__file__).parents[2] / "tests" / "bench" / f"bench_{name}.py"
    if not script.is_file():
        raise ConfigError(
            "zbus is installed here without its checkout, and the benches are not part of the package",
            next_step="clone the repository, pip install -e '.[bench]' in it, and run zbus bench there",
        )
    return script
