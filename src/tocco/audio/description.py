"""Properties of a recording as a signal: length, level, bandwidth, faults."""

from __future__ import annotations

import math
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Final

import numpy as np

from tocco.audio.decoding import AUDIO_LIMITS, AudioLimits, SoundHeader, open_sound
from tocco.audio.downmix import channel_heard, to_mono
from tocco.files import sha256_of
from tocco.units import FloatArray, db_from_amplitude

CLIP_AMPLITUDE: Final = 0.999
"""Full scale less the rounding of 16 bits: a converter at its ceiling."""
CLIPPED_FRACTION_MAX: Final = 1e-4
"""Above this share of clipped samples a recording is flagged `clipped` (40 in 10 s at 44.1 kHz)."""
QUIET_RMS_DBFS: Final = -45.0
"""Below this integrated level the noise of a phone comes close to the music: `quiet`."""
SILENCE_DBFS: Final = -60.0
"""A tenth of a second below this level counts as silent."""
MOSTLY_SILENT_FRACTION: Final = 0.5
"""Above this share of silent tenths of a second: `mostly_silent`."""
SILENT_PEAK_DBFS: Final = -80.0
"""Nothing above this: `silent`. It lies over the dither of 16 bits and under any microphone."""
BANDWIDTH_RANGE_DB: Final = 80.0
"""A frequency counts as present down to this far below the strongest one.

A microphone's own noise stays within it over the whole band; the stop band of a resampler does not.
"""
NARROW_BAND_HZ: Final = 7_000.0
"""A recording that ends below this lacks what tells a bright tone from a dark one: `narrow_band`."""

DEAD_CHANNEL_DB: Final = -50.0
"""A channel this far below the loudest one holds at most its leakage: `dead_channel`."""

_SPECTRUM_SAMPLES: Final = 4096
_BLOCKS_A_SEC: Final = 10


@dataclass(frozen=True)
class AudioDescription:
    """Properties of a recording as a signal, before any music is analysed.

    Attributes
    ----------
    duration_sec : seconds
    sample_rate_hz, n_channels : as recorded
    kind, codec : "WAV" and "PCM_16", "M4A" and "aac", ...
    peak_dbfs : dB re full scale, the highest sample of any channel
    rms_dbfs : dB re full scale, integrated level of the model's input: the mono mix, or one channel
    clipped_fraction : 0..1
        Samples at the ceiling with both neighbours there too; a lone peak is no clipping.
    silent_fraction : 0..1, tenths of a second below `SILENCE_DBFS`
    bandwidth_hz : Hz, the highest frequency within `BANDWIDTH_RANGE_DB` of the strongest
    sha256 : of the file's bytes
    flags
        Quality flags out of `clipped`, `quiet`, `mostly_silent`, `narrow_band`, `silent`,
        `out_of_phase`: the channels cancel each other, and the loudest of them is used alone;
        `dead_channel`: one of them is silent beside another.
    """

    duration_sec: float
    sample_rate_hz: int
    n_channels: int
    kind: str
    codec: str
    peak_dbfs: float
    rms_dbfs: float
    clipped_fraction: float
    silent_fraction: float
    bandwidth_hz: float
    sha256: str
    flags: tuple[str, ...]


def describe_audio(path: str | PathLike[str], *, limits: AudioLimits = AUDIO_LIMITS) -> AudioDescription:
    """Length, level, band and faults of a recording, in one pass and constant memory.

    Parameters
    ----------
    path, limits
        As for `stream_audio`.

    Raises
    ------
    InputError
        As `load_audio`.
    """
    path = Path(path)
    channel = channel_heard(path, limits)
    with open_sound(path, limits) as sound:
        gauge = AudioGauge(sound.header, channel)
        for block in sound.blocks:
            gauge.add(block)
    return gauge.description(sha256_of(path))


class AudioGauge:
    """Running measures of a recording at its own rate.

    Parameters
    ----------
    header
    channel : the one that is used alone; None where the mean of all is
    """

    def __init__(self, header: SoundHeader, channel: int | None) -> None:
        self.header = header
        self.channel = channel
        self.n_samples = 0
        self.peak = 0.0
        self.mono_energy = 0.0
        self.channel_energy = np.zeros(header.n_channels)
        self.n_clipped = 0
        self._ceiling_tail = np.zeros((2, header.n_channels), bool)
        self._tenth = _Regroup(max(1, header.sample_rate_hz // _BLOCKS_A_SEC))
        self.n_tenths = self.n_silent = 0
        self._frame = _Regroup(_SPECTRUM_SAMPLES)
        self._window = np.hanning(_SPECTRUM_SAMPLES).astype(np.float32)
        self.power = np.zeros(_SPECTRUM_SAMPLES // 2 + 1)

    def add(self, block: FloatArray) -> None:
        """Take in the next samples."""
        mono = to_mono(block, self.channel)
        self.n_samples += len(block)
        magnitude = np.abs(block)
        self.peak = max(self.peak, float(magnitude.max()))
        self.mono_energy += float(np.square(mono, dtype=float).sum())
        self.channel_energy += np.square(block, dtype=float).sum(axis=0)
        ceiling = np.concatenate([self._ceiling_tail, magnitude >= CLIP_AMPLITUDE])
        self.n_clipped += int((ceiling[:-2] & ceiling[1:-1] & ceiling[2:]).sum())
        self._ceiling_tail = ceiling[-2:]
        self._add_levels(self._tenth.rows(mono))
        self._add_spectra(self._frame.rows(mono))

    def _add_levels(self, tenths: FloatArray) -> None:
        level_db = db_from_amplitude(np.sqrt(np.square(tenths, dtype=float).mean(axis=1)))
        self.n_tenths += len(tenths)
        self.n_silent += int((level_db < SILENCE_DBFS).sum())

    def _add_spectra(self, frames: FloatArray) -> None:
        for few in np.array_split(frames, 8):  # the transform's double precision in small portions
            self.power += np.square(np.abs(np.fft.rfft(few * self._window, axis=1))).sum(axis=0)

    def _complete(self) -> None:
        """Let a recording that is shorter than one row count as one, filled up with silence."""
        if self.n_samples < self._tenth.length:
            self._add_levels(self._tenth.rest()[np.newaxis])
        if self.n_samples < _SPECTRUM_SAMPLES:
            padded = np.zeros(_SPECTRUM_SAMPLES, np.float32)
            padded[: self.n_samples] = self._frame.rest()
            self._add_spectra(padded[np.newaxis])

    @property
    def _has_dead_channel(self) -> bool:
        limit = self.channel_energy.max() * 10.0 ** (DEAD_CHANNEL_DB / 10.0)
        return bool(self.channel_energy.min() < limit)

    def description(self, sha256: str) -> AudioDescription:
        """The measures of everything taken in so far."""
        self._complete()
        measured = {
            "peak_dbfs": float(db_from_amplitude(self.peak)),
            "rms_dbfs": float(db_from_amplitude(math.sqrt(self.mono_energy / self.n_samples))),
            "clipped_fraction": self.n_clipped / (self.n_samples * self.header.n_channels),
            "silent_fraction": self.n_silent / self.n_tenths,
            "bandwidth_hz": _bandwidth_hz(self.power, self.header.sample_rate_hz),
        }
        return AudioDescription(
            duration_sec=self.n_samples / self.header.sample_rate_hz,
            sample_rate_hz=self.header.sample_rate_hz,
            n_channels=self.header.n_channels,
            kind=self.header.kind,
            codec=self.header.codec,
            sha256=sha256,
            flags=_flags(
                **measured,
                is_out_of_phase=self.channel is not None,
                has_dead_channel=self._has_dead_channel,
            ),
            **measured,
        )


class _Regroup:
    """A stream of samples in rows of one length; the incomplete last row is left out.

    Parameters
    ----------
    length : samples a row
    """

    def __init__(self, length: int) -> None:
        self.length = length
        self._rest = np.zeros(0, np.float32)

    def rest(self) -> FloatArray:
        """The samples that do not fill a row yet."""
        return self._rest

    def rows(self, samples: FloatArray) -> FloatArray:
        """(R, length): the rows that these samples complete."""
        joined = np.concatenate([self._rest, samples])
        n_rows = len(joined) // self.length
        self._rest = joined[n_rows * self.length :].copy()
        return joined[: n_rows * self.length].reshape(n_rows, self.length)


def _bandwidth_hz(power: FloatArray, sample_rate_hz: int) -> float:
    """The highest frequency of a long-term spectrum that is still present; 0 for silence."""
    if power.max() <= 0.0:
        return 0.0
    present = np.flatnonzero(power >= power.max() * 10.0 ** (-BANDWIDTH_RANGE_DB / 10.0))
    return float(present[-1] * sample_rate_hz / _SPECTRUM_SAMPLES)


def _flags(
    *,
    peak_dbfs: float,
    rms_dbfs: float,
    clipped_fraction: float,
    silent_fraction: float,
    bandwidth_hz: float,
    is_out_of_phase: bool,
    has_dead_channel: bool,
) -> tuple[str, ...]:
    """The quality flags of the measures; a silent recording gets no flag but those of silence."""
    if peak_dbfs < SILENT_PEAK_DBFS:
        return ("mostly_silent", "silent")
    raised = {
        "clipped": clipped_fraction > CLIPPED_FRACTION_MAX,
        "quiet": rms_dbfs < QUIET_RMS_DBFS,
        "mostly_silent": silent_fraction > MOSTLY_SILENT_FRACTION,
        "narrow_band": bandwidth_hz < NARROW_BAND_HZ,
        "out_of_phase": is_out_of_phase,
        "dead_channel": has_dead_channel,
    }
    return tuple(name for name, is_raised in raised.items() if is_raised)
