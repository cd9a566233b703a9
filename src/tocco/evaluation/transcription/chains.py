"""How a rendered piano comes to be a recording: rooms, and phones in rooms."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import numpy as np

from tocco.audio.augmentation import AugmentationConfig, augment_pipeline
from tocco.audio.augmenting.config import BackgroundNoiseBlock, CompressAudioBlock
from tocco.audio.processing import normalize_audio
from tocco.units import FloatArray

CHAINS: Final[Mapping[str, AugmentationConfig]] = MappingProxyType(
    {
        "room": AugmentationConfig.only(
            "room_acoustics",
            "background_noise",
            most_effects=8,
            background_noise=BackgroundNoiseBlock(snr_db=(25.0, 40.0)),
        ),
        "phone": AugmentationConfig.only(
            "room_acoustics",
            "background_noise",
            "band_limit",
            "device_eq",
            "automatic_gain",
            "compress_audio",
            most_effects=8,
            background_noise=BackgroundNoiseBlock(snr_db=(18.0, 35.0)),
            compress_audio=CompressAudioBlock(bitrates=(64, 128)),
        ),
    }
)
"""Effects that none of the notes moves with; how strong each is, is drawn for every recording."""

PEAK_DBFS: Final = (-30.0, -1.0)
"""Peak of a recording, drawn evenly."""


def recorded(sound: FloatArray, chain: str, rng: np.random.Generator) -> FloatArray:
    """A rendering as it would be recorded: (S,) for (S,), never clipped."""
    changed = augment_pipeline(sound, CHAINS[chain], rng).audio
    return normalize_audio(changed, float(rng.uniform(*PEAK_DBFS))).waveform
