"""A performance played on a sampled piano."""

from __future__ import annotations

import ctypes
import io
import math
import os
from collections.abc import Iterator
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType, TracebackType
from typing import Any, Final

import numpy as np
import soundfile
import soxr

from tocco.audio.decoding import AUDIO_LIMITS
from tocco.errors import InputError, MissingPartError, OutputError
from tocco.music.performance import Performance
from tocco.units import SAMPLE_RATE_HZ, FloatArray, IntArray, amplitude_from_db, db_from_amplitude

SOUNDFONT_VARIABLE: Final = "TOCCO_SOUNDFONT"
"""Environment variable that names the soundfont to play on."""

SYNTH_RATE_HZ: Final = 48_000
"""FluidSynth plays at twice the final rate, so that its interpolation folds nothing into the band."""

SYNTH_BLOCK_SAMPLES: Final = 64
"""FluidSynth starts and stops notes on these boundaries only: 1.33 ms apart at 48 kHz."""

TARGET_RMS_DBFS: Final = -23.0
"""Integrated level of a rendering, from the first key to the last release."""

PEAK_CEILING_DBFS: Final = -1.0
"""No peak of a rendering stands above this; a performance that would is left below the target level."""

TAIL_MAX_SEC: Final = 6.0
"""The longest that sound may ring after the last key and pedal are up."""

TAIL_RANGE_DB: Final = 80.0
"""Sound this far below the loudest moment has died away."""

TAIL_STEP_SEC: Final = 0.05

SYNTH_GAIN: Final = 0.5
"""Of FluidSynth's output: loud chords on the MuseScore piano stay below full scale."""

MAX_VOICES: Final = 256
"""A piano note takes two; beyond this FluidSynth ends the voices that were released longest ago."""

_SOUNDFONT_FOLDERS: Final = (
    "/usr/share/sounds/sf3",
    "/usr/share/sounds/sf2",
    "/usr/share/soundfonts",
    "/usr/local/share/soundfonts",
    "/opt/homebrew/share/soundfonts",
    "/opt/homebrew/share/fluid-synth/sf2",
    "/usr/local/share/fluid-synth/sf2",
    "~/.local/share/soundfonts",
    "~/Library/Audio/Sounds/Banks",
)
_SOUNDFONT_NAMES: Final = (
    "MuseScore_General_Lite.sf3",  # first: the one whose timbre follows velocity
    "MuseScore_General.sf3",
    "MuseScore_General.sf2",
    "FluidR3_GM.sf2",
    "default-GM.sf3",
    "default-GM.sf2",
)
_INSTALL: Final = (
    "apt-get install fluidsynth musescore-general-soundfont-small (macOS: brew install fluid-synth and "
    f"set {SOUNDFONT_VARIABLE} to an .sf2 or .sf3 file)"
)
_SUSTAIN, _SOSTENUTO, _SOFT = 64, 66, 67
_RELEASE, _PEDAL, _STRIKE = 0, 1, 2


def find_soundfont() -> Path:
    """The soundfont to play on: the one that TOCCO_SOUNDFONT names, else one that the system has.

    Raises
    ------
    MissingPartError
        The variable names no file, or no known soundfont is installed.
    """
    named = os.environ.get(SOUNDFONT_VARIABLE)
    if named:
        return _checked_soundfont(Path(named).expanduser(), f"is named by {SOUNDFONT_VARIABLE}")
    for name in _SOUNDFONT_NAMES:
        for folder in _SOUNDFONT_FOLDERS:
            soundfont = Path(folder).expanduser() / name
            if soundfont.is_file():
                return soundfont
    raise MissingPartError("soundfont", "none is installed, and MIDI is played on one", next_step=_INSTALL)


def _checked_soundfont(soundfont: Path, why: str) -> Path:
    """A soundfont that is one, by its first bytes."""
    if not soundfont.is_file():
        raise MissingPartError(soundfont, f"{why} but does not exist", next_step=_INSTALL)
    with soundfont.open("rb") as file:
        head = file.read(12)
    if head[:4] != b"RIFF" or head[8:12] != b"sfbk":
        raise MissingPartError(soundfont, f"{why} but is not a soundfont", allowed=".sf2 or .sf3")
    return soundfont


def _load_fluidsynth() -> ModuleType:
    """The bindings, or an error that says how to get the library behind them."""
    try:
        with redirect_stdout(io.StringIO()):  # where CI is set, the bindings print what they found
            import fluidsynth
    except ImportError as error:
        raise MissingPartError(
            "FluidSynth", "the library is not installed, and MIDI is played with it", next_step=_INSTALL
        ) from error
    return fluidsynth


@dataclass(frozen=True)
class _Event:
    """One thing done to the piano, at the start of a synthesiser block."""

    block: int
    kind: int
    number: int
    value: int


class FluidSynthRenderer:
    """A sampled piano that plays performances, one after the other.

    Loading the font takes seconds, playing is fast: keep one renderer for many performances and close
    it at the end (it is a context manager). The same performance on the same font gives the same bytes.

    Parameters
    ----------
    soundfont
        None takes what `find_soundfont` finds.
    bank, preset
        The instrument: 0, 0 is the grand piano.
    target_rms_dbfs : dB re full scale, < 0
        Integrated level that every rendering is brought to; None keeps the font's own level (about
        -35 to -45 for piano music), so that soft performances stay soft beside loud ones.
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
        reverb: bool = False,
    ) -> None:
        if target_rms_dbfs is not None and not target_rms_dbfs < 0.0:
            raise InputError("target_rms_dbfs", f"is {target_rms_dbfs}", allowed="below 0 dBFS, or None")
        bindings = _load_fluidsynth()
        self.soundfont = (
            find_soundfont() if soundfont is None else _checked_soundfont(soundfont, "was asked for")
        )
        self.target_rms_dbfs = target_rms_dbfs
        self._bindings = bindings
        self._write_float = _float_writer(bindings)
        self._bank, self._preset, self._reverb = bank, preset, reverb
        # FluidSynth caches decoded samples as long as any synthesiser holds them: this one never plays
        self._keeper: Any = self._new_synth()

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
        """Give the synthesiser and its samples back."""
        if self._keeper is not None:
            self._keeper.delete()
            self._keeper = None

    def _new_synth(self) -> Any:
        """A synthesiser that has played nothing yet, with the instrument on channel 0.

        One that has played keeps traces in its voices (the first 1.3 ms of a note differ by up to
        0.4 %), so every performance gets its own; from the second on that takes about 20 ms.
        """
        synth = self._bindings.Synth(
            gain=SYNTH_GAIN,
            samplerate=float(SYNTH_RATE_HZ),
            channels=16,
            **{
                "synth.reverb.active": int(self._reverb),
                "synth.chorus.active": 0,
                "synth.cpu-cores": 1,
                "synth.polyphony": MAX_VOICES,
                "synth.dynamic-sample-loading": 1,  # decode the piano's samples only
                "synth.lock-memory": 0,  # containers refuse it, with a message on stderr
            },
        )
        font_id = synth.sfload(str(self.soundfont))
        if font_id >= 0 and synth.program_select(0, font_id, self._bank, self._preset) == 0:
            return synth
        synth.delete()
        lacks = f"has no instrument at bank {self._bank}, preset {self._preset}"
        problem = "cannot be loaded" if font_id < 0 else lacks
        raise MissingPartError(self.soundfont, problem, next_step=_INSTALL)

    def render(self, performance: Performance) -> FloatArray:
        """The performance as sound.

        Notes and pedals fall on the nearest of FluidSynth's blocks, at most 0.67 ms off. Sustain and
        sostenuto are on or off at 64, as everywhere in soundfonts. A key that is struck again while it
        sounds is let go first. After the last event the pedals are lifted and the sound rings out.

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
        if self._keeper is None:
            raise ValueError("this renderer is closed")
        _check_performance(performance)
        events = _events(performance)
        synth = self._new_synth()
        try:
            to_mono = soxr.ResampleStream(SYNTH_RATE_HZ, SAMPLE_RATE_HZ, 1, dtype="float32", quality="HQ")
            played = [to_mono.resample_chunk(block.mean(axis=1)) for block in self._played(synth, events)]
            played.append(to_mono.resample_chunk(np.zeros(0, np.float32), last=True))
        finally:
            synth.delete()
        before = -events[0].block * SYNTH_BLOCK_SAMPLES * SAMPLE_RATE_HZ // SYNTH_RATE_HZ
        return self._levelled(np.concatenate(played)[max(0, before) :], performance)

    def _played(self, synth: Any, events: list[_Event]) -> Iterator[FloatArray]:
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
            block = np.concatenate(list(self._sounding(synth, _block(TAIL_STEP_SEC))))
            yield block
            if np.abs(block).max() <= floor:
                return

    def _sounding(self, synth: Any, n_blocks: int) -> Iterator[FloatArray]:
        """What is heard during the next blocks, at most a second at a time."""
        while n_blocks > 0:
            n = min(n_blocks, _block(1.0)) * SYNTH_BLOCK_SAMPLES
            stereo = np.zeros((n, 2), np.float32)
            left = stereo.ctypes.data
            self._write_float(synth.synth, n, left, 0, 2, left, 1, 2)
            yield stereo
            n_blocks -= _block(1.0)

    def _levelled(self, waveform: FloatArray, performance: Performance) -> FloatArray:
        """The waveform at the target level, or as far below as its peak demands."""
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


def _send(synth: Any, event: _Event) -> None:
    """Do one thing to the piano."""
    if event.kind == _STRIKE:
        synth.noteon(0, event.number, event.value)
    elif event.kind == _RELEASE:
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


def _block(time_sec: float) -> int:
    """The synthesiser block that starts nearest to a time."""
    return round(time_sec * SYNTH_RATE_HZ / SYNTH_BLOCK_SAMPLES)


def _events(performance: Performance) -> list[_Event]:
    """Everything done to the piano, in order.

    Within a block releases come first, then pedals, then strikes: a pedal that goes down as the
    harmony changes must catch the new one only.
    """
    events: list[_Event] = []
    for on, off, pitch, velocity in _strikes(performance):
        events += (_Event(on, _STRIKE, pitch, velocity), _Event(off, _RELEASE, pitch, 0))
    pedals = ((_SUSTAIN, performance.sustain), (_SOSTENUTO, performance.sostenuto), (_SOFT, performance.soft))
    for number, pedal in pedals:
        for time_sec, value in zip(pedal.time_sec, pedal.value, strict=True):
            events.append(_Event(_block(time_sec), _PEDAL, number, round(float(np.clip(value, 0, 127)))))
    events.sort(key=lambda event: (event.block, event.kind))
    end = max(_block(performance.duration_sec), events[-1].block)
    events += (_Event(end, _PEDAL, number, 0) for number, _ in pedals)
    return events


def _strikes(performance: Performance) -> Iterator[tuple[int, int, int, int]]:
    """Key down and key up of each strike, in blocks: one key at a time is down once.

    A note whose key is struck again ends there; notes of one key within one block are one strike.
    """
    on = np.round(performance.onset_sec * (SYNTH_RATE_HZ / SYNTH_BLOCK_SAMPLES)).astype(int)
    off = np.round(performance.offset_sec * (SYNTH_RATE_HZ / SYNTH_BLOCK_SAMPLES)).astype(int)
    for pitch in np.unique(performance.pitch):
        of_key: IntArray = np.flatnonzero(performance.pitch == pitch)
        starts, strike_of = np.unique(on[of_key], return_inverse=True)
        ends, velocity = np.zeros_like(starts), np.zeros_like(starts)
        np.maximum.at(ends, strike_of, np.maximum(off[of_key], on[of_key] + 1))
        np.maximum.at(velocity, strike_of, performance.velocity[of_key])
        ends[:-1] = np.minimum(ends[:-1], starts[1:])
        for start, end, loudness in zip(starts, ends, velocity, strict=True):
            yield int(start), int(end), int(pitch), int(loudness)


def write_flac(path: str | os.PathLike[str], waveform: FloatArray) -> None:
    """A waveform as FLAC: mono, 24 kHz, 16 bits.

    Written under a temporary name in the same folder and then renamed, so that a file of this name is
    either whole or not there.

    Parameters
    ----------
    path
        Replaced where it exists.
    waveform : (S,) within -1..1

    Raises
    ------
    InputError
        The waveform would clip, is not finite, or is not mono.
    OutputError
        The folder is missing or cannot be written to.
    """
    path, waveform = Path(path), np.asarray(waveform)
    if waveform.ndim != 1 or len(waveform) == 0:
        raise InputError(path, f"waveform has shape {waveform.shape}", allowed="(S,) mono samples, S >= 1")
    peak = float(np.abs(waveform).max())
    if not peak <= 1.0:  # also false for NaN
        raise InputError(path, f"waveform would clip (peak {peak:.3f})", allowed="-1 to 1")
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with temporary.open("wb") as file:
            soundfile.write(file, waveform, SAMPLE_RATE_HZ, format="FLAC", subtype="PCM_16")
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        raise OutputError(
            path, f"cannot be written ({error.strerror})", next_step="name a folder that exists and is yours"
        ) from error
    finally:
        if path.parent.is_dir():
            temporary.unlink(missing_ok=True)
