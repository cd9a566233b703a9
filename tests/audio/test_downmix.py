"""Which channel is heard where the channels cancel each other."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from tocco.audio.description import describe_audio
from tocco.audio.downmix import cancelling_channel, channel_heard, to_mono
from tocco.audio.processing import load_audio

RATE_HZ = 24_000


@pytest.fixture
def write(tmp_path: Path):
    def write_float(samples: np.ndarray) -> Path:
        soundfile.write(tmp_path / "take.wav", samples, RATE_HZ, subtype="FLOAT")
        return tmp_path / "take.wav"

    return write_float


@pytest.fixture
def noise(rng) -> np.ndarray:
    return (0.1 * rng.standard_normal((2 * RATE_HZ, 8))).astype(np.float32)


def test_channels_of_opposite_sign_are_out_of_phase_and_the_louder_is_heard(write, noise) -> None:
    left = noise[:, 0]
    for right, heard in ((-left, 0), (-0.7 * left, 0), (-1.3 * left, 1)):
        path = write(np.stack([left, right], axis=1))
        described = describe_audio(path)
        assert described.flags == ("out_of_phase",)
        assert channel_heard(path) == heard
        expected = (left, right)[heard]
        np.testing.assert_array_equal(load_audio(path), expected)
        assert described.rms_dbfs == pytest.approx(10 * np.log10(np.square(expected).mean()), abs=0.01)
        assert described.silent_fraction == 0.0


@pytest.mark.parametrize("n_channels", [1, 2, 3, 6, 8])
def test_channels_that_do_not_cancel_are_averaged(write, noise, n_channels: int) -> None:
    independent = noise[:, :n_channels]
    one_alone = np.zeros_like(independent)
    one_alone[:, -1] = noise[:, 0]
    for samples in (independent, one_alone):
        path = write(samples)
        assert channel_heard(path) is None
        is_alone = samples is one_alone and n_channels > 1
        assert describe_audio(path).flags == (("dead_channel",) if is_alone else ())
        np.testing.assert_allclose(load_audio(path), samples.mean(axis=1), atol=1e-6)


def test_the_limit_lies_twelve_decibels_below_the_channels(noise) -> None:
    """Right is -g times left: the mean has (1 - g)^2 / 4 of the energy, the channels (1 + g^2) / 2."""
    left = noise[:, :1]
    for gain, heard in ((0.57, None), (0.60, 0)):  # -11.6 and -12.3 dB
        assert cancelling_channel([np.hstack([left, -gain * left])], RATE_HZ) == heard


def test_half_a_minute_that_sounds_decides_and_silence_does_not_count(noise) -> None:
    left = np.tile(noise[:, :1], (20, 1))  # 40 s
    opposed, equal, silent = np.hstack([left, -left]), np.hstack([left, left]), np.zeros((40 * RATE_HZ, 2))
    for first, then, heard in ((opposed, equal, 0), (equal, opposed, None), (silent, opposed, 0)):
        blocks = np.array_split(np.concatenate([first, then]).astype(np.float32), 80)
        assert cancelling_channel(blocks, RATE_HZ) == heard
    assert cancelling_channel([silent], RATE_HZ) is None
    assert to_mono(opposed, None).max() == 0.0
