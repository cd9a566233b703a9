"""A recording as a small Opus file in memory, for listening: WebM, which every present browser plays."""

from __future__ import annotations

import io
from collections.abc import Iterable
from fractions import Fraction
from typing import Final

import numpy as np

from tocco.errors import MissingPartError
from tocco.units import SAMPLE_RATE_HZ, FloatArray

OPUS_SUFFIX: Final = ".webm"
OPUS_TYPE: Final = "audio/webm"

_CODEC: Final = "libopus"
_FASTEST: Final = {"compression_level": "0"}
"""A third of the processor time of the default; at these rates it cannot be heard on a piano."""


def encode_opus(blocks: Iterable[FloatArray], bit_rate: int, sample_rate_hz: int = SAMPLE_RATE_HZ) -> bytes:
    """Encode a stream of mono audio, holding one block of it.

    Parameters
    ----------
    blocks : iterable of (b,) float32, full scale 1
    bit_rate : bits per second
    sample_rate_hz : one that Opus has: 8,000, 12,000, 16,000, 24,000 or 48,000

    Raises
    ------
    MissingPartError
        This build of PyAV has no Opus encoder.
    """
    import av

    if _CODEC not in av.codecs_available:
        raise MissingPartError(
            "PyAV", f"has no encoder {_CODEC}", next_step="install the wheel of `av` from the package index"
        )
    stream = io.BytesIO()
    with av.open(stream, "w", format="webm") as container:
        track = container.add_stream(_CODEC, rate=sample_rate_hz, options=_FASTEST)
        track.bit_rate = bit_rate
        track.layout = "mono"
        position = 0
        for block in blocks:
            samples = np.round(np.clip(block, -1.0, 1.0) * 32767.0).astype(np.int16)
            frame = av.AudioFrame.from_ndarray(samples[None], format="s16", layout="mono")
            frame.sample_rate, frame.pts = sample_rate_hz, position
            frame.time_base = Fraction(1, sample_rate_hz)
            position += len(samples)
            container.mux(track.encode(frame))
        container.mux(track.encode(None))
    return stream.getvalue()
