"""What a note is compared with: planted voices and passages are taken out, a single accent is left."""

from __future__ import annotations

import numpy as np
import pytest

from rater_etude import play, study_score
from tocco.pseudo_labels.observed.evidence import Evidence
from tocco.pseudo_labels.observed.onsets import OnsetGroups
from tocco.pseudo_labels.observed.voices import (
    HIGHEST,
    INNER,
    LOWEST,
    SMOOTHING_SEC,
    local_deviation,
    smoothed,
    smoothed_at_onsets,
    voice_means,
    voice_of,
)
from tocco.units import IntArray


def together_of(onset_of: IntArray, pitch: IntArray, apart_sec: float = 0.5) -> OnsetGroups:
    """Onsets at equal distances; notes of one onset by pitch."""
    note, n = np.arange(len(pitch)), int(onset_of.max()) + 1
    inside = [note[onset_of == g][np.argsort(pitch[onset_of == g])] for g in range(n)]
    return OnsetGroups(
        note,
        onset_of,
        apart_sec * np.arange(n),
        np.array([one[-1] for one in inside]),
        np.array([one[0] for one in inside]),
        np.bincount(onset_of),
    )


CHORD_AND_NOTE = together_of(np.array([0, 0, 0, 1, 2, 2]), np.array([64, 48, 55, 72, 50, 67]))


def test_every_note_has_a_voice_and_a_single_one_is_the_highest() -> None:
    assert voice_of(CHORD_AND_NOTE).tolist() == [HIGHEST, LOWEST, INNER, HIGHEST, LOWEST, HIGHEST]


def test_the_mean_of_a_voice_is_that_of_its_notes() -> None:
    value = np.array([90.0, 40.0, 50.0, 60.0, 44.0, 72.0])
    np.testing.assert_allclose(voice_means(CHORD_AND_NOTE, value), [74.0, 42.0, 50.0, 74.0, 42.0, 74.0])


def test_what_is_near_counts_the_more_the_nearer_it_is() -> None:
    """A mean within reach, taken twice, is a triangle: of thirds, with onsets a second apart."""
    blow = np.where(np.arange(9) == 4, 9.0, 0.0)
    assert SMOOTHING_SEC > 1.0
    np.testing.assert_allclose(smoothed(np.arange(9.0), blow), [0, 0, 1, 2, 3, 2, 1, 0, 0])


def test_onsets_are_the_mean_of_their_notes_each_against_its_voice() -> None:
    """Far apart nothing is near: what is left is each onset's own mean."""
    far = together_of(np.array([0, 0, 0, 1, 2, 2]), np.array([64, 48, 55, 72, 50, 67]), 10.0)
    value = np.array([90.0, 40.0, 50.0, 60.0, 44.0, 72.0])
    np.testing.assert_allclose(
        smoothed_at_onsets(far, value), [(16.0 - 2.0 + 0.0) / 3, -14.0, (2.0 - 2.0) / 2]
    )


def test_voicing_and_passages_are_taken_out_and_one_accent_is_left() -> None:
    score = study_score()
    together = Evidence(*play(score)).onset_groups
    upper = voice_of(together) == HIGHEST
    np.testing.assert_allclose(local_deviation(together, np.where(upper, 90.0, 50.0)), 0.0, atol=1e-9)
    swell = np.linspace(0.0, 40.0, len(together.size))[together.onset_of]
    rest = np.abs(local_deviation(together, swell))
    assert np.median(rest) < 0.5
    accent = np.where(np.arange(len(upper)) == 100, 20.0, 0.0)
    got = local_deviation(together, accent)
    assert got[100] == pytest.approx(20.0, abs=3.0)
    assert np.abs(np.delete(got, 100)).max() < 3.0


def test_nothing_is_held_against_nothing() -> None:
    none = np.zeros(0, dtype=np.int64)
    together = OnsetGroups(none, none, np.zeros(0), none, none, none)
    assert voice_of(together).shape == smoothed_at_onsets(together, np.zeros(0)).shape == (0,)
    assert local_deviation(together, np.zeros(0)).shape == (0,)
