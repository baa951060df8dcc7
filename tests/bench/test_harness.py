"""What the benches compute, and that one runs: counts and form, never speed."""

import json
import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from harness.job import MARKERS, Job, is_marked, make_images, mark
from harness.load import Load, machine
from harness.report import figure, name_of, read_size, tidy
from harness.summary import Round, Target, Targets, median_row, percentile, ratio, worst

HERE = Path(__file__).parent
SENT = {"sent": 10, "cpu_s": 0.001, "process_cpu_s": 0.5}


def got(**changes):
    figures = {"received": 10, "p50_us": 5.0, "p99_us": 9.0, "per_s": 100.0, "torn": 0, "overrun": 0}
    return figures | {"cpu_s": 0.002, "process_cpu_s": 0.25} | changes


def test_a_round_shows_the_worst_subscriber_and_all_that_was_lost():
    row = Round(SENT, [got(), got(received=7, p50_us=8.0, torn=1)]).row()
    assert (row["p50_us"], row["lost"], row["torn"], row["per_s"]) == (8.0, 3, 1, 100.0)
    assert row["publisher_cpu_us"] == pytest.approx(100)
    assert row["subscriber_cpu_us"] == pytest.approx(4000 / 17)


def test_who_heard_nothing_has_no_latency():
    row = Round(SENT, [got(received=0, p50_us=None, p99_us=None, cpu_s=0.0)]).row()
    assert row["p50_us"] is None
    assert row["subscriber_cpu_us"] is None
    assert row["lost"] == 10


def test_what_was_lost_is_never_less_than_nothing():
    assert Round(SENT, [got(received=11)]).row()["lost"] == 0


def test_the_processor_time_of_all_sides_is_ours():
    assert Round(SENT, [got(), got()]).own_cpu_s == 1.0


@pytest.mark.parametrize(("percent", "value"), [(0, 1), (50, 2), (51, 3), (99, 4), (100, 4)])
def test_a_percentile_is_one_of_the_values(percent, value):
    assert percentile([4, 2, 3, 1], percent) == value


def test_rows_are_summed_up_by_medians_and_counts_by_sums():
    rows = [Round(SENT, [got(p50_us=p50_us, received=9)]).row() for p50_us in (1.0, 7.0, 3.0)]
    row = median_row(rows)
    assert (row["p50_us"], row["lost"], row["rounds"]) == (3.0, 3, 3)
    assert median_row([rows[0] | {"p50_us": None}])["p50_us"] is None


def test_ratios_need_both_sides():
    assert ratio(1.0, 2.0) == 0.5
    assert ratio(None, 2.0) is None
    assert ratio(1.0, None) is None
    assert ratio(1.0, 0.0) is None
    assert worst([1.0, None]) is None


def test_targets_are_met_from_their_own_side():
    assert Target("", 1.0, 1.0).ok
    assert not Target("", 1.01, 1.0).ok
    assert Target("", 1.0, 1.0, at_least=True).ok
    assert not Target("", 0.99, 1.0, at_least=True).ok
    assert Target("", None, 1.0).ok is None
    assert Target("", 0.0, 1.0, at_least=True).strain == math.inf


def test_a_number_is_as_good_as_its_worst_comparison():
    targets = Targets()
    targets.add(
        "A1", Target("near", 0.9, 1.0), Target("missed", 1.2, 1.15), Target("not measured", None, 1.0)
    )
    targets.add("A2", Target("fast", 6.0, 5.0, at_least=True))
    found = targets.to_map()
    assert found["A1"] | {"all": None} == {
        "of": "missed",
        "ratio": 1.2,
        "target": "<= 1.15",
        "ok": False,
        "all": None,
    }
    assert [each["ok"] for each in found["A1"]["all"]] == [True, False, None]
    assert found["A2"]["ok"]
    assert not targets.are_met


def test_nothing_lost_is_a_target_too():
    assert Target("lost", 0, 0).ok
    assert not Target("lost", 3, 0).ok
    assert Target("lost", 3, 0).strain > Target("other", 2.0, 1.0).strain


@pytest.mark.parametrize("shape", [(48, 64, 1), (48, 64, 3)])
def test_a_picture_made_of_two_is_found_out(shape):
    images = make_images(shape)
    assert [is_marked(image, number) for number, image in enumerate(images)] == [True] * MARKERS
    torn = images[1].copy()
    torn[20:] = images[2][20:]
    assert not is_marked(torn, 1)
    mark(torn, 4)
    assert is_marked(torn, 4)
    assert is_marked(torn, 4 + MARKERS)
    assert images[0].nbytes == Job(shape, 0, 1).nbytes


def test_sizes_are_read_as_people_write_them():
    assert read_size("1920x1080x3") == (1080, 1920, 3)
    assert read_size("640x480") == (480, 640, 1)
    assert name_of((480, 640, 1)) == "640x480x1"


def test_figures_have_as_many_digits_as_mean_anything():
    assert tidy(1234.567) == 1235.0
    assert tidy(3) == 3
    assert [figure(value) for value in (None, 1234.5, 0.12345, 7)] == ["-", "1,234", "0.123", "7"]


def test_the_machine_has_a_processor_and_no_name():
    told = machine()
    assert told["cores"] >= 1
    assert set(told) == {"system", "processor", "cores", "python", "libraries"}
    load = Load()
    load.add_own(1e9)
    assert load.to_map()["foreign_cores"] in (0.0, None)


def test_the_committed_baseline_is_of_these_benches():
    baseline = json.loads((HERE / "baseline.json").read_text(encoding="utf-8"))
    assert set(baseline["benches"]) == {path.stem.removeprefix("bench_") for path in HERE.glob("bench_*.py")}
    for bench in baseline["benches"].values():
        assert set(bench) >= {"results", "targets", "load"}


@pytest.mark.timeout(180)
def test_a_quick_bench_tells_what_came():
    words = [
        "--quick",
        "--json",
        "--seconds",
        "0.2",
        "--sizes",
        "64x48x1",
        "--only",
        "zmq ipc,zbus inline tcp,20 Hz",
    ]
    ran = subprocess.run(
        [sys.executable, str(HERE / "bench_transport.py"), *words],
        check=True,
        capture_output=True,
        timeout=170,
    )
    told = json.loads(ran.stdout)
    assert told["absent"] == {}
    rows = {(row["case"], row["contender"]): row for row in told["results"]}
    row = rows["64x48x1 at 100 Hz", "zmq ipc"]
    assert 0 < row["sent"] <= 20
    assert 0 < row["received"] == row["sent"] - row["lost"]
    assert row["torn"] == 0
    assert row["p50_us"] <= row["p99_us"]
    assert ("64x48x1 flat out", "zbus inline tcp CURVE") in rows
    assert set(told["targets"]["A5"]) == {"of", "ratio", "target", "ok", "all"}
    assert np.isfinite(told["targets"]["A5"]["ratio"])
