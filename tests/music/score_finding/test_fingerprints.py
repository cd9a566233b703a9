"""Fingerprints depend on pitches and on ratios of times, not on the tempo."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocco.music.score_finding.fingerprints import LARGEST_STEP, Groups, fingerprints

ONSET = np.array([0.0, 1.0, 1.5, 2.0, 4.0, 4.0, 5.0])
PITCH = np.array([60, 64, 62, 65, 60, 67, 64])


def keys(onset: np.ndarray, pitch: np.ndarray, **options: bool) -> set[int]:
    found = fingerprints(Groups.of(onset, pitch, apart=0.02), ahead=2, **options)
    return set(found.key.tolist())


def in_words(key: int) -> tuple[int, int, int, int]:
    return key >> 15, ((key >> 9) & 63) - 31, ((key >> 3) & 63) - 31, (key & 7) - 3


def test_a_fingerprint_is_a_pitch_two_steps_and_a_ratio() -> None:
    found = keys(np.array([0.0, 1.0, 3.0]), np.array([60, 64, 59]))
    assert [in_words(key) for key in found] == [(60, 4, -5, 1)]  # twice as long: one octave


def test_notes_of_a_chord_are_one_group_and_doubled_keys_one_note() -> None:
    groups = Groups.of(np.array([0.03, 0.0, 0.01, 0.5]), np.array([67, 60, 60, 72]), apart=0.035)
    assert groups.time.tolist() == [0.0, 0.5]
    assert (groups.group.tolist(), groups.pitch.tolist()) == ([0, 0, 1], [60, 67, 72])


def test_a_group_ends_a_given_time_after_its_first_note() -> None:
    groups = Groups.of(np.array([0.0, 0.03, 0.06]), np.array([60, 61, 62]), apart=0.035)
    assert groups.group.tolist() == [0, 0, 1]


@given(st.floats(0.25, 4.0), st.integers(-12, 12))
def test_the_tempo_changes_nothing_and_the_key_only_the_first_pitch(factor: float, shift: int) -> None:
    base = keys(ONSET, PITCH)
    assert keys(factor * ONSET, PITCH) == base
    assert {key - (shift << 15) for key in keys(ONSET, PITCH + shift)} == base


def test_of_a_chord_the_nearest_notes_take_part() -> None:
    onset = np.array([0.0, 1.0, 1.0, 1.0, 1.0, 2.0])
    pitch = np.array([60, 50, 58, 63, 70, 60])
    steps = {in_words(key)[1] for key in keys(onset, pitch)}
    assert steps == {-2, 3}


def test_steps_beyond_the_largest_have_no_fingerprint() -> None:
    onset = np.arange(3.0)
    assert keys(onset, np.array([40, 40 + LARGEST_STEP, 60]))
    assert not keys(onset, np.array([40, 41 + LARGEST_STEP, 60]))


def test_a_played_fingerprint_has_the_two_nearest_ratios() -> None:
    onset = np.array([0.0, 1.0, 2.3])  # log2 of the ratio is .38: between 0 and 1
    ratios = {in_words(key)[3] for key in keys(onset, np.array([60, 62, 64]), both_bins=True)}
    assert ratios == {0, 1}


@pytest.mark.parametrize(("ratio", "expected"), [(100.0, 3), (9.0, 3), (5.0, 2), (0.2, -2), (0.04, -3)])
def test_extreme_ratios_are_all_the_same(ratio: float, expected: int) -> None:
    found = keys(np.array([0.0, 1.0, 1.0 + ratio]), np.array([60, 62, 64]))
    assert {in_words(key)[3] for key in found} == {expected}


def test_too_few_notes_have_none() -> None:
    assert keys(np.zeros(0), np.zeros(0, dtype=np.int64)) == set()
    assert keys(np.array([0.0, 1.0]), np.array([60, 62])) == set()
