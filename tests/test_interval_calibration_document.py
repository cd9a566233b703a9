"""The document on the calibration of intervals shows what was measured."""

from __future__ import annotations

import csv
import statistics
from pathlib import Path

ROOT = Path(__file__).parents[1]
DOCUMENT = (ROOT / "docs" / "interval_calibration.md").read_text(encoding="utf-8")
RESULTS = ROOT / "results" / "calibration_methods"


def rows(name):
    with (RESULTS / name).open(encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def test_its_tables_are_those_of_the_results():
    results = (RESULTS / "calibration.md").read_text(encoding="utf-8").splitlines()
    shown = [line for line in DOCUMENT.splitlines() if line.startswith("| ") and "---" not in line]
    assert len(shown) == 2 + 9 + 18
    assert [line for line in shown if line not in results] == []


def test_the_results_are_those_of_the_table_of_coverages():
    results = (RESULTS / "calibration.md").read_text(encoding="utf-8")
    pooled = [row for row in rows("coverage.csv") if row["dimension"] == "all"]
    assert len(pooled) == 6 * 9 * 3
    for row in pooled:
        ends = f"[{100 * float(row['low']):.0f}, {100 * float(row['high']):.0f}]"
        assert f"{100 * float(row['coverage']):.1f} {ends}" in results


def test_what_it_says_of_the_stated_sd():
    stated = [
        row for row in rows("coverage.csv") if (row["dimension"], row["method"]) == ("all", "as predicted")
    ]
    off = {
        is_work: [
            abs(float(row["coverage"]) - float(row["level"]))
            for row in stated
            if (row["split"] == "leave_one_work_out") == is_work
        ]
        for is_work in (True, False)
    }
    assert f"at most {100 * max(off[False]):.1f} points" in DOCUMENT
    new_work = [
        100 * float(row["coverage"])
        for row in stated
        if row["split"] == "leave_one_work_out" and row["level"] == "0.9"
    ]
    assert f"hold {min(new_work):.0f} to {max(new_work):.0f} %" in DOCUMENT


def test_what_it_says_of_the_spread_and_the_ence():
    stated = [row for row in rows("distributions.csv") if row["method"] == "as predicted"]
    by_part = {
        (row["split"], row["input"]): [
            float(one["sd_spread"])
            for one in stated
            if (one["split"], one["input"]) == (row["split"], row["input"])
        ]
        for row in stated
    }
    spreads = [100 * statistics.median(values) for values in by_part.values()]
    assert f"Its spread is {min(spreads):.0f} to {max(spreads):.0f} % of its mean" in DOCUMENT
    ratio = statistics.median(
        float(row["ence"]) / float(row["ence_p95"]) for row in stated if row["split"] == "leave_one_work_out"
    )
    assert round(ratio) == 3
    assert "ENCE is three times" in DOCUMENT


def test_what_it_says_of_abstentions():
    results = (RESULTS / "abstention.md").read_text(encoding="utf-8")
    pianists = next(line for line in results.splitlines() if line.startswith("| pianists |"))
    cells = [cell.strip() for cell in pianists.strip("|").split("|")]
    assert cells[1] == "877"
    assert cells[7:9] == ["2.7 %", "0.1 %"]  # at .9 and at 1: one excerpt
    assert round(0.001 * 877) == 1
    assert "abstains from 100.0 % of playing that is no music" in results
    assert "out of range 0.0 %" in results
    for said in ("one of 877 pianists' excerpts", "2.7 % of pianists' excerpts"):
        assert said in " ".join(DOCUMENT.split())
