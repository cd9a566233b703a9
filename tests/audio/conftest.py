"""Recordings of every kind, made on the spot."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile

RATE_HZ = 44_100

Encoder = Callable[[str, np.ndarray, int], Path]

LIBAV_KINDS = {
    "m4a": ("ipod", "aac", {}),
    "fast.m4a": ("ipod", "aac", {"movflags": "faststart"}),
    "alac.m4a": ("ipod", "alac", {}),
    "aac": ("adts", "aac", {}),
    "webm": ("webm", "libopus", {}),
    "opus": ("opus", "libopus", {}),
}


@pytest.fixture(scope="session")
def chirp() -> np.ndarray:
    """(S, 2) two seconds of stereo at 44.1 kHz: a sweep whose every moment is unlike the others."""
    t = np.arange(2 * RATE_HZ) / RATE_HZ
    left = 0.4 * np.sin(2 * np.pi * (200 * t + 900 * t**2))
    return np.stack([left, 0.5 * left], axis=1).astype(np.float32)


@pytest.fixture
def encode(tmp_path: Path) -> Encoder:
    """Write (S, C) samples as a file of a kind: an extension of soundfile's or of LIBAV_KINDS."""

    def write(kind: str, samples: np.ndarray, rate_hz: int) -> Path:
        path = tmp_path / f"take.{kind}"
        if kind in LIBAV_KINDS:
            _encode_libav(path, kind, samples, rate_hz)
        else:
            soundfile.write(path, samples, rate_hz)
        return path

    return write


def _encode_libav(path: Path, kind: str, samples: np.ndarray, rate_hz: int) -> None:
    container_name, codec, options = LIBAV_KINDS[kind]
    layout = "stereo" if samples.shape[1] == 2 else "mono"
    coded_hz = 48_000 if codec == "libopus" else rate_hz
    with av.open(str(path), "w", format=container_name, options=options) as container:
        stream = container.add_stream(codec, rate=coded_hz, layout=layout)
        size = stream.codec_context.frame_size or 1024
        to_codec = av.AudioResampler(stream.format.name, layout, coded_hz, frame_size=size)
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples.T), format="fltp", layout=layout)
        frame.sample_rate, frame.pts, frame.time_base = rate_hz, 0, Fraction(1, rate_hz)
        for piece in (frame, None):
            for part in to_codec.resample(piece):
                container.mux(stream.encode(part))
        container.mux(stream.encode(None))
