"""`benchmarks/damage.py`: the page states correlations, answers, falls and changes as they are."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from damage_example import anchors
from tocco.pseudo_labels.damage.catalogue import MEASURES

sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))

from damage_report import PARTS, mean_harm, medians, summary

NAMES = tuple(MEASURES)


def take(corpus: str, piece: str, grade: float, value: float) -> dict[str, object]:
    return {"corpus": corpus, "take": "t", "piece": piece, "grade": grade} | dict.fromkeys(NAMES, value)


def change(name: str, measure: str, before: float, after: float, excerpt: str = "a") -> dict[str, object]:
    return {"excerpt": excerpt, "change": name, "measure": measure, "before": before, "after": after}


CLEAN = [
    *(take("students", f"p{k % 2}", 5.0 - 0.1 * k, 0.1 * k) for k in range(21)),
    *(take("ASAP", "q", float("nan"), value) for value in (0.1, 0.2, 0.3, 0.4, 2.0)),
]
ANSWERED = [
    *(change("stops", "lost_time", 0.1, 0.9, one) for one in "abc"),
    *(change("stops", "density", 0.4, after, one) for one, after in zip("abc", (0.1, 0.4, 0.4), strict=True)),
]
KEPT = [change("cut +2 s", "lost_time", 0.1, after, one) for one, after in zip("ab", (0.1, 0.3), strict=True)]


@pytest.fixture(scope="module")
def page() -> str:
    return summary(CLEAN, ANSWERED, KEPT, anchors())


def test_correlations_with_teachers(page: str) -> None:
    assert "| mean of the parts | 1.00 [1.00, 1.00] | 1.00 [1.00, 1.00] |" in page
    assert "Of 5 takes of ASAP 80 % have less mean harm than the students' median." in page


def test_undamaged_play(page: str) -> None:
    assert "|  | students (21) | ASAP (5) |" in page
    assert "| dry | 0.50 / 1.00 / 1.50 / 1.90 | 0.20 / 0.30 / 0.40 / 1.68 |" in page


def test_answers_and_falls(page: str) -> None:
    cells = dict.fromkeys(NAMES, "-") | {"lost_time": "**0.90**", "density": "0.40"}
    assert "| stops | " + " | ".join(cells.values()) + " |" in page
    assert "| stops | density | 33 % | 0.00 |" in page
    assert "| lost_time | 0.10 / 0.19 |" in page


def test_the_worse_of_a_part_counts_and_missing_ones_do_not() -> None:
    row = {"lost_time": 0.2, "worst_stop": 0.6, "slowness": 0.0}
    assert mean_harm(row) == pytest.approx(0.3)
    assert mean_harm(dict.fromkeys(NAMES, 0.5)) == pytest.approx(0.5)
    assert {name for names in PARTS.values() for name in names} <= set(NAMES)


def test_medians_of_the_excerpts() -> None:
    density = next(row for row in medians(ANSWERED) if row["measure"] == "density")
    assert density == {
        "change": "stops",
        "measure": "density",
        "excerpts": 3,
        "before": 0.4,
        "after": 0.4,
        "rose": 0.0,
        "fell": pytest.approx(1 / 3),
        "lost": 0.0,
    }
