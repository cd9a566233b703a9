"""Pictures and levels against librosa and pure tones."""

from __future__ import annotations

import librosa
import numpy as np
import pytest

from tocco.audio.features import compute_cqt, level_db
from tocco.errors import InputError
from tocco.units import C1_HZ, SAMPLE_RATE_HZ, FrameClock, hz_from_pitch


def tone(frequency_hz: float, duration_sec: float = 3.0) -> np.ndarray:
    t = np.arange(round(duration_sec * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
    return np.sin(2 * np.pi * frequency_hz * t).astype(np.float32)


def librosa_cqt(audio: np.ndarray) -> np.ndarray:
    return np.abs(
        librosa.cqt(audio, sr=SAMPLE_RATE_HZ, hop_length=512, fmin=C1_HZ, n_bins=168, bins_per_octave=24)
    )


@pytest.mark.parametrize(
    ("pitch", "octave_bin"), [(24, 0), (36, 24), (69, 90), (60, 72), (84, 120), (107, 166)]
)
def test_a_pure_tone_lights_its_own_bin(pitch: int, octave_bin: int) -> None:
    picture = compute_cqt(tone(float(hz_from_pitch(pitch))))
    assert picture.dtype == np.float32
    assert picture.shape == (168, 1 + 3 * SAMPLE_RATE_HZ // 512)
    assert picture[:, picture.shape[1] // 2].argmax() == octave_bin


def test_the_picture_is_librosas(rng, capfd) -> None:
    audio = (0.1 * rng.standard_normal(5 * SAMPLE_RATE_HZ)).astype(np.float32)
    audio += tone(440.0, 5.0) * np.linspace(1, 0, len(audio), dtype=np.float32)
    ours, theirs = compute_cqt(audio), librosa_cqt(audio)
    assert ours.shape == theirs.shape
    assert np.corrcoef(ours.ravel(), theirs.ravel())[0, 1] > 0.999
    inside = slice(40, -40)  # the ends of the lowest kernels reach over the edge
    assert np.median(ours[:, inside] / theirs[:, inside]) == pytest.approx(1.0, abs=0.01)
    assert capfd.readouterr().out == ""


def test_the_picture_is_linear_in_amplitude_and_silent_in_silence() -> None:
    audio = tone(440.0)
    np.testing.assert_allclose(compute_cqt(0.1 * audio), 0.1 * compute_cqt(audio), rtol=1e-3, atol=1e-5)
    assert not compute_cqt(np.zeros(SAMPLE_RATE_HZ)).any()


def test_a_note_stands_where_it_sounds() -> None:
    audio = np.zeros(4 * SAMPLE_RATE_HZ, np.float32)
    audio[2 * SAMPLE_RATE_HZ : 3 * SAMPLE_RATE_HZ] = tone(880.0, 1.0)
    row = compute_cqt(audio)[90 + 24]
    sounding_sec = np.flatnonzero(row > row.max() / 2) * 512 / SAMPLE_RATE_HZ
    assert sounding_sec[0] == pytest.approx(2.0, abs=0.03)
    assert sounding_sec[-1] == pytest.approx(3.0, abs=0.03)


def test_long_recordings_are_drawn_in_portions_without_seams(monkeypatch, rng) -> None:
    audio = (0.1 * rng.standard_normal(2 * SAMPLE_RATE_HZ)).astype(np.float32)
    whole = compute_cqt(audio)
    monkeypatch.setattr("tocco.audio.features._FRAMES_A_PORTION", 7)
    np.testing.assert_allclose(compute_cqt(audio), whole, rtol=1e-4, atol=1e-5)


def test_a_click_shorter_than_every_kernel_is_drawn() -> None:
    assert compute_cqt(np.ones(1, np.float32)).shape == (168, 1)


@pytest.mark.parametrize("audio", [np.zeros(0), np.zeros((2, 100)), np.array([0.0, np.inf])])
def test_what_is_no_waveform_has_no_picture(audio: np.ndarray) -> None:
    with pytest.raises(InputError, match="audio"):
        compute_cqt(audio)


def test_a_rate_below_the_highest_bin_is_refused() -> None:
    with pytest.raises(InputError, match="8000 Hz"):
        compute_cqt(np.zeros(8000), 8000)


def test_the_level_of_a_steady_tone() -> None:
    clock = FrameClock(hop_samples=240, window_samples=2400)
    levels = level_db(0.1 * tone(1000.0), clock)
    assert levels.shape == (clock.n_frames(3 * SAMPLE_RATE_HZ),)
    np.testing.assert_allclose(levels, -23.0103, atol=1e-3)


def test_the_level_is_librosas_rms(rng) -> None:
    audio = rng.standard_normal(24_000)
    clock = FrameClock(hop_samples=320, window_samples=400)
    theirs = librosa.feature.rms(y=audio, frame_length=400, hop_length=320, center=False)[0]
    np.testing.assert_allclose(level_db(audio, clock), 20 * np.log10(theirs), atol=1e-6)


def test_silence_and_shortness_have_levels_too() -> None:
    clock = FrameClock(hop_samples=320, window_samples=400)
    np.testing.assert_array_equal(level_db(np.zeros(1040), clock), [-120.0, -120.0, -120.0])
    assert level_db(np.zeros(399), clock).shape == (0,)
    with pytest.raises(InputError, match="audio"):
        level_db(np.zeros((2, 500)), clock)
