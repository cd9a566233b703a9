"""Performances played on sampled pianos: soundfonts, synthesiser, half pedal, loudness, FLAC.

Nothing here loads FluidSynth before a `FluidSynthRenderer` is made.
"""

from __future__ import annotations

from tocco.audio.rendering.flac import read_comment, write_flac
from tocco.audio.rendering.loudness import TARGET_LUFS, at_loudness, loudness_lufs
from tocco.audio.rendering.pedal_layers import HALF_PEDAL_ZONE, PedalLayer, pedal_layers
from tocco.audio.rendering.shared import RendererCache, shared_renderer
from tocco.audio.rendering.soundfonts import (
    SOUNDFONT_VARIABLE,
    SOUNDFONTS,
    Instrument,
    Soundfont,
    find_soundfont,
    instruments_of,
    missing_packages,
)
from tocco.audio.rendering.strokes import SYNTH_BLOCK_SAMPLES, SYNTH_RATE_HZ
from tocco.audio.rendering.synth import (
    PEAK_CEILING_DBFS,
    TARGET_RMS_DBFS,
    FluidSynthRenderer,
    fluidsynth_version,
)

__all__ = [
    "HALF_PEDAL_ZONE",
    "PEAK_CEILING_DBFS",
    "SOUNDFONTS",
    "SOUNDFONT_VARIABLE",
    "SYNTH_BLOCK_SAMPLES",
    "SYNTH_RATE_HZ",
    "TARGET_LUFS",
    "TARGET_RMS_DBFS",
    "FluidSynthRenderer",
    "Instrument",
    "PedalLayer",
    "RendererCache",
    "Soundfont",
    "at_loudness",
    "find_soundfont",
    "fluidsynth_version",
    "instruments_of",
    "loudness_lufs",
    "missing_packages",
    "pedal_layers",
    "read_comment",
    "shared_renderer",
    "write_flac",
]
