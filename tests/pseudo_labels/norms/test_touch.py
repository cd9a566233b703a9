"""The touch that is usual: read off the tables by hand for single notes, and what moves it."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from rater_etude import BASS, play, study_score
from tocco.music.score import Score
from tocco.pseudo_labels.norms.model import TouchTable, reference_norms
from tocco.pseudo_labels.norms.touch import TouchNorm, read_touch_norm, technical_context
from tocco.pseudo_labels.observed.evidence import Evidence
from tocco.units import FloatArray

SCORE = study_score()
UPPER = SCORE.staff == 1
USUAL, LONG, VALUE_SEC = (
    reference_norms().touch.usual,
    reference_norms().touch.long,
    reference_norms().touch.value_sec,
)
ON_BEAT = np.abs(SCORE.onset_beat - np.round(SCORE.onset_beat)) < 1e-6


def norm_of(score: Score) -> TouchNorm:
    written = Evidence(*play(score)).written
    assert written is not None
    assert np.array_equal(written.note, np.arange(len(score)))
    return read_touch_norm(written, score)


def asked(score: Score) -> FloatArray:
    written = Evidence(*play(score)).written
    assert written is not None
    return technical_context(written, score.pitch[written.note])


def between(at_sec: float, low_sec: float, high_sec: float, low: float, high: float) -> float:
    return low + (high - low) * float(np.log(at_sec / low_sec) / np.log(high_sec / low_sec))


def test_the_hand_is_asked_for_chords_leaps_repeats_and_accompaniment() -> None:
    got = asked(SCORE)
    np.testing.assert_allclose(got[:, 0], np.where(ON_BEAT, np.log2(3.0), 0.0))
    np.testing.assert_array_equal(got[:, 3], np.where(UPPER, 0.0, 1.0))
    # The scale moves by a semitone or a tone, and never repeats a key.
    upper = got[UPPER]
    np.testing.assert_allclose(upper[:4, 1], np.array([2, 2, 1, 2]) / 12.0)
    assert not upper[:, 2].any()
    # From bass 36 with 52 above to 41 with 57: the lower leaps five semitones up, the upper is enclosed.
    assert BASS[:2] == (36, 41)
    lower = got[~UPPER]
    np.testing.assert_allclose(lower[:2, 1], [5.0 / 12.0, 0.0])


def test_a_key_that_comes_again_and_the_last_of_its_staff() -> None:
    pitch = SCORE.pitch.copy()
    pitch[UPPER] = 72
    got = asked(replace(SCORE, pitch=pitch))[UPPER]
    assert got[:-1, 2].all()
    assert not got[:, 1].any()
    assert got[-1, 2] == 0.0


def test_a_leap_counts_two_octaves_at_most() -> None:
    pitch = SCORE.pitch.copy()
    pitch[UPPER] = np.where(np.arange(UPPER.sum()) % 2 == 0, 62, 100)
    assert asked(replace(SCORE, pitch=pitch))[UPPER][:-1, 1] == pytest.approx(2.0)


@pytest.mark.parametrize(
    ("sign", "column"),
    [("", "plain"), ("slur", "slurred"), ("accent,staccato", "staccato"), ("slur,staccato", "staccato")],
)
def test_a_quaver_of_the_scale(sign: str, column: str) -> None:
    """The second upper note: 0.3 s long, alone, a tone below the next."""
    got = norm_of(study_score(sign))
    at = int(np.flatnonzero(UPPER)[1])
    assert VALUE_SEC[2:4] == (0.25, 0.4)
    for table, found in ((USUAL, got.usual_log), (LONG, got.long_log)):
        low, high = getattr(table, column)[2:4]
        expected = between(0.3, 0.25, 0.4, low, high) + table.octave * 2.0 / 12.0
        assert found[at] == pytest.approx(expected, abs=1e-6)
    assert got.is_short[at] == ("staccato" in sign)


def test_a_bass_note_is_let_go_sooner() -> None:
    """The first one: 0.6 s long, one of three, not the highest, and the hand goes up by a fourth."""
    got = norm_of(SCORE)
    at = int(np.flatnonzero(~UPPER)[0])
    assert VALUE_SEC[3:5] == (0.4, 0.8)
    alone = between(0.6, 0.4, 0.8, *USUAL.plain[3:5])
    asked_for = USUAL.doubling * np.log2(3.0) + USUAL.octave * 5.0 / 12.0 + USUAL.accompanying
    assert got.usual_log[at] == pytest.approx(alone + asked_for, abs=1e-6)
    assert asked_for < -0.3


@pytest.mark.parametrize(("column"), ["staccato", "slurred", "plain"])
def test_long_is_longer_than_usual_whatever_is_asked(column: str) -> None:
    usual, long = np.array(getattr(USUAL, column)), np.array(getattr(LONG, column))
    assert np.all(long > usual)
    assert len(usual) == len(long) == len(VALUE_SEC)
    for table in (USUAL, LONG):
        assert max(table.doubling, table.octave, table.repeated, table.accompanying) < 0.0
    assert (LONG.doubling, LONG.octave, LONG.accompanying) > (
        USUAL.doubling,
        USUAL.octave,
        USUAL.accompanying,
    )


def test_a_staccato_is_shorter_than_a_plain_note_and_a_slurred_one_longer() -> None:
    def signs(table: TouchTable) -> zip[tuple[float, float, float]]:
        return zip(table.staccato, table.plain, table.slurred, strict=True)

    assert all(short < plain for short, plain, _ in signs(USUAL))
    # Beyond a second and a half a slur says nothing more: all keys are held.
    assert all(plain < slurred for _, plain, slurred in list(signs(USUAL))[:-1])
    assert all(low < high for low, high in pairwise(VALUE_SEC))


def test_neither_touch_nor_pedal_enters(rng: np.random.Generator) -> None:
    first = norm_of(SCORE)
    written = Evidence(*play(SCORE, held=rng.uniform(0.2, 1.5, len(SCORE)))).written
    assert written is not None
    np.testing.assert_array_equal(read_touch_norm(written, SCORE).usual_log, first.usual_log)
