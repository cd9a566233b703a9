"""A performance played on a sampled piano."""

from __future__ import annotations

import ctypes
import io
import math
from collections.abc import Iterator
from contextlib import redirect_stdout
from dataclasses import replace
from pathlib import Path
from types import ModuleType, TracebackType
from typing import Any, Final

import numpy as np

from tocco.audio.decoding import AUDIO_LIMITS
from tocco.audio.rendering.pedal_layers import PedalLayer, pedal_layers
from tocco.audio.rendering.sampled_piano import SampledPiano
from tocco.audio.rendering.soundfonts import INSTALL, checked_soundfont, find_soundfont
from tocco.audio.rendering.strokes import (
    RELEASE,
    STRIKE,
    SYNTH_BLOCK_SAMPLES,
    SYNTH_RATE_HZ,
    Event,
    block_of,
    events_of,
)
from tocco.errors import InputError, MissingPartError
from tocco.music.performance import Performance
from tocco.units import (
    HIGHEST_PIANO_KEY,
    LOWEST_PIANO_KEY,
    SAMPLE_RATE_HZ,
    BoolArray,
    FloatArray,
    amplitude_from_db,
    db_from_amplitude,
)

TARGET_RMS_DBFS: Final = -23.0
"""Integrated level of a rendering, from the first key to the last release."""

PEAK_CEILING_DBFS: Final = -1.0
"""No peak of a rendering stands above this; a performance that would is left below the target level."""

TAIL_MAX_SEC: Final = 6.0
"""The longest that sound may ring after the last key and pedal are up."""

TAIL_RANGE_DB: Final = 80.0
"""Sound this far below the loudest moment has died away."""

TAIL_STEP_SEC: Final = 0.05

ATTACK_SHARE: Final = 0.02
"""A note has begun when its sound passes this share of the highest sample of its first moments."""

ATTACK_SEC: Final = 0.08
"""The first moments of a note."""

ATTACK_VELOCITY: Final = 80


def _load_fluidsynth() -> ModuleType:
    """The bindings, or an error that says how to get the library behind them."""
    # FluidSynth unpacks samples with the libsndfile that the process has loaded: soundfile's, if it comes
    # first, else the system's, which rounds otherwise (by 1e-6). So that no order of imports is heard:
    import soundfile  # noqa: F401

    try:
        with redirect_stdout(io.StringIO()):  # where CI is set, the bindings print what they found
            import fluidsynth
    except ImportError as error:
        raise MissingPartError(
            "FluidSynth", "the library is not installed, and MIDI is played with it", next_step=INSTALL
        ) from error
    return fluidsynth


def fluidsynth_version() -> str:
    """Version of the FluidSynth library.

    Raises
    ------
    MissingPartError
        It is not installed.
    """
    numbers = [ctypes.c_int() for _ in range(3)]
    _load_fluidsynth().fluid_version(*(ctypes.byref(number) for number in numbers))
    return ".".join(str(number.value) for number in numbers)


class FluidSynthRenderer:
    """A sampled piano that plays performances, one after the other.

    Unpacking a sample takes longer than playing it. A sample is unpacked when a performance first needs it
    and kept until the renderer is closed: keep one renderer for many performances (`shared_renderer`) and
    close it at the end (it is a context manager). The same performance on the same font gives the same
    bytes, whatever was played before it.

    Parameters
    ----------
    soundfont
        None takes what `find_soundfont` finds.
    bank, preset
        The instrument: 0, 0 is the grand piano.
    target_rms_dbfs : dB re full scale, < 0
        Integrated level that every rendering is brought to; None keeps the font's own level (about
        -35 to -45 for piano music), so that soft performances stay soft beside loud ones.
    half_pedal
        Whether a half-raised damper is modelled: the sustain pedal is played in layers (`pedal_layers`), at
        the cost of one playing a layer. Off, sustain is up or down at 64, as everywhere in soundfonts.
        Sostenuto is always up or down.
    even_attacks
        Whether samples that begin late are struck early. The start of a sample is its maker's choice
        (TimGM6mb's A4 sounds 7 ms later than its C4), so the attack of every key is measured when the font is
        loaded, and each key is struck that much before its time.
    reverb
        The synthesiser's room. Off by default: the room is for augmentation to add.

    Raises
    ------
    MissingPartError
        FluidSynth or the font is absent, or the font lacks the instrument.
    """

    def __init__(
        self,
        soundfont: Path | None = None,
        *,
        bank: int = 0,
        preset: int = 0,
        target_rms_dbfs: float | None = TARGET_RMS_DBFS,
        half_pedal: bool = False,
        even_attacks: bool = False,
        reverb: bool = False,
    ) -> None:
        if target_rms_dbfs is not None and not target_rms_dbfs < 0.0:
            raise InputError("target_rms_dbfs", f"is {target_rms_dbfs}", allowed="below 0 dBFS, or None")
        bindings = _load_fluidsynth()
        self.soundfont = (
            find_soundfont() if soundfont is None else checked_soundfont(soundfont, "was asked for")
        )
        self.target_rms_dbfs = target_rms_dbfs
        self.half_pedal = half_pedal
        self._write_float = _float_writer(bindings)
        self.piano = SampledPiano(bindings, self.soundfont, bank=bank, preset=preset, reverb=reverb)
        self._attack_sec = self._measured_attacks() if even_attacks else None

    def __enter__(self) -> FluidSynthRenderer:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give the samples back."""
        self.piano.close()

    def _measured_attacks(self) -> FloatArray:
        """(128,) seconds from the strike of each key to its sound; the same at every measurement."""
        attack_sec = np.zeros(128)
        notes = np.zeros((128, 128), bool)
        notes[LOWEST_PIANO_KEY : HIGHEST_PIANO_KEY + 1, ATTACK_VELOCITY] = True
        piano = self.piano.fresh(notes)
        synth = piano.synth
        try:
            for pitch in range(LOWEST_PIANO_KEY, HIGHEST_PIANO_KEY + 1):
                synth.noteon(0, pitch, ATTACK_VELOCITY)
                sound = np.concatenate(list(self._sounding(synth, block_of(ATTACK_SEC)))).mean(axis=1)
                size = np.abs(sound)
                if size.max() > 0.0:
                    attack_sec[pitch] = np.argmax(size > ATTACK_SHARE * size.max()) / SYNTH_RATE_HZ
                synth.all_sounds_off(0)
                list(self._sounding(synth, 2))
        finally:
            piano.delete()
        return attack_sec

    def render(self, performance: Performance) -> FloatArray:
        """The performance as sound.

        Notes and pedals fall on the nearest of FluidSynth's blocks, at most 0.67 ms off. A key that is
        struck again while it sounds is let go first. After the last event the pedals are lifted and the
        sound rings out.

        Parameters
        ----------
        performance
            With at least one note, on a clock that starts at 0; what lies before 0 is played but cut
            off, so that a note held into a segment sounds in it.

        Returns
        -------
        (S,) float32 mono at 24 kHz, peak <= -1 dBFS
            From second 0 to the end of the sound, no shorter than `duration_sec`.

        Raises
        ------
        InputError
            The performance has no notes, is too long, or nothing can be heard of it.
        """
        _check_performance(performance)
        layers = (
            pedal_layers(performance.sustain)
            if self.half_pedal
            else (PedalLayer(performance.sustain, weight=1.0),)
        )
        sound = np.zeros(0, np.float32)
        for layer in layers:
            events = events_of(replace(performance, sustain=layer.sustain), self._attack_sec)
            sound = _sum(sound, np.float32(layer.weight) * self._performed(events))
        return self._levelled(sound, performance)

    def _performed(self, events: list[Event]) -> FloatArray:
        """(S,) float32: the sound of one playing from second 0 on, at the final rate."""
        import soxr

        piano = self.piano.fresh(_struck(events))
        try:
            to_mono = soxr.ResampleStream(SYNTH_RATE_HZ, SAMPLE_RATE_HZ, 1, dtype="float32", quality="HQ")
            played = [
                to_mono.resample_chunk(block.mean(axis=1)) for block in self._played(piano.synth, events)
            ]
            played.append(to_mono.resample_chunk(np.zeros(0, np.float32), last=True))
        finally:
            piano.delete()
        before = -events[0].block * SYNTH_BLOCK_SAMPLES * SAMPLE_RATE_HZ // SYNTH_RATE_HZ
        return np.concatenate(played)[max(0, before) :]

    def _played(self, synth: Any, events: list[Event]) -> Iterator[FloatArray]:
        """Stereo blocks at the synthesiser's rate, from the earlier of 0 and the first event to silence."""
        at, loudest = min(0, events[0].block), 0.0
        for event in events:
            for block in self._sounding(synth, event.block - at):
                loudest = max(loudest, float(np.abs(block).max()))
                yield block
            at = max(at, event.block)
            _send(synth, event)
        floor = loudest * float(amplitude_from_db(-TAIL_RANGE_DB))
        for _ in range(round(TAIL_MAX_SEC / TAIL_STEP_SEC)):
            block = np.concatenate(list(self._sounding(synth, block_of(TAIL_STEP_SEC))))
            yield block
            if np.abs(block).max() <= floor:
                return

    def _sounding(self, synth: Any, n_blocks: int) -> Iterator[FloatArray]:
        """The sound of the next blocks, at most a second at a time."""
        while n_blocks > 0:
            n = min(n_blocks, block_of(1.0)) * SYNTH_BLOCK_SAMPLES
            stereo = np.zeros((n, 2), np.float32)
            left = stereo.ctypes.data
            self._write_float(synth.synth, n, left, 0, 2, left, 1, 2)
            yield stereo
            n_blocks -= block_of(1.0)

    def _levelled(self, waveform: FloatArray, performance: Performance) -> FloatArray:
        """The waveform at the target level, or as far below as its peak requires."""
        peak = float(np.abs(waveform).max())
        if peak == 0.0:
            raise InputError(performance.source or "performance", "gives no sound on this soundfont")
        gain_db = 0.0
        if self.target_rms_dbfs is not None:
            first = max(0, int(performance.onset_sec.min() * SAMPLE_RATE_HZ))
            music = waveform[first : max(first + 1, int(performance.duration_sec * SAMPLE_RATE_HZ))]
            rms = math.sqrt(float(np.square(music, dtype=float).mean()))
            gain_db = self.target_rms_dbfs - float(db_from_amplitude(rms))
        gain_db = min(gain_db, PEAK_CEILING_DBFS - float(db_from_amplitude(peak)))
        return (waveform * np.float32(amplitude_from_db(gain_db))).astype(np.float32)


def _sum(first: FloatArray, second: FloatArray) -> FloatArray:
    """Two sounds that start together, as one that lasts as long as the longer."""
    short, long = sorted((first, second), key=len)
    long[: len(short)] += short
    return long


def _struck(events: list[Event]) -> BoolArray:
    """(128, 128) whether a key is struck with a velocity."""
    notes = np.zeros((128, 128), bool)
    for event in events:
        if event.kind == STRIKE:
            notes[event.number, event.value] = True
    return notes


def _send(synth: Any, event: Event) -> None:
    """Do one thing to the piano."""
    if event.kind == STRIKE:
        synth.noteon(0, event.number, event.value)
    elif event.kind == RELEASE:
        synth.noteoff(0, event.number)
    else:
        synth.cc(0, event.number, event.value)


def _float_writer(bindings: ModuleType) -> Any:
    """FluidSynth's float output: pyfluidsynth binds the 16-bit one only, which clips and dithers."""
    integer, pointer = ctypes.c_int, ctypes.c_void_p
    return bindings.cfunc(
        "fluid_synth_write_float",
        integer,
        ("synth", pointer, 1),
        ("len", integer, 1),
        ("lout", pointer, 1),
        ("loff", integer, 1),
        ("lincr", integer, 1),
        ("rout", pointer, 1),
        ("roff", integer, 1),
        ("rincr", integer, 1),
    )


def _check_performance(performance: Performance) -> None:
    subject = performance.source or "performance"
    if len(performance) == 0:
        raise InputError(subject, "has no notes to play")
    if not performance.duration_sec <= AUDIO_LIMITS.max_sec:
        raise InputError(
            subject,
            f"lasts {performance.duration_sec:,.0f} s",
            allowed=f"at most {AUDIO_LIMITS.max_sec:,.0f} s",
        )
