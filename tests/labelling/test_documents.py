"""The figures in the documents are those of the result files."""

from __future__ import annotations

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "scripts"))

import rating_guide_examples

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "results" / "labelling"


def text_of(path: Path) -> str:
    return " ".join(path.read_text(encoding="utf-8").split())


def test_the_page_has_the_figures_of_the_killed_writers() -> None:
    found = json.loads((RESULTS / "kills.json").read_text())
    assert (found["kills"], found["lost"], found["unreadable"]) == (1000, 0, 0)
    assert (
        f"{found['kills']:,} writers killed while writing, {found['acknowledged']:,} acknowledged events: "
        f"{found['lost']} lost, {found['changed']} changed, {found['unreadable']} unreadable stores"
    ) in text_of(ROOT / "docs" / "labelling.md")


def test_the_page_has_the_figures_of_the_simulation() -> None:
    found = json.loads((RESULTS / "active_learning.json").read_text())
    page = text_of(ROOT / "docs" / "labelling.md")
    rows = {row["n"]: row for row in found["gains"]["as `tocco label next`"]}
    for n in (80, 200, 400):
        row = rows[n]
        assert f"{row['difference']:+.3f} ({row['low']:+.3f} to {row['high']:+.3f})" in page
    assert [n for n, row in rows.items() if row["low"] <= 0.0 and n > 40] == [320, 360, 400]


def test_the_rating_guide_has_the_examples_that_were_rated() -> None:
    ratings = json.loads((RESULTS / "guide_examples.json").read_text())
    guide = (ROOT / "docs" / "rating_guide.md").read_text(encoding="utf-8")
    assert rating_guide_examples.with_table(guide, ratings) == guide
    assert set(rating_guide_examples.SHIPPED) <= set(ratings)
    assert len(ratings) == len(rating_guide_examples.SHIPPED) + len(rating_guide_examples.WORSE)


def test_the_table_takes_the_nearest_example() -> None:
    ratings = {"one": {"phrasing": 28.0}, "two": {"phrasing": 34.0}, "three": {"phrasing": 55.1}}
    row = next(line for line in rating_guide_examples.table(ratings).split("\n") if "| phrasing |" in line)
    assert row == "| phrasing | - | one (28) | - | - | - |"


def test_a_take_shows_no_technical_dimension_that_it_was_not_made_worse_in() -> None:
    name = rating_guide_examples.name_of("wrong_notes", 0.3)
    row = rating_guide_examples.table(
        {name: {"tone_quality": 50.0, "note_accuracy": 70.0, "musicality": 30.0}}
    )
    shown = [line for line in row.split("\n") if name in line]
    assert shown == [
        f"| note_accuracy | - | - | - | {name} (70) | - |",
        f"| musicality | - | {name} (30) | - | - | - |",
    ]
