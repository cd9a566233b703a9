"""What of a score is engraved: all of it, a long one in part, and why not where it is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from assessment_example import example
from engraved_example import assessed_with, engraved, minuet, minuet_report
from page_example import finding
from tocco.music.numbered_score import NumberedScore
from tocco.report.engraving import engraver, engraving
from tocco.report.engraving.engraving import engrave_assessed

FINDINGS = [
    finding("wrong", 56.6, bars=("22", "22"), beat=2.0, id="one").model_dump(),
    finding("passage", 12.0, bars=("9", "15"), beat=None, end_sec=24.0, id="two").model_dump(),
    finding("throughout", 0.8, bars=None, beat=None, end_sec=90.0, id="whole").model_dump(),
]


def test_the_whole_score_and_the_bars_of_each_finding() -> None:
    found = engraved(minuet(), assessed_with(minuet_report(), findings=FINDINGS))
    assert found.is_whole
    (whole,) = found.stretches
    assert [box.place for system in whole for box in system.bars] == list(range(32))
    bars = {
        name: [box.place for system in systems for box in system.bars]
        for name, systems in found.excerpts.items()
    }
    assert bars == {"one": [21], "two": [8, 9, 10, 11]}
    assert found.n_bars == {"one": 1, "two": 7}


def test_of_a_longer_score_only_the_bars_with_marks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engraving, "MOST_BARS", 31)
    found = engraved(minuet(), assessed_with(minuet_report(), findings=FINDINGS))
    assert not found.is_whole
    assert [[box.place for system in one for box in system.bars] for one in found.stretches] == [
        list(range(8, 15)),
        [21],
    ]
    assert found.n_left_out == 0
    monkeypatch.setattr(engraving, "MOST_STRETCHES", 1)
    found = engraved(minuet(), assessed_with(minuet_report()))
    assert [[box.place for system in one for box in system.bars] for one in found.stretches] == [[11]]
    assert found.n_left_out == 1


def test_a_long_score_without_marks_has_nothing_to_show(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engraving, "MOST_NOTES", 10)
    report = minuet_report()
    clean = report.model_copy(
        update={
            "deletion": (),
            "substitution": (),
            "counts": report.counts | {"deletion": 0, "substitution": 0},
        }
    )
    found = engraved(minuet(), assessed_with(clean))
    assert (found.stretches, found.excerpts, found.is_whole) == ((), {}, False)


def test_a_score_midi_is_not_engraved() -> None:
    said = engrave_assessed(NumberedScore(minuet().readings), assessed_with(minuet_report()))
    assert said == "The score is not engraved here: it is a MIDI file, which holds no notation."


def test_another_score_is_not_engraved() -> None:
    report = minuet_report().model_copy(update={"bars": (("1", 0.0), ("40", 1.0))})
    said = engrave_assessed(minuet(), assessed_with(report))
    assert said == "The score is not engraved here: its bars are not those that the assessment names."


def test_what_cannot_be_engraved_has_a_reason_and_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engraver, "MOST_SECONDS", 0.001)
    said = engrave_assessed(minuet(), assessed_with(minuet_report()))
    assert said == "The score is not engraved here: it takes longer than 0.001 seconds."


def test_without_an_alignment_nothing_is_engraved(tmp_path: Path) -> None:
    assert engrave_assessed(minuet(), example(score=False)) is None
