"""What docs/calibration.md says of made-up teachers is what the benchmark wrote."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
KINDS = {
    "as the default": "as the default",
    "severe": "severe by 20 points",
    "lenient": "lenient by 20 points",
    "compressed": "compressed to 0.4",
    "phrasing alone": "marks phrasing alone",
    "at random": "marks at random",
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_row_of_the_table_has_the_figures_of_the_file(kind):
    rows = json.loads((ROOT / "results/calibration/simulated.json").read_text())
    of = {row["marks"]: row for row in rows if row["teacher"] == kind}
    personal = [of[n]["personal"] for n in (3, 10, 20, 80)]
    text = (ROOT / "docs/calibration.md").read_text(encoding="utf-8")
    (row,) = (line for line in text.splitlines() if line.startswith(f"| {KINDS[kind]} |"))
    cells = [cell.strip().removesuffix(" %") for cell in row.strip("|").split("|")][1:]
    default, *shown, better, within = (float(cell) for cell in cells)
    assert shown == pytest.approx(personal, abs=0.051)
    assert default == pytest.approx(of[20]["default"], abs=0.15)
    assert better == round(100 * of[20]["said_better"])
    assert within == pytest.approx(100 * of[20]["within_90"], abs=0.6)
