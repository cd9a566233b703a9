"""Level, band and faults of recordings with known ones."""

from __future__ import annotations

import hashlib
import math
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr

from tocco.audio.decoding import AudioLimits
from tocco.audio.description import describe_audio
from tocco.audio.processing import load_audio, normalize_audio
from tocco.errors import InputError


@pytest.fixture
def write(tmp_path: Path):
    def write_float(samples: np.ndarray, rate_hz: int = 48_000) -> Path:
        soundfile.write(tmp_path / "take.wav", samples, rate_hz, subtype="FLOAT")
        return tmp_path / "take.wav"

    return write_float


def tone(
    frequency_hz: float, amplitude: float, rate_hz: int = 48_000, duration_sec: float = 4.0
) -> np.ndarray:
    return amplitude * np.sin(2 * np.pi * frequency_hz * np.arange(round(duration_sec * rate_hz)) / rate_hz)


def test_a_sine_has_the_level_of_a_sine(write) -> None:
    described = describe_audio(write(tone(1_000, 0.5)))
    assert described.duration_sec == 4.0
    assert (described.sample_rate_hz, described.n_channels) == (48_000, 1)
    assert (described.kind, described.codec) == ("WAV", "FLOAT")
    assert described.peak_dbfs == pytest.approx(20 * math.log10(0.5), abs=1e-3)
    assert described.rms_dbfs == pytest.approx(20 * math.log10(0.5 / math.sqrt(2)), abs=1e-3)
    assert described.clipped_fraction == 0.0
    assert described.silent_fraction == 0.0
    assert described.bandwidth_hz == pytest.approx(1_000, abs=200)
    assert described.flags == ("narrow_band",)


def test_the_level_is_that_of_the_loaded_waveform(encode, chirp) -> None:
    path = encode("mp3", chirp, 44_100)
    assert describe_audio(path).rms_dbfs == pytest.approx(
        normalize_audio(load_audio(path)).original_rms_dbfs, abs=0.01
    )


def test_the_hash_is_that_of_the_file(write) -> None:
    path = write(tone(440, 0.1))
    assert describe_audio(path).sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_plain_recording_has_no_flag(write, rng) -> None:
    assert describe_audio(write(0.1 * rng.standard_normal((96_000, 2)))).flags == ()


def test_clipping_is_counted_where_it_is(write, rng) -> None:
    audio = 0.1 * rng.standard_normal((48_000, 2))
    audio[1000:1102, 0] = 1.0
    audio[5000, 1] = 1.0  # a lone peak is no clipping
    described = describe_audio(write(audio))
    assert described.clipped_fraction == pytest.approx(100 / 96_000)
    assert described.flags == ("clipped",)
    audio[1000:1102, 0] = 0.0
    assert describe_audio(write(audio)).clipped_fraction == 0.0


def test_clipping_is_seen_across_blocks(write) -> None:
    audio = np.full(2_000_000, 0.9999)  # four reads
    assert describe_audio(write(audio)).clipped_fraction == pytest.approx(1 - 2 / len(audio))


def test_more_gain_never_clips_less(write, rng) -> None:
    music = rng.standard_normal(48_000).cumsum()
    music /= np.abs(music).max()
    clipped = [describe_audio(write(np.clip(g * music, -1, 1))).clipped_fraction for g in (0.9, 1.2, 2, 4, 8)]
    assert clipped[0] == 0.0
    assert clipped == sorted(clipped)
    assert clipped[-1] > 0.1


def test_silence_is_silent(write) -> None:
    described = describe_audio(write(np.zeros(48_000)))
    assert described.flags == ("mostly_silent", "silent")
    assert (described.peak_dbfs, described.rms_dbfs) == (-120.0, -120.0)
    assert (described.silent_fraction, described.bandwidth_hz) == (1.0, 0.0)


def test_the_silent_share_is_measured(write, rng) -> None:
    audio = 0.1 * rng.standard_normal(480_000)
    audio[96_000:456_000] = 0.0  # 7.5 s of 10 s
    described = describe_audio(write(audio))
    assert described.silent_fraction == pytest.approx(0.75)
    assert described.flags == ("mostly_silent",)


def test_a_faint_recording_is_quiet(write, rng) -> None:
    noise = rng.standard_normal(96_000)
    assert describe_audio(write(10 ** (-46 / 20) * noise)).flags == ("quiet",)
    assert describe_audio(write(10 ** (-44 / 20) * noise)).flags == ()


def test_an_upsampled_telephone_is_narrow(write, rng) -> None:
    telephone = 0.1 * rng.standard_normal(32_000)
    wide = soxr.resample(telephone, 8_000, 48_000)
    described = describe_audio(write(wide))
    assert described.bandwidth_hz == pytest.approx(4_000, abs=150)
    assert described.flags == ("narrow_band",)
    assert describe_audio(write(telephone, 8_000)).flags == ("narrow_band",)


@pytest.mark.parametrize(("gain_db", "flags"), [(-60.0, ("dead_channel",)), (-40.0, ())])
def test_a_channel_that_is_silent_beside_another_is_flagged(
    write, rng, gain_db: float, flags: tuple[str, ...]
) -> None:
    left = 0.1 * rng.normal(size=48_000)
    both = np.stack([left, 10.0 ** (gain_db / 20.0) * left], axis=1)
    assert describe_audio(write(both)).flags == flags


def test_channels_that_cancel_each_other_are_flagged(write, rng) -> None:
    left, other = 0.1 * rng.standard_normal((2, 96_000))
    assert describe_audio(write(np.stack([left, -0.7 * left], axis=1))).flags == ("out_of_phase",)
    for right, flags in ((left, ()), (other, ()), (np.zeros_like(left), ("dead_channel",))):
        assert describe_audio(write(np.stack([left, right], axis=1))).flags == flags


def test_a_recording_shorter_than_a_spectrum_has_a_band(write, rng) -> None:
    audio = 0.1 * rng.standard_normal(3_000)
    described = describe_audio(write(audio, 24_000), limits=AudioLimits(min_sec=0.1))
    assert described.bandwidth_hz > 11_000
    described = describe_audio(write(audio[:1_500], 24_000), limits=AudioLimits(min_sec=0.01))
    assert described.silent_fraction == 0.0


def test_what_cannot_be_loaded_cannot_be_described(tmp_path: Path, write) -> None:
    audio = np.zeros(48_000)
    audio[100] = np.nan
    with pytest.raises(InputError, match="NaN"):
        describe_audio(write(audio))
    with pytest.raises(InputError, match="does not exist"):
        describe_audio(tmp_path / "gone.wav")


def test_memory_does_not_grow_with_length(tmp_path: Path) -> None:
    path = tmp_path / "long.flac"
    soundfile.write(path, np.zeros(600 * 24_000, np.int16), 24_000)
    tracemalloc.start()
    assert describe_audio(path).duration_sec == 600.0
    peak_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak_bytes < 30e6  # ten minutes are 58 MB at once
