"""Tuning in Hz, and transposition against a score."""

from __future__ import annotations

import numpy as np
import pytest

from tocco.audio.quality.tuning import Tuning, transposed_by

C_MAJOR = np.array([5, 0, 3, 0, 4, 2, 0, 5, 0, 3, 0, 1], float)


def sounding(written: np.ndarray) -> np.ndarray:
    """Pitch classes of notes with their third and fifth partials."""
    return written + 0.3 * np.roll(written, 7) + 0.1 * np.roll(written, 4)


@pytest.mark.parametrize("semitones", [-2, -1, 0, 1, 2])
def test_the_key_that_sounds_is_found(semitones: int) -> None:
    assert transposed_by(np.roll(sounding(C_MAJOR), semitones), C_MAJOR) == semitones


def test_an_unclear_difference_is_no_transposition() -> None:
    assert transposed_by(np.ones(12) / 12, C_MAJOR) == 0
    near = np.roll(sounding(C_MAJOR), 1) + 1.05 * sounding(C_MAJOR)
    assert transposed_by(near, C_MAJOR) == 0


def test_tuning_in_hertz() -> None:
    assert Tuning(0.0, 1.0).a4_hz == 440.0
    assert Tuning(-1.3, 1.0).a4_hz_if_transposed(-1) == pytest.approx(415.0, abs=0.1)
    assert Tuning(-0.6, 1.0).a4_hz_if_transposed(1) == pytest.approx(466.0, abs=0.1)
