"""Runs all benches and writes baseline.json beside this file. Options go to all of them, like --quick."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent


def main() -> None:
    benches = {}
    for script in sorted(HERE.glob("bench_*.py")):
        words = [sys.executable, str(script), "--json", *sys.argv[1:]]
        told = json.loads(subprocess.run(words, check=True, stdout=subprocess.PIPE).stdout)
        machine = told.pop("machine")
        benches[told.pop("bench")] = told
    text = json.dumps({"machine": machine, "benches": benches}, indent=1)
    (HERE / "baseline.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
