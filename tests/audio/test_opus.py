"""Opus for listening: the same length, the same tone, and no more bits than wanted."""

from __future__ import annotations

import io

import av
import numpy as np
import pytest

from tocco.audio.opus import encode_opus
from tocco.errors import MissingPartError
from tocco.units import SAMPLE_RATE_HZ


def tone(lasts_sec: float) -> np.ndarray:
    time = np.arange(round(lasts_sec * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
    return (0.5 * np.sin(2 * np.pi * 440.0 * time)).astype(np.float32)


def decoded(content: bytes) -> tuple[np.ndarray, int]:
    with av.open(io.BytesIO(content)) as container:
        frames = list(container.decode(audio=0))
    return np.concatenate([frame.to_ndarray().ravel() for frame in frames]), frames[0].sample_rate


def test_a_tone_keeps_its_length_and_pitch() -> None:
    wave, rate = decoded(encode_opus(np.split(tone(3.0), 3), 48_000))
    assert abs(len(wave) / rate - 3.0) < 0.05
    middle = wave[rate : 2 * rate].astype(float)
    spectrum = np.abs(np.fft.rfft(middle * np.hanning(len(middle))))
    assert abs(int(spectrum.argmax()) - 440) <= 1
    assert 0.3 < np.abs(middle).max() / (32767 if wave.dtype == np.int16 else 1) < 0.6


def test_the_size_follows_the_bit_rate() -> None:
    noise = np.random.default_rng(1).uniform(-0.5, 0.5, 10 * SAMPLE_RATE_HZ).astype(np.float32)
    small, large = (len(encode_opus([noise], rate)) for rate in (16_000, 48_000))
    assert 0.6 * 20_000 < small < 1.4 * 20_000
    assert 0.6 * 60_000 < large < 1.4 * 60_000


def test_a_build_without_the_encoder_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(av, "codecs_available", {"aac"})
    with pytest.raises(MissingPartError, match="has no encoder libopus"):
        encode_opus([tone(0.1)], 16_000)


def test_samples_beyond_full_scale_are_cut() -> None:
    wave, _ = decoded(encode_opus([4.0 * tone(1.0)], 48_000))
    assert np.isfinite(wave.astype(float)).all()
