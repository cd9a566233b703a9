"""Each effect against what is known of it: levels, filters, codecs, pitches."""

from __future__ import annotations

import librosa
import numpy as np
import pytest
import soxr
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import signal

from clicking_piano import clicking_performance, detected_onsets, sounded
from tocco.audio.augmentation import (
    EFFECTS,
    MP3_KBITS,
    AugmentationConfig,
    Wobble,
    add_background_noise,
    add_noise,
    apply_gain,
    augment_pipeline,
    automatic_gain,
    clip,
    compress_audio,
    equalize,
    gain_variation,
    limit_band,
    mix_at_snr,
    pitch_shift,
    time_stretch,
    wow_and_flutter,
)
from tocco.audio.augmenting.effects import Subject, apply_effect
from tocco.audio.augmenting.noise import NOISES
from tocco.audio.augmenting.phone import (
    band_filter,
    dynamics_amount_db,
    eq_filter,
    frame_levels_db,
    largest_deviation_db,
)
from tocco.errors import InputError
from tocco.units import SAMPLE_RATE_HZ


@pytest.fixture(scope="module")
def piano() -> np.ndarray:
    return sounded(clicking_performance())


def rms_db(audio: np.ndarray) -> float:
    return 10.0 * float(np.log10(np.square(audio, dtype=float).mean()))


def lag_samples(reference: np.ndarray, other: np.ndarray) -> int:
    """By how many samples `other` is late."""
    together = signal.correlate(other.astype(float), reference.astype(float), "full", method="fft")
    return int(np.argmax(together)) - (len(reference) - 1)


def sine(hz: float, sec: float = 2.0) -> np.ndarray:
    return (0.5 * np.sin(2 * np.pi * hz * np.arange(round(sec * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ)).astype(
        np.float32
    )


def peak_hz(audio: np.ndarray) -> float:
    spectrum = np.abs(np.fft.rfft(audio * np.hanning(len(audio)), 1 << 19))
    return float(np.argmax(spectrum) * SAMPLE_RATE_HZ / (1 << 19))


@pytest.mark.parametrize("snr_db", [25.0, 32.5, 40.0])
def test_hiss_is_white_and_as_loud_as_asked(
    piano: np.ndarray, rng: np.random.Generator, snr_db: float
) -> None:
    noise = add_noise(piano, snr_db, rng) - piano
    assert rms_db(piano) - rms_db(noise) == pytest.approx(snr_db, abs=0.01)
    _, power = signal.welch(noise, SAMPLE_RATE_HZ, nperseg=1024)
    assert np.ptp(10 * np.log10(power[4:-4])) < 3.0


@pytest.mark.parametrize(("kind", "db_per_octave"), [("pink", -3.01), ("brown", -6.02)])
def test_coloured_noise_falls_by_octaves(rng: np.random.Generator, kind: str, db_per_octave: float) -> None:
    noise = NOISES[kind](SAMPLE_RATE_HZ * 20, SAMPLE_RATE_HZ, rng)
    frequency, power = signal.welch(noise, SAMPLE_RATE_HZ, nperseg=8192)
    used = (frequency > 60) & (frequency < 6_000)
    slope = np.polyfit(np.log2(frequency[used]), 10 * np.log10(power[used]), 1)[0]
    assert slope == pytest.approx(db_per_octave, abs=0.2)


@pytest.mark.parametrize("mains_hz", [50, 60])
def test_hum_is_the_mains_and_its_harmonics(rng: np.random.Generator, mains_hz: int) -> None:
    noise = NOISES[f"hum_{mains_hz}"](SAMPLE_RATE_HZ * 10, SAMPLE_RATE_HZ, rng)
    power = np.square(np.abs(np.fft.rfft(noise)))
    lines = power[10 * mains_hz :: 10 * mains_hz][:8].sum()
    assert lines / power.sum() > 0.999


def test_babble_has_the_spectrum_of_speech_and_swells(rng: np.random.Generator) -> None:
    noise = NOISES["babble"](SAMPLE_RATE_HZ * 20, SAMPLE_RATE_HZ, rng)
    frequency, power = signal.welch(noise, SAMPLE_RATE_HZ, nperseg=4096)
    octave = [10 * np.log10(power[(frequency > f) & (frequency < 1.2 * f)].mean()) for f in (1000, 2000)]
    assert octave[1] - octave[0] == pytest.approx(-9.0, abs=1.0)
    white, _ = frame_levels_db(rng.standard_normal(SAMPLE_RATE_HZ * 20), 0.1, SAMPLE_RATE_HZ)
    level, _ = frame_levels_db(noise, 0.1, SAMPLE_RATE_HZ)
    assert level.std() > 3 * white.std()


@pytest.mark.parametrize("kind", NOISES)
def test_background_noise_is_as_loud_as_asked(piano: np.ndarray, rng: np.random.Generator, kind: str) -> None:
    noisy = add_background_noise(piano, kind, 12.0, rng)  # type: ignore[arg-type]
    assert rms_db(piano) - rms_db(noisy - piano) == pytest.approx(12.0, abs=0.01)
    assert noisy.dtype == np.float32


@pytest.mark.parametrize("bitrate", MP3_KBITS)
def test_mp3_shifts_nothing(piano: np.ndarray, rng: np.random.Generator, bitrate: int) -> None:
    marked = piano + 0.002 * rng.standard_normal(len(piano), dtype=np.float32)
    coded = compress_audio(marked, bitrate)
    assert len(coded) == len(marked)
    assert lag_samples(marked, coded) == 0


def test_more_bits_keep_more(piano: np.ndarray) -> None:
    loss = [rms_db(compress_audio(piano, bitrate) - piano) for bitrate in (32, 64, 128, 320)]
    assert loss == sorted(loss, reverse=True)
    assert loss[0] - rms_db(piano) > -40.0
    assert loss[-1] - rms_db(piano) < -30.0


def test_few_bits_lose_the_treble(rng: np.random.Generator) -> None:
    hiss = 0.1 * rng.standard_normal(4 * SAMPLE_RATE_HZ, dtype=np.float32)

    def treble_db(audio: np.ndarray) -> float:
        frequency, power = signal.welch(audio, SAMPLE_RATE_HZ, nperseg=2048)
        return 10 * float(np.log10(power[frequency > 10_000].mean()))

    assert treble_db(compress_audio(hiss, 32)) < treble_db(hiss) - 30.0
    assert treble_db(compress_audio(hiss, 320)) == pytest.approx(treble_db(hiss), abs=2.0)


@pytest.mark.parametrize("semitones", [-2, -1, 1, 2, 0.5])
@pytest.mark.parametrize("hz", [55.0, 110.0, 440.0, 1760.0])
def test_a_tone_moves_by_semitones(semitones: float, hz: float) -> None:
    shifted = pitch_shift(sine(hz), semitones)
    cents = 1200 * np.log2(peak_hz(shifted[4_000:-4_000]) / (hz * 2 ** (semitones / 12)))
    assert abs(cents) < 1.0
    assert len(shifted) == 2 * SAMPLE_RATE_HZ


@pytest.mark.parametrize("rate", [0.85, 0.93, 1.07, 1.15])
def test_a_stretched_tone_keeps_its_pitch_and_changes_its_length(rate: float) -> None:
    stretched = time_stretch(sine(440.0), rate)
    assert len(stretched) == round(2 * SAMPLE_RATE_HZ / rate)
    assert abs(1200 * np.log2(peak_hz(stretched[4_000:-4_000]) / 440.0)) < 3.0
    assert rms_db(stretched[4_000:-4_000]) == pytest.approx(rms_db(sine(440.0)), abs=0.5)


@settings(max_examples=15, deadline=None)
@given(st.integers(6_000, 30_000), st.floats(0.85, 1.15))
def test_the_length_after_stretching_is_the_one_stated(n_samples: int, rate: float) -> None:
    audio = np.random.default_rng(n_samples).standard_normal(n_samples).astype(np.float32)
    assert len(time_stretch(audio, rate)) == round(n_samples / rate)


def test_zero_semitones_and_the_same_tempo_change_nothing(piano: np.ndarray) -> None:
    np.testing.assert_array_equal(pitch_shift(piano, 0.0), piano)
    np.testing.assert_array_equal(time_stretch(piano, 1.0), piano)


def test_wow_reads_the_waveform_at_the_stated_moments() -> None:
    wobble = Wobble(0.7, 0.8, 9.0, 0.3, wow_turn=0.2, flutter_turn=0.6)
    time_sec = np.arange(2 * SAMPLE_RATE_HZ) / SAMPLE_RATE_HZ
    for hz in (220.0, 3_000.0):
        heard = wow_and_flutter(sine(hz), wobble)
        expected = 0.5 * np.sin(2 * np.pi * hz * wobble.source_sec(time_sec))
        np.testing.assert_allclose(heard[100:-500], expected[100:-500], atol=1e-4)
    np.testing.assert_allclose(
        wobble.time_map(2.0)(wobble.source_sec(time_sec)), time_sec, atol=1e-6, rtol=0.0
    )


def test_wow_deviates_by_the_stated_percentage() -> None:
    wobble = Wobble(1.0, 0.5, 10.0, 0.0)
    speed = np.diff(wobble.source_sec(np.linspace(0.0, 1.0, 10_001))) * 10_000
    assert speed.max() == pytest.approx(1.005, abs=1e-6)
    assert speed.min() == pytest.approx(0.995, abs=1e-6)
    assert wobble.largest_speed == pytest.approx(1.005)


def test_the_band_falls_by_three_decibels_at_its_bounds() -> None:
    response = signal.sosfreqz(
        band_filter(200.0, 4_000.0, SAMPLE_RATE_HZ), [200.0, 900.0, 4_000.0], fs=24_000
    )
    np.testing.assert_allclose(20 * np.log10(np.abs(response[1])), [-3.01, 0.0, -3.01], atol=0.05)
    bass, middle = sine(50.0), sine(900.0)
    assert rms_db(limit_band(bass, 200.0, 4_000.0)[5_000:]) - rms_db(bass) == pytest.approx(-24.1, abs=0.5)
    assert rms_db(limit_band(middle, 200.0, 4_000.0)[5_000:]) - rms_db(middle) == pytest.approx(0.0, abs=0.1)


def test_an_equalizer_lifts_its_own_frequency() -> None:
    tone = sine(1_000.0)
    lifted = equalize(tone, [(1_000.0, 6.0, 1.0)])
    assert rms_db(lifted[5_000:]) - rms_db(tone) == pytest.approx(6.0, abs=0.05)
    far = sine(60.0)
    assert rms_db(equalize(far, [(1_000.0, 6.0, 1.0)])[5_000:]) - rms_db(far) == pytest.approx(0.0, abs=0.05)


def test_colour_is_a_deviation_from_the_mean() -> None:
    assert largest_deviation_db(np.array([[0.5, 0, 0, 1, 0, 0]]), SAMPLE_RATE_HZ) == pytest.approx(0.0)
    narrow = largest_deviation_db(eq_filter([(1_000.0, 12.0, 8.0)], SAMPLE_RATE_HZ), SAMPLE_RATE_HZ)
    assert 10.0 < narrow < 12.0


@pytest.mark.parametrize("kind", ["soft", "hard"])
def test_clipping_has_a_ceiling_below_the_peak(piano: np.ndarray, kind: str) -> None:
    clipped = clip(piano, 6.0, kind)  # type: ignore[arg-type]
    ceiling = np.abs(piano).max() * 10 ** (-6 / 20)
    assert np.abs(clipped).max() <= ceiling * 1.0001
    soft_part = np.abs(piano) < 0.05 * ceiling
    np.testing.assert_allclose(clipped[soft_part], piano[soft_part], rtol=2e-3, atol=1e-7)


def test_automatic_gain_brings_soft_and_loud_together() -> None:
    tone = sine(440.0, 8.0)
    tone[: 4 * SAMPLE_RATE_HZ] *= 0.1
    half = automatic_gain(tone, 0.5, release_sec=0.3)
    soft, loud = half[2 * SAMPLE_RATE_HZ : 4 * SAMPLE_RATE_HZ], half[6 * SAMPLE_RATE_HZ :]
    assert rms_db(loud) - rms_db(soft) == pytest.approx(10.0, abs=0.5)
    np.testing.assert_allclose(automatic_gain(tone, 0.0), tone, atol=1e-7)
    assert dynamics_amount_db(tone, half, SAMPLE_RATE_HZ) == pytest.approx(10.0, abs=1.5)
    assert dynamics_amount_db(tone, 0.3 * tone, SAMPLE_RATE_HZ) == pytest.approx(0.0, abs=1e-3)


def test_gain_is_drawn_from_its_range(piano: np.ndarray) -> None:
    gains = [
        rms_db(gain_variation(piano, 6.0, np.random.default_rng(seed))) - rms_db(piano) for seed in range(60)
    ]
    assert -6.0 <= min(gains) < -4.5
    assert 4.5 < max(gains) <= 6.0
    assert rms_db(apply_gain(piano, -3.0)) - rms_db(piano) == pytest.approx(-3.0, abs=1e-4)


LEVEL_SEED = 5

DRAWN_ANEW = {"add_noise", "background_noise", "room_acoustics"}
"""Their noise has another draw at another rate."""


@pytest.mark.parametrize("name", EFFECTS)
def test_soft_and_loud_recordings_are_treated_alike(piano: np.ndarray, name: str) -> None:
    config = AugmentationConfig.only(name)
    once = augment_pipeline(piano, config, np.random.default_rng(LEVEL_SEED))
    loud = augment_pipeline(8.0 * piano, config, np.random.default_rng(LEVEL_SEED))
    assert [e.parameters for e in loud.applied] == [e.parameters for e in once.applied]
    scale = np.abs(once.audio).max()
    np.testing.assert_allclose(loud.audio / 8.0, once.audio, atol=1e-4 * scale)
    assert np.abs(loud.audio).max() > 1.0


@pytest.mark.parametrize("name", EFFECTS)
def test_every_effect_gives_finite_float32_and_leaves_its_input(piano: np.ndarray, name: str) -> None:
    before = piano.copy()
    for seed in range(3):
        heard = augment_pipeline(piano, AugmentationConfig.only(name), np.random.default_rng(seed))
        assert heard.audio.dtype == np.float32
        assert np.isfinite(heard.audio).all()
        assert not np.shares_memory(heard.audio, piano)
    np.testing.assert_array_equal(piano, before)


@pytest.mark.parametrize("name", EFFECTS)
def test_silence_stays_silence(name: str) -> None:
    silence = np.zeros(2 * SAMPLE_RATE_HZ, np.float32)
    heard = augment_pipeline(silence, AugmentationConfig.only(name), np.random.default_rng(1))
    assert not heard.audio.any()
    assert heard.level_change_db == 0.0
    assert heard.refused == ((name,) if name in {"add_noise", "background_noise"} else ())


@pytest.mark.parametrize("rate_hz", [16_000, 44_100])
@pytest.mark.parametrize("name", [n for n in EFFECTS if n not in DRAWN_ANEW])
def test_other_sample_rates_sound_the_same(piano: np.ndarray, rate_hz: int, name: str) -> None:
    """The same effect at another rate, brought back, has the same level in the octaves it shares."""
    other = soxr.resample(piano, SAMPLE_RATE_HZ, rate_hz)
    parameters = EFFECTS[name].draw(
        getattr(AugmentationConfig(), name), Subject(SAMPLE_RATE_HZ), np.random.default_rng(2)
    )
    assert parameters is not None
    here = apply_effect(name, piano, parameters, SAMPLE_RATE_HZ).audio
    there = soxr.resample(apply_effect(name, other, parameters, rate_hz).audio, rate_hz, SAMPLE_RATE_HZ)
    n_samples = min(len(here), len(there))
    here, there = _shared_band(here[:n_samples]), _shared_band(there[:n_samples])
    assert rms_db(there) == pytest.approx(rms_db(here), abs=1.0)
    if name not in {"pitch_shift", "time_stretch"}:
        assert np.corrcoef(here, there)[0, 1] > 0.97


def _shared_band(audio: np.ndarray) -> np.ndarray:
    return signal.sosfiltfilt(signal.butter(6, 4_000, fs=SAMPLE_RATE_HZ, output="sos"), audio)


@pytest.mark.parametrize("rate", [0.87, 1.13])
def test_attacks_stay_where_a_plain_phase_vocoder_smears_them(piano: np.ndarray, rate: float) -> None:
    onset = clicking_performance().onset_sec
    latency = detected_onsets(piano, onset) - onset

    def worst_sec(audio: np.ndarray) -> float:
        return float(np.abs(detected_onsets(audio, onset / rate) - latency - onset / rate).max())

    assert worst_sec(time_stretch(piano, rate)) < 0.008
    assert worst_sec(librosa.effects.time_stretch(piano, rate=rate)) > 0.015


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda a, r: pitch_shift(a, 2.5), "semitones: is 2.5 semitones .allowed: -2 to 2"),
        (lambda a, r: time_stretch(a, 0.5), "rate: is 0.5"),
        (lambda a, r: add_noise(a, 10.0, r), "snr_db: is 10 dB .allowed: 25 to 40 dB"),
        (lambda a, r: add_noise(0 * a, 30.0, r), "audio: is silent"),
        (lambda a, r: add_background_noise(a, "rain", 30.0, r), "noise kind: is 'rain'"),
        (lambda a, r: compress_audio(a, 100), "bitrate: is 100 kbit/s"),
        (lambda a, r: compress_audio(a[:100], 64), "audio: lasts 0.004 s"),
        (lambda a, r: pitch_shift(a[:100], 1.0), "audio: lasts 0.004 s"),
        (lambda a, r: gain_variation(a, float("nan"), r), "db_range: is nan"),
        (lambda a, r: clip(a, 3.0, "odd"), "clip kind: is 'odd'"),
        (lambda a, r: equalize(a, []), "bands: is empty"),
        (lambda a, r: limit_band(a, 5.0, 4_000.0), "low_hz: is 5 Hz"),
        (lambda a, r: mix_at_snr(a, a[:-1], 3.0), "noise: has"),
        (lambda a, r: Wobble(9.0, 0.1, 10.0, 0.1), "wow_hz: is 9 Hz"),
        (lambda a, r: apply_gain((a * 32767).astype(np.int16), 1.0), "audio: holds int16"),
        (lambda a, r: apply_gain(np.full(4, np.nan), 1.0), "audio: holds NaN"),
        (lambda a, r: apply_gain(np.zeros((2, 4)), 1.0), "audio: has shape"),
        (lambda a, r: apply_effect("echo", a, {}, 24_000), "effect: is 'echo'"),
    ],
)
def test_what_cannot_be_done_is_said(piano: np.ndarray, rng: np.random.Generator, call, message: str) -> None:
    with pytest.raises(InputError, match=message):
        call(piano, rng)
