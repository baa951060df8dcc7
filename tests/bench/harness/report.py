"""What every bench prints and takes: one table for people, one object for programs."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from harness.job import Contender, Job
from harness.load import Load, machine
from harness.rounds import Absent, Failed, prepare, run_round
from harness.summary import Row, Targets, median_row

COLUMNS = {
    "p50_us": "p50 us",
    "p99_us": "p99 us",
    "per_s": "a second",
    "lost": "lost",
    "torn": "torn",
    "overrun": "overrun",
    "publisher_cpu_us": "send CPU us",
    "subscriber_cpu_us": "take CPU us",
}


@dataclass(frozen=True)
class Words:
    """What was asked for on the command line."""

    as_json: bool
    check: bool
    quick: bool
    rounds: int
    sizes: tuple[tuple[int, int, int], ...]
    seconds: float
    only: tuple[str, ...]

    def wants(self, contender: Contender) -> bool:
        """True where the contender was not left out by --only."""
        return not self.only or any(word in contender.name for word in self.only)


@dataclass
class Findings:
    """What a bench found: rows under (case, contender), and who did not take part, and why."""

    rows: dict[tuple[str, str], Row]
    absent: dict[str, str]
    load: dict[str, Any]

    def figure(self, case: str, contender: str, key: str) -> float | None:
        """One figure; None where it is not there."""
        return self.rows.get((case, contender), {}).get(key)


def read_words(
    text: str, *, rounds: int, seconds: float, sizes: Sequence[str], quick_sizes: Sequence[str]
) -> Words:
    """Read the command line that all benches share."""
    parser = argparse.ArgumentParser(description=text, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="for a program")
    parser.add_argument("--quick", action="store_true", help="few and short rounds: a look, not a measure")
    parser.add_argument("--check", action="store_true", help="exit with 1 where a target is missed")
    parser.add_argument("--rounds", type=int, default=0, help=f"rounds of each contender ({rounds})")
    parser.add_argument("--seconds", type=float, default=0.0, help=f"length of a round ({seconds:g})")
    parser.add_argument(
        "--sizes", default="", help=f"width x height x channels ({','.join(sizes) or 'none'})"
    )
    parser.add_argument("--only", default="", help="only contenders with one of these words in their names")
    words = parser.parse_args()
    chosen = words.sizes.split(",") if words.sizes else quick_sizes if words.quick else sizes
    return Words(
        as_json=words.json,
        check=words.check,
        quick=words.quick,
        rounds=words.rounds or (1 if words.quick else rounds),
        sizes=tuple(read_size(size) for size in chosen),
        seconds=words.seconds or (seconds / 4 if words.quick else seconds),
        only=tuple(word for word in words.only.split(",") if word),
    )


def read_size(text: str) -> tuple[int, int, int]:
    """`1920x1080x3` as height, width, channels."""
    width, height, *channels = map(int, text.split("x"))
    return height, width, channels[0] if channels else 1


def name_of(shape: tuple[int, int, int]) -> str:
    """Height, width, channels as `1920x1080x3`."""
    height, width, channels = shape
    return f"{width}x{height}x{channels}"


def run_all(cases: Iterable[tuple[str, Contender, Job]], rounds: int) -> Findings:
    """All rounds of all cases; the contenders take turns, so that what else the machine does meets all."""
    prepare()
    load, absent = Load(), dict[str, str]()
    found: dict[tuple[str, str], list[Row]] = {}
    todo = list(cases)
    for number in range(rounds):
        # Why also turned round: who comes after a heavy neighbor must not always be the same.
        for case, contender, job in todo if number % 2 == 0 else reversed(todo):
            if contender.name in absent:
                continue
            try:
                outcome = run_round(contender, job)
            except Absent as error:
                absent[contender.name] = str(error)
            except Failed as error:
                absent[f"{contender.name}, {case}"] = str(error)
            else:
                load.add_own(outcome.own_cpu_s)
                found.setdefault((case, contender.name), []).append(outcome.row())
            progress(f"round {number + 1} of {rounds}: {case}, {contender.name}")
    progress("")
    return Findings({key: median_row(rows) for key, rows in found.items()}, absent, load.to_map())


def progress(text: str) -> None:
    """Where it stands, where somebody watches."""
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)


def tell(bench: str, words: Words, findings: Findings, targets: Targets) -> int:
    """Print what was found; returns the exit code."""
    result = {
        "bench": bench,
        "machine": machine(),
        "load": findings.load,
        "rounds": words.rounds,
        "seconds": words.seconds,
        "results": [
            {"case": case, "contender": name} | {key: tidy(value) for key, value in row.items()}
            for (case, name), row in findings.rows.items()
        ],
        "absent": findings.absent,
        "targets": targets.to_map(),
    }
    if words.as_json:
        print(json.dumps(result, indent=1))
    else:
        show(result)
    return int(words.check and not targets.are_met)


def tidy(value: Any) -> Any:
    """A figure with no more digits than mean anything."""
    return float(f"{value:.4g}") if isinstance(value, float) else value


def show(result: dict[str, Any]) -> None:
    """The table for people."""
    case = None
    columns = [key for key in COLUMNS if any(row.get(key) is not None for row in result["results"])]
    for row in sorted(result["results"], key=lambda row: row["case"]):
        if row["case"] != case:
            case = row["case"]
            print(f"\n{case}\n{'':30}" + "".join(f"{COLUMNS[key]:>13}" for key in columns))
        print(f"{row['contender']:<30}" + "".join(f"{figure(row.get(key)):>13}" for key in columns))
    for name, why in result["absent"].items():
        print(f"\nnot measured: {name}: {why}", end="")
    print(f"\n\nload: {result['load']}\n\ntargets: a ratio within one run, and what it should be")
    for number, target in result["targets"].items():
        for each in target["all"]:
            how = f"{figure(each['ratio']):>9} {each['target']:<8}"
            print(f"  {number:<4}{verdict(each['ok']):<9}{how} {each['of']}")


def figure(value: Any) -> str:
    """A figure as a person reads it."""
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
    return f"{value}"


def verdict(ok: bool | None) -> str:
    """Met, missed, or not measured."""
    return {True: "met", False: "MISSED", None: "-"}[ok]
