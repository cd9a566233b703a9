"""Eight numbers of a recording: against librosa, against known sounds, and what is refused."""

import librosa
import numpy as np
import pytest

from tocco.audio.summary import HOP_SAMPLES, SUMMARY, WINDOW_SAMPLES, recording_summary
from tocco.errors import InputError
from tocco.units import SAMPLE_RATE_HZ

TIME = np.arange(4 * SAMPLE_RATE_HZ) / SAMPLE_RATE_HZ


def named(audio: np.ndarray) -> dict[str, float]:
    return dict(zip(SUMMARY, recording_summary(audio.astype(np.float32)).tolist(), strict=True))


def clicks(n: int, gap_sec: float = 0.4) -> np.ndarray:
    audio = np.zeros(len(TIME))
    for k in range(n):
        start = int((0.2 + gap_sec * k) * SAMPLE_RATE_HZ)
        decay = np.exp(-20.0 * TIME[: SAMPLE_RATE_HZ // 5])
        audio[start : start + len(decay)] += 0.4 * decay * np.sin(2 * np.pi * 500.0 * TIME[: len(decay)])
    return audio


def test_brightness_is_that_of_librosa(rng: np.random.Generator) -> None:
    audio = (0.2 * rng.standard_normal(len(TIME)) * np.exp(-0.3 * TIME)).astype(np.float32)
    spectrum = np.abs(
        librosa.stft(audio, n_fft=WINDOW_SAMPLES, hop_length=HOP_SAMPLES, window="hann", center=False)
    )
    found = named(audio)
    given = {"S": spectrum, "sr": SAMPLE_RATE_HZ}
    centroid = librosa.feature.spectral_centroid(**given)
    assert found["centroid_hz"] == pytest.approx(centroid.mean(), rel=1e-4)
    assert found["centroid_sd_hz"] == pytest.approx(centroid.std(), rel=1e-3)
    power = {"S": spectrum**2, "sr": SAMPLE_RATE_HZ}
    rolloff = librosa.feature.spectral_rolloff(**power, roll_percent=0.85)
    assert found["rolloff_hz"] == pytest.approx(rolloff.mean(), rel=1e-3)
    flatness = librosa.feature.spectral_flatness(S=spectrum, power=2.0, amin=1e-10)
    assert found["flatness_db"] == pytest.approx(10 * np.log10(flatness).mean(), abs=0.01)


def test_a_steady_tone_has_its_level_no_range_and_its_frequency() -> None:
    found = named(0.5 * np.sin(2 * np.pi * 1500.0 * TIME))
    assert found["level_db"] == pytest.approx(20 * np.log10(0.5 / np.sqrt(2)), abs=0.01)
    assert found["dynamic_range_db"] == pytest.approx(0.0, abs=0.05)
    assert found["centroid_hz"] == pytest.approx(1500.0, abs=30.0)
    assert found["onset_density"] == pytest.approx(0.0, abs=0.3)


def test_range_is_the_difference_of_a_loud_and_a_soft_half() -> None:
    gain = np.where(TIME < 2.0, 0.5, 0.05)
    assert named(gain * np.sin(2 * np.pi * 440.0 * TIME))["dynamic_range_db"] == pytest.approx(20.0, abs=0.5)


def test_louder_moves_the_level_alone() -> None:
    soft, loud = named(0.1 * clicks(8)), named(clicks(8))
    assert loud["level_db"] - soft["level_db"] == pytest.approx(20.0, abs=0.01)
    for name in ("level_sd_db", "dynamic_range_db", "centroid_hz", "rolloff_hz"):
        assert soft[name] == pytest.approx(loud[name], rel=1e-3), name


@pytest.mark.parametrize("n", [3, 6, 9])
def test_onsets_are_counted(n: int) -> None:
    assert named(clicks(n))["onset_density"] * 4.0 == pytest.approx(n, abs=0.3)


@pytest.mark.parametrize(
    ("audio", "problem"),
    [
        (np.zeros(SAMPLE_RATE_HZ), "silent throughout"),
        (np.ones(100), "has shape"),
        (np.ones((2, 48_000)), "has shape"),
    ],
)
def test_what_cannot_be_summed_up(audio: np.ndarray, problem: str) -> None:
    with pytest.raises(InputError, match=problem):
        recording_summary(audio)
