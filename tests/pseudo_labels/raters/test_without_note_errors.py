"""The performance without keys struck by mistake: what the pedal is compared with."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from rater_etude import BEAT_SEC, pedal_with_the_bass, play, study_score
from tocco.music.alignment import align_performance_to_score
from tocco.music.performance import Performance
from tocco.pseudo_labels.observed.evidence import Evidence
from tocco.pseudo_labels.raters.pedaling_technique import measure_pedaling_technique
from tocco.pseudo_labels.raters.without_note_errors import read_without_note_errors

SCORE = study_score()
PLAYED, _ = play(SCORE, sustain=pedal_with_the_bass())
CLEAN = Evidence(PLAYED, align_performance_to_score(PLAYED, SCORE))
ADDED_SEC = 1.0 + BEAT_SEC * (np.arange(0, 40, 4) + 0.25)


def with_added(pitch: int) -> Performance:
    """Ten keys brushed in passing, between the written ones, where the pedal is down."""
    onset = np.concatenate([PLAYED.onset_sec, ADDED_SEC])
    order = np.argsort(onset, kind="stable")
    n = len(ADDED_SEC)
    columns = {
        "onset_sec": onset,
        "offset_sec": np.concatenate([PLAYED.offset_sec, ADDED_SEC + 0.05]),
        "pitch": np.concatenate([PLAYED.pitch, np.full(n, pitch)]),
        "velocity": np.concatenate([PLAYED.velocity, np.full(n, 50)]),
    }
    return replace(PLAYED, **{name: column[order] for name, column in columns.items()})


def given(performance: Performance) -> Evidence:
    return Evidence(performance, align_performance_to_score(performance, SCORE))


def values(evidence: Evidence) -> dict[str, float]:
    return {name: c.value for name, c in measure_pedaling_technique(evidence).components.items()}


def test_faultless_playing_stays_as_it_is() -> None:
    corrected = read_without_note_errors(CLEAN)
    assert corrected.evidence is CLEAN
    assert corrected.note.tolist() == list(range(len(PLAYED)))


def test_without_a_score_nothing_is_known_to_be_a_mistake() -> None:
    alone = Evidence(with_added(61))
    assert read_without_note_errors(alone).evidence is alone


def test_added_keys_are_left_out_and_the_rest_keeps_its_place() -> None:
    evidence = given(with_added(61))
    corrected = read_without_note_errors(evidence)
    assert (
        np.setdiff1d(np.arange(len(evidence.performance)), corrected.note).tolist()
        == np.flatnonzero(evidence.performance.pitch == 61).tolist()
    )
    for name in ("onset_sec", "offset_sec", "pitch", "velocity"):
        np.testing.assert_array_equal(getattr(corrected.evidence.performance, name), getattr(PLAYED, name))
    alignment = corrected.evidence.alignment
    assert alignment is not None
    assert CLEAN.alignment is not None
    np.testing.assert_array_equal(alignment.match, CLEAN.alignment.match)
    assert len(alignment.insertion) == 0
    np.testing.assert_allclose(alignment.performance_beat, CLEAN.alignment.performance_beat, atol=1e-9)


def test_brushed_keys_do_not_change_what_is_said_of_the_pedal() -> None:
    """A key a semitone from the harmony clashes with it under the pedal: a wrong note, no wrong pedal."""
    worse = values(given(with_added(61)))
    assert worse == pytest.approx(values(CLEAN), abs=1e-9)


def test_causes_name_notes_of_the_whole_performance() -> None:
    late = replace(with_added(61), sustain=pedal_with_the_bass(lag_sec=0.25))
    evidence = given(late)
    causes = measure_pedaling_technique(evidence).causes
    assert causes
    for cause in causes:
        struck = evidence.performance.onset_sec[list(cause.performance_notes)]
        assert np.all(np.abs(struck - cause.start_sec) < 0.05)
        assert not np.any(evidence.performance.pitch[list(cause.performance_notes)] == 61)
