"""The reading that was played: by its bars, and among alike ones by its notes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from engraved_example import BEAT_SEC, minuet, minuet_report, outcomes, played, written_score
from score_page import BACKWARD, FORWARD, FOUR, note, page
from tocco.report.played_reading import played_reading


def test_the_minuet_was_played_with_both_repeats() -> None:
    found = played_reading(minuet().readings, minuet_report())
    assert found is not None
    assert found.score.repeats == "all repeats"
    assert (found.first, len(found.bars)) == (0, 64)


def test_a_bar_is_found_by_its_name_and_time() -> None:
    found = played_reading(minuet().readings, minuet_report())
    assert found is not None
    assert found.bar_at("12", found.bar_sec[11] + 0.1) == 11
    assert found.bar_at("12", found.bar_sec[27] + 0.1) == 27
    assert found.bar_at("12", 1000.0) == 27
    assert found.bar_at("99", 1.0) is None


def test_among_bars_of_one_name_the_notes_decide(tmp_path: Path) -> None:
    second = note("A4") + note("B4") + note("C5") + note("D5")
    text = (
        page(FOUR, FOUR, second, second)
        .replace('number="3"', 'number="1"')
        .replace('number="4"', 'number="2"')
    )
    numbered = written_score(tmp_path, text)
    half = numbered.readings[0].onset_beat >= 8.0
    performance = played(numbered.readings[0], dict.fromkeys(np.flatnonzero(~half).tolist()))
    found, report = outcomes(numbered, performance)
    assert [name for name, _ in report.bars] == ["1", "2"]
    assert found.reading.first == 2


def test_notes_are_due_evenly_within_their_bars(tmp_path: Path) -> None:
    numbered = written_score(tmp_path, page(FORWARD + FOUR + BACKWARD, FOUR))
    score = numbered.readings[0]
    found, _ = outcomes(numbered, played(score))
    np.testing.assert_allclose(found.reading.due_sec(), 1.0 + BEAT_SEC * score.onset_beat, atol=0.02)


def test_bars_that_no_reading_has_are_not_found() -> None:
    report = minuet_report()
    unknown = report.model_copy(update={"bars": (("1", 0.0), ("3", 1.0))})
    assert played_reading(minuet().readings, unknown) is None
    assert played_reading(minuet().readings, report.model_copy(update={"bars": ()})) is None


def test_the_key_of_a_note_is_what_an_assessment_says_of_it() -> None:
    found = played_reading(minuet().readings, minuet_report())
    assert found is not None
    keys = set(found.note_keys)
    report = minuet_report()
    for outcome in (*report.match, *report.deletion, *report.substitution):
        assert (outcome.bar, outcome.beat, outcome.expected_pitch) in keys
    assert replace(found, first=0).bars == range(64)
    assert found.due_sec()[0] == pytest.approx(found.bar_sec[0])
