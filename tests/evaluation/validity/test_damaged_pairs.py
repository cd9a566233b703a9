"""Damaged copies compared with their originals: what is counted, and what it is judged by."""

from __future__ import annotations

import pytest

from tocco.evaluation.validity.damaged_pairs import STEPS, DamagedPair, document
from tocco.evaluation.validity.kinds import DAMAGES


def pair(kind: str, target: str, total: str = "better", piece: str = "a", step: int = 3) -> DamagedPair:
    return DamagedPair(piece, kind, step, {DAMAGES[kind].target: target, "aggregate": total})


def row(text: str, name: str) -> list[str]:
    return next(
        [c.strip() for c in line.split("|")[1:-1]]
        for line in text.splitlines()
        if line.startswith(f"| {name} |")
    )


def test_what_is_said_and_what_is_right_are_counted_apart() -> None:
    pairs = [
        pair("jitter", "better"),
        pair("jitter", "undecided"),
        pair("jitter", "worse"),
        pair("mess", "better"),
    ]
    cells = row(document({}, pairs, seed=0), "all")
    assert cells[1] == "4"
    assert cells[2] == "75.0 %"
    assert cells[3] == "66.7 %"
    assert cells[5:7] == ["100.0 %", "100.0 %"]


@pytest.mark.parametrize(
    ("n_said", "n_wrong", "met"), [(80, 2, "yes"), (79, 0, "**no**"), (100, 3, "yes"), (100, 4, "**no**")]
)
def test_the_bars_are_met_from_their_edges_on(n_said: int, n_wrong: int, met: str) -> None:
    pairs = [
        pair("jitter", "undecided" if k >= n_said else "worse" if k < n_wrong else "better")
        for k in range(100)
    ]
    assert row(document({}, pairs, seed=0), "all")[4] == met


def test_groups_and_kinds_have_rows_of_their_own() -> None:
    text = document({}, [pair("jitter", "better"), pair("mess", "worse", "worse")], seed=0)
    assert row(text, "composite")[1] == "2"
    assert row(text, "mess")[1:] == ["note accuracy", "1", "1", "0", "1", "0"]
    assert STEPS == (3, 5)


def test_a_copy_that_is_called_better_is_counted_in_every_dimension() -> None:
    pairs = [pair("jitter", "better"), pair("jitter", "worse"), pair("mess", "undecided")]
    text = document({}, pairs, seed=0)
    every = text[text.index("## Every dimension") :]
    assert row(every, "rhythmic precision") == ["rhythmic precision", "1 of 2", "1 of 2", "50.0 %"]
    assert row(every, "note accuracy") == ["note accuracy", "0 of 1", "0 of 1", "-"]


def test_shares_have_an_interval_over_pieces() -> None:
    pairs = [pair("jitter", "better", piece=name) for name in "abcd"] + [pair("jitter", "worse", piece="e")]
    assert row(document({}, pairs, seed=0), "all")[3].startswith("80.0 % [")
