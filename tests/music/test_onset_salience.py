import numpy as np
import pytest

from tocco.errors import InputError
from tocco.music.onset_salience import (
    EDGE_HOP_SEC,
    LOWEST_BAND,
    PITCH_HOP_SEC,
    onset_salience,
)

RATE_HZ = 24_000


def tones(onsets_sec, pitches, seconds):
    t = np.arange(int(seconds * RATE_HZ)) / RATE_HZ
    audio = np.zeros(len(t))
    for onset, pitch in zip(onsets_sec, pitches, strict=True):
        age = t - onset
        hz = 440.0 * 2 ** ((pitch - 69) / 12)
        audio += np.where(age >= 0, np.sin(2 * np.pi * hz * age) * np.exp(-4 * np.maximum(age, 0)), 0.0)
    return (0.2 * audio).astype(np.float32)


@pytest.fixture(scope="module")
def salience(request):
    return onset_salience(tones([1.0, 2.5, 4.0], [60, 69, 81], 6.0), RATE_HZ)


def test_edges_stand_at_the_onsets(salience):
    for onset in (1.0, 2.5, 4.0):
        near = slice(round((onset - 0.1) / EDGE_HOP_SEC), round((onset + 0.1) / EDGE_HOP_SEC))
        peak = (near.start + np.argmax(salience.edge[near])) * EDGE_HOP_SEC
        assert peak == pytest.approx(onset, abs=0.011)
        assert salience.edge[near].max() > 10 * np.median(salience.edge)


def test_each_tone_rises_most_in_its_own_semitone(salience):
    for onset, pitch in zip((1.0, 2.5, 4.0), (60, 69, 81), strict=True):
        row = salience.pitch[round(onset / PITCH_HOP_SEC)]
        band = pitch - LOWEST_BAND
        assert row[band] > 0.95
        near = salience.pitch[round((onset - 0.3) / PITCH_HOP_SEC)]
        assert near[band] < row[band]


def test_ranks_average_one_half_and_edges_about_one(salience):
    np.testing.assert_allclose(salience.pitch.mean(axis=0), 0.5, atol=1e-4)
    assert salience.edge.mean() == pytest.approx(1.0)
    assert salience.duration_sec == pytest.approx(6.0, abs=1e-3)
    assert len(salience.pitch) == pytest.approx(6.0 / PITCH_HOP_SEC, abs=2)
    assert len(salience.edge) == pytest.approx(6.0 / EDGE_HOP_SEC, abs=2)


def test_level_changes_nothing_and_blocks_give_what_the_whole_gives(salience):
    audio = tones([1.0, 2.5, 4.0], [60, 69, 81], 6.0)
    soft = onset_salience(audio * np.float32(2**-8), RATE_HZ)
    np.testing.assert_allclose(soft.edge, salience.edge, rtol=1e-3, atol=1e-3)
    pieces = onset_salience(iter(np.array_split(audio, 101)), RATE_HZ)
    np.testing.assert_allclose(pieces.edge, salience.edge, rtol=1e-2, atol=1e-2)
    assert pieces.duration_sec == salience.duration_sec


def test_silence_and_nothing_are_reported():
    assert onset_salience(np.zeros(RATE_HZ, np.float32), RATE_HZ).is_silent
    assert onset_salience(iter(()), RATE_HZ).is_silent
    assert not onset_salience(tones([0.1], [60], 1.0), RATE_HZ).is_silent


def test_values_that_are_no_sound_are_refused():
    with pytest.raises(InputError, match=r"take\.wav: holds samples that are no numbers"):
        onset_salience(np.full(RATE_HZ, np.inf, np.float32), RATE_HZ, "take.wav")
    with pytest.raises(InputError, match="4000 to 384000 Hz"):
        onset_salience(np.zeros(10, np.float32), 3999)
