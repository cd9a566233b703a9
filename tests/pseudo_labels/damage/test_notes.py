"""Note errors: each kind counts by its weight, a bad stretch for more than the same errors spread out."""

from __future__ import annotations

import zlib
from dataclasses import replace

import numpy as np
import pytest

from origins import transcribed
from rater_etude import play, study_score
from tocco.music.alignment import align_performance_to_score
from tocco.music.corruption import corrupt
from tocco.music.performance import Performance
from tocco.pseudo_labels.damage.notes import KIND_WEIGHT, measure_note_errors
from tocco.pseudo_labels.damage.reading import Reading
from tocco.pseudo_labels.observed.evidence import NO_SCORE, Evidence

SCORE = study_score()
CLEAN, ALIGNED = play(SCORE)


def value(performance: Performance, *, is_transcribed: bool = False) -> float:
    evidence = Evidence(performance, align_performance_to_score(performance, SCORE))
    found = measure_note_errors(transcribed(evidence) if is_transcribed else evidence)
    assert isinstance(found, Reading)
    return found.value


def spoiled(kind: str, severity: float) -> float:
    rng = np.random.default_rng(zlib.crc32(kind.encode()))
    return value(corrupt(CLEAN, kind, severity, rng, alignment=ALIGNED).performance)


def with_note(pitch_above: int, late_sec: float, velocity: int = 75) -> Performance:
    """One more note beside the hundredth."""
    note = 100
    added = {
        "onset_sec": CLEAN.onset_sec[note] + late_sec,
        "offset_sec": CLEAN.offset_sec[note] + late_sec,
        "pitch": CLEAN.pitch[note] + pitch_above,
        "velocity": velocity,
    }
    columns = {name: np.append(getattr(CLEAN, name), one) for name, one in added.items()}
    order = np.lexsort((columns["pitch"], columns["onset_sec"]))
    return replace(CLEAN, **{name: column[order] for name, column in columns.items()})


def test_a_clean_performance_has_none() -> None:
    assert value(CLEAN) == 0.0


@pytest.mark.parametrize("kind", ["wrong_notes", "missing_notes", "extra_notes", "restarts"])
def test_more_errors_never_count_less(kind: str) -> None:
    severities = (1.0, 3.0, 8.0) if kind == "restarts" else (0.02, 0.08, 0.3)
    values = [spoiled(kind, severity) for severity in severities]
    assert values == sorted(values)
    assert values[0] > 0.0


def test_a_tenth_of_the_notes_wrong_is_about_a_tenth() -> None:
    assert spoiled("wrong_notes", 0.1) == pytest.approx(0.1, abs=0.04)
    assert spoiled("missing_notes", 0.1) == pytest.approx(0.03, abs=0.012)


def test_the_weights() -> None:
    assert dict(KIND_WEIGHT) == {"wrong": 1.0, "missing": 0.3, "skipped": 0.3, "extra": 0.3, "restart": 1.0}


def test_errors_in_one_stretch_count_for_more_than_spread_out() -> None:
    upper = np.flatnonzero(CLEAN.pitch >= 72)
    one_place = CLEAN.only(np.setdiff1d(np.arange(len(CLEAN)), upper[60:68]))
    spread = CLEAN.only(np.setdiff1d(np.arange(len(CLEAN)), upper[np.arange(8, 128, 16)]))
    assert value(one_place) > 1.5 * value(spread) > 0.0


@pytest.mark.parametrize(("above", "late_sec"), [(12, 0.02), (19, 0.05), (0, 0.07)])
def test_a_transcribers_ghost_is_no_error(above: int, late_sec: float) -> None:
    ghost = with_note(above, late_sec)
    assert value(ghost) > 0.0
    assert value(ghost, is_transcribed=True) == 0.0


@pytest.mark.parametrize(("above", "late_sec"), [(12, 0.08), (13, 0.02), (0, 0.12)])
def test_other_added_notes_are_errors_in_a_transcription(above: int, late_sec: float) -> None:
    assert value(with_note(above, late_sec), is_transcribed=True) > 0.0


def test_without_a_score_the_reason_is_given() -> None:
    assert measure_note_errors(Evidence(CLEAN)) == NO_SCORE
