"""The summary of a run: spreads by hand, the sheet to listen to, and a page without surprises."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from tocco.data.records import LabelRecord
from tocco.evaluation.pseudo_labels.page import spreads, write_summary
from tocco.evaluation.pseudo_labels.spot_check import SpotCheck, choose_spot_checks, excerpt
from tocco.pseudo_labels.pseudo_label import Cause, PseudoLabel
from tocco.pseudo_labels.raters.registry import RATERS

from pseudo_example import piece, played  # isort: skip


def records(n: int = 60) -> list[LabelRecord]:
    rng = np.random.default_rng(2)
    return [
        LabelRecord(
            segment_id=f"s{k:03d}",
            piece_id=f"piece{k % 3}",
            source="made up",
            midi_path=Path(f"{k % 6}.mid"),
            start_time=float(k),
            end_time=float(k + 10),
            labels={name: float(rng.uniform(0, 100)) for name in RATERS if name != "tone_quality"}
            | ({"tone_quality": 50.0 + k % 2} if k < 30 else {}),
        )
        for k in range(n)
    ]


def test_spreads_are_those_of_numpy() -> None:
    rows = records()
    found = {spread.dimension: spread for spread in spreads(rows)}
    rhythm = np.array([row.labels["rhythmic_precision"] for row in rows])
    assert found["rhythmic_precision"].mean == pytest.approx(rhythm.mean())
    assert found["rhythmic_precision"].sd == pytest.approx(rhythm.std(ddof=1))
    assert found["rhythmic_precision"].percentiles[3] == pytest.approx(np.median(rhythm))
    assert found["rhythmic_precision"].is_wide
    assert found["tone_quality"].n == 30
    assert not found["tone_quality"].is_wide
    groups = [
        [r.labels["rhythmic_precision"] for r in rows if str(r.midi_path) == f"{k}.mid"] for k in range(6)
    ]
    pooled = np.sqrt(sum(np.var(group) * len(group) for group in groups) / (60 - 6))
    assert found["rhythmic_precision"].sd_within == pytest.approx(pooled)


def test_spot_checks_show_low_middle_and_high_of_every_dimension() -> None:
    rows = records(200)
    chosen = choose_spot_checks(rows, 20, np.random.default_rng(0))
    assert len(chosen) == len({record.segment_id for record, _ in chosen}) == 20
    for name in RATERS:
        low = next((r for r, why in chosen if why == f"lowest {name}"), None)
        values = [row.labels[name] for row in rows if name in row.labels]
        if low is not None and name != "tone_quality":
            assert low.labels[name] <= np.percentile(values, 6)
    assert chosen == choose_spot_checks(rows, 20, np.random.default_rng(0))
    assert len(choose_spot_checks(rows[:5], 20, np.random.default_rng(0))) == 5


def test_the_page_names_everything_and_escapes_it(tmp_path: Path) -> None:
    rows = records()
    cause = Cause(1.0, 2.0, "wrong", "bar 3 <b>: D for E", (), (), 1.0)
    label = PseudoLabel("note_accuracy", 41.0, {}, (cause,), 0.9, {})
    mute = PseudoLabel("tone_quality", None, {}, (), 0.0, {"tone_quality": "too few chords"})
    check = SpotCheck(rows[0], "lowest note_accuracy", {"note_accuracy": label, "tone_quality": mute})
    refused = ["take9: is not a performance of <it>"]
    worse = [k % 4 == 0 for k in range(len(rows))]
    write_summary(rows, worse, [check], {"source": "made up & more"}, refused, tmp_path)
    page = (tmp_path / "index.html").read_text()
    for reported in (
        "made up &amp; more",
        "bar 3 &lt;b&gt;: D for E",
        "too few chords",
        "not rated",
        'src="segments/s000.flac"',
        "is not a performance of &lt;it&gt;",
        "lowest note_accuracy",
    ):
        assert reported in page
    table = list(csv.DictReader((tmp_path / "ratings.csv").read_text().splitlines()))
    assert [row["dimension"] for row in table] == list(RATERS)
    assert page.count("<td class=no>NO</td>") == 1  # tone quality alone does not vary
    first = (tmp_path / "distributions.png").read_bytes()
    write_summary(rows, worse, [check], {"source": "made up & more"}, refused, tmp_path)
    assert (tmp_path / "index.html").read_text() == page
    assert (tmp_path / "distributions.png").read_bytes() == first


def test_an_excerpt_holds_what_is_struck_in_it_on_its_own_clock() -> None:
    performance = played(piece(0), 1)
    cut = excerpt(performance, 5.0, 12.0)
    inside = (performance.onset_sec >= 5.0) & (performance.onset_sec < 12.0)
    np.testing.assert_allclose(cut.onset_sec, performance.onset_sec[inside] - 5.0)
    np.testing.assert_array_equal(cut.pitch, performance.pitch[inside])
    assert cut.duration_sec == pytest.approx(7.0)
    assert cut.onset_sec.min() >= 0.0
