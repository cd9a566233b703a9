"""MIDI in and out, and cut into segments."""

from __future__ import annotations

import math
import os
import tempfile
from dataclasses import replace
from itertools import chain
from os import PathLike
from pathlib import Path
from typing import Any, Final

import numpy as np

from tocco.errors import InputError, OutputError
from tocco.music.midi_events import (
    CONTROL,
    MIDI_LIMITS,
    NOTE_OFF,
    NOTE_ON,
    MidiEvents,
    MidiLimits,
    scan_midi,
)
from tocco.music.midi_features import MidiFeatures, extract_midi_features, ridge_features
from tocco.music.midi_origin import TRANSCRIBED_BY, says_transcribed
from tocco.music.performance import PEDAL_DOWN, PedalCurve, Performance
from tocco.units import FloatArray, IntArray

__all__ = [
    "MIDI_LIMITS",
    "MidiFeatures",
    "MidiLimits",
    "extract_midi_features",
    "load_midi",
    "notes_within",
    "ridge_features",
    "save_midi",
    "segment_midi",
]

SUSTAIN: Final = 64
SOSTENUTO: Final = 66
SOFT: Final = 67

UNMATCHED_NOTE_SEC: Final = 4.0
"""The longest time that a note without a note-off is taken to last."""

_ALL_SOUND_OFF, _RESET_CONTROLLERS, _ALL_NOTES_OFF = 120, 121, 123
_MIN_NOTE_SEC = 1e-3
_MIN_UNMATCHED_SEC = 0.05
# A repeated note needs about 60 ms; a note-off this soon after a note-on is meant for an earlier note.
_MIN_KEY_SEC = 0.010

_MAGIC = (
    (b"RIFF", 0, b"WAVE", 8, "WAV audio"),
    (b"fLaC", 0, b"", 0, "FLAC audio"),
    (b"OggS", 0, b"", 0, "OGG audio"),
    (b"ID3", 0, b"", 0, "MP3 audio"),
    (b"FORM", 0, b"AIF", 8, "AIFF audio"),
    (b"ftyp", 4, b"", 0, "MP4/M4A audio"),
    (b"\x1aE\xdf\xa3", 0, b"", 0, "WebM/Matroska audio"),
    (b"<?xml", 0, b"", 0, "XML, perhaps a score"),
    (b"PK\x03\x04", 0, b"", 0, "a ZIP archive, perhaps a compressed score"),
)


class NoNotesError(InputError):
    """A valid MIDI file in which no piano note is struck."""


def load_midi(path: str | PathLike[str], *, limits: MidiLimits = MIDI_LIMITS) -> Performance:
    """Keys and pedals of a performance from a MIDI file.

    Tracks and channels are merged into one piano; the drum channel is left out. Tempo changes of
    every track count. All pitches are kept, whether a piano has them or not.

    A note-off ends the newest held note of its pitch, track and channel, except where that note is
    younger than 10 ms and an earlier one is held: no key moves that fast, so it belongs to the earlier.
    A note-on of velocity 0, "all notes off" and "all sound off" are note-offs. A key that is struck
    again while held ends the earlier note at the new strike; strikes of one key within 1 ms are one
    note, with the greater velocity and the later end. A note-on without a note-off lasts until its
    key is struck again or its track ends, and at most `UNMATCHED_NOTE_SEC`; `n_unmatched` counts it.

    Parameters
    ----------
    path
        Standard MIDI file, format 0 or 1, in ticks a beat or in SMPTE frames; also inside RIFF (.rmi).
    limits

    Returns
    -------
    Performance
        On the clock of the file, with `origin` "transcribed" where the file says so; `duration_sec` is the
        last key release, or the sustain pedal's release after it.

    Raises
    ------
    InputError
        The file is missing, empty, not MIDI, broken, over a limit, or has no piano notes.
    """
    source = os.fspath(path)
    data = _read_bytes(Path(path), limits)
    events = scan_midi(data, source, limits)
    onset, offset, pitch, velocity, n_unmatched = _notes(events)
    if len(onset) == 0:
        only = " (only drums)" if events.has_drums else ""
        raise NoNotesError(
            source,
            f"is a MIDI without piano notes{only}",
            next_step="export the track on which the piano was recorded",
        )
    sustain = _pedal(events, SUSTAIN)
    return Performance(
        onset_sec=onset,
        offset_sec=offset,
        pitch=pitch,
        velocity=velocity,
        sustain=sustain,
        sostenuto=_pedal(events, SOSTENUTO),
        soft=_pedal(events, SOFT),
        duration_sec=_last_release_sec(float(offset.max()), sustain),
        n_unmatched=n_unmatched,
        source=source,
        origin="transcribed" if says_transcribed(data) else "keys",
    )


def _read_bytes(path: Path, limits: MidiLimits) -> bytes:
    """The file's bytes, once its kind and its size are known to be fit."""
    try:
        if path.is_dir():
            raise InputError(path, "is a folder", allowed="a MIDI file")
        size = path.stat().st_size
        with path.open("rb") as file:
            head = file.read(16)
            _refuse_other_kinds(path, head)
            if size > limits.max_bytes:
                raise InputError(
                    path,
                    f"is a MIDI of {math.ceil(size / 2**20 * 100) / 100:,.2f} MiB",
                    allowed=f"up to {limits.max_bytes / 2**20:,.2f} MiB",
                    next_step="cut the file into shorter ones",
                )
            return head + file.read(limits.max_bytes)
    except FileNotFoundError as error:
        raise InputError(path, "does not exist", next_step="check the path of the MIDI file") from error
    except OSError as error:
        raise InputError(
            path, f"cannot be read ({error.strerror})", next_step="check its permissions"
        ) from error
    except ValueError as error:
        raise InputError(
            path, "cannot be read: its name holds a NUL character", next_step="rename it"
        ) from error


def _refuse_other_kinds(path: Path, head: bytes) -> None:
    """Say what a file is that is not MIDI."""
    if not head:
        raise InputError(path, "is empty", allowed="a MIDI file", next_step="export the MIDI again")
    if head[:4] == b"MThd" or (head[:4] == b"RIFF" and head[8:12] == b"RMID"):
        return
    kind = "no MIDI file"
    if head[0] == 0xFF and len(head) > 1 and head[1] & 0xE0 == 0xE0:
        kind = "not MIDI but MP3 audio"
    for magic, at, second, second_at, name in _MAGIC:
        if head[at:].startswith(magic) and head[second_at:].startswith(second):
            kind = f"not MIDI but {name}"
    raise InputError(
        path, f"is {kind}", allowed="a standard MIDI file (.mid)", next_step="give the MIDI file"
    )


def _notes(events: MidiEvents) -> tuple[FloatArray, FloatArray, IntArray, IntArray, int]:
    """Onset, offset, pitch and velocity sorted by onset and pitch, and the count of unmatched note-ons."""
    onset, offset, pitch, velocity, track = _paired(events)
    is_unmatched = np.isnan(offset)
    hung = np.minimum(events.track_end_sec[track] if len(track) else onset, onset + UNMATCHED_NOTE_SEC)
    offset = np.where(is_unmatched, np.maximum(hung, onset + _MIN_UNMATCHED_SEC), offset)
    onset, offset, pitch, velocity = _one_key_each(onset, offset, pitch, velocity)
    order = np.lexsort((pitch, onset))
    return onset[order], offset[order], pitch[order], velocity[order], int(is_unmatched.sum())


def _paired(events: MidiEvents) -> tuple[FloatArray, FloatArray, IntArray, IntArray, IntArray]:
    """Each note-on with the time of its note-off, NaN where none came; and the track it stands in."""
    is_on = (events.kind == NOTE_ON) & (events.value > 0)
    is_off = (events.kind == NOTE_OFF) | ((events.kind == NOTE_ON) & (events.value == 0))
    is_silence = (events.kind == CONTROL) & np.isin(events.number, (_ALL_SOUND_OFF, _ALL_NOTES_OFF))
    used = np.flatnonzero(is_on | is_off | is_silence)
    # Lists, because reading single numbers out of arrays is what would cost the time here.
    onset = events.time_sec[is_on].tolist()
    offset = [float("nan")] * len(onset)
    act = np.where(is_on, 0, np.where(is_off, 1, 2))[used].tolist()
    key = (events.track[used] * 128 + events.number[used]).tolist()
    held: list[dict[int, list[int]]] = [{} for _ in range(16)]
    note = 0
    for this_act, channel, this_key, time in zip(
        act, events.channel[used].tolist(), key, events.time_sec[used].tolist(), strict=True
    ):
        if this_act == 0:
            held[channel].setdefault(this_key, []).append(note)
            note += 1
        elif this_act == 1:
            waiting = held[channel].get(this_key)
            if waiting:
                is_late = len(waiting) > 1 and time - onset[waiting[-1]] < _MIN_KEY_SEC
                offset[waiting.pop(-2 if is_late else -1)] = time
        else:
            for ended in chain.from_iterable(held[channel].values()):
                offset[ended] = time
            held[channel].clear()
    return np.array(onset), np.array(offset), events.number[is_on], events.value[is_on], events.track[is_on]


def _one_key_each(
    onset: FloatArray, offset: FloatArray, pitch: IntArray, velocity: IntArray
) -> tuple[FloatArray, FloatArray, IntArray, IntArray]:
    """Let every key be struck once at a time: double strikes become one, re-strikes end what they repeat."""
    if len(onset) == 0:
        return onset, offset, pitch, velocity
    order = np.lexsort((onset, pitch))
    onset, offset, pitch, velocity = onset[order], offset[order], pitch[order], velocity[order]
    is_new = np.concatenate(([True], (np.diff(onset) >= _MIN_NOTE_SEC) | (np.diff(pitch) != 0)))
    first = np.flatnonzero(is_new)
    onset, pitch = onset[first], pitch[first]
    offset = np.maximum.reduceat(offset, first)
    velocity = np.maximum.reduceat(velocity, first)
    next_strike = np.concatenate((np.where(np.diff(pitch) == 0, onset[1:], np.inf), [np.inf]))
    offset = np.minimum(np.maximum(offset, onset + _MIN_NOTE_SEC), next_strike)
    return onset, offset, pitch, velocity


def _pedal(events: MidiEvents, number: int) -> PedalCurve:
    """One pedal: the greatest of its channels' values at each time, and only where that changes.

    Each channel has a pedal of its own: what one of them holds, a release on another does not let go.
    """
    is_reset = events.number == _RESET_CONTROLLERS
    step = (events.kind == CONTROL) & ((events.number == number) | is_reset)
    time, channel = events.time_sec[step], events.channel[step]
    value = np.where(is_reset[step], 0, events.value[step]).astype(float)
    if len(time) == 0:
        return PedalCurve()
    joined = np.zeros(len(time))
    for this in np.unique(channel):
        mine = channel == this
        latest = np.cumsum(mine) - 1
        joined = np.maximum(joined, np.where(latest >= 0, value[mine][latest], 0.0))
    is_last = np.concatenate((np.diff(time) > 0, [True]))
    time, joined = time[is_last], joined[is_last]
    is_change = np.diff(joined, prepend=0.0) != 0
    return PedalCurve(time[is_change], joined[is_change])


def _last_release_sec(last_offset_sec: float, sustain: PedalCurve) -> float:
    """When the last note stops: its key is up, and so is the pedal that may hold it."""
    if sustain.at(np.array([last_offset_sec]))[0] < PEDAL_DOWN:
        return last_offset_sec
    later = sustain.time_sec[(sustain.time_sec > last_offset_sec) & (sustain.value < PEDAL_DOWN)]
    return float(later[0]) if len(later) else last_offset_sec


def save_midi(
    performance: Performance,
    path: str | PathLike[str],
    *,
    ticks_per_beat: int = 1000,
    tempo_bpm: float = 120.0,
    transcriber: str | None = None,
) -> None:
    """Write a performance as a MIDI file of one track, whole or not at all.

    With the defaults a tick is half a millisecond, so that every time is kept within 0.25 ms. The
    beats of such a file are a clock, not a metre.

    Parameters
    ----------
    performance
        At least one note, no time below 0.
    path
        Written under another name first and then renamed.
    ticks_per_beat : 1..32767
    tempo_bpm : beats a minute, 4..60000
        The tick must not be longer than 1 ms.
    transcriber
        What heard the notes: the name of the track says so, and `load_midi` reads it. None for those of keys.

    Raises
    ------
    OutputError
        The file cannot be written.
    """
    sec_per_tick = 60.0 / (tempo_bpm * ticks_per_beat)
    if not (1 <= ticks_per_beat <= 0x7FFF and 4.0 <= tempo_bpm <= 60_000.0 and sec_per_tick <= 1e-3):
        raise ValueError(f"{ticks_per_beat} ticks a beat at {tempo_bpm} bpm: a tick must be 1 ms or less")
    if len(performance) == 0:
        raise ValueError("a performance without notes has no MIDI file")
    pedals = (
        (SUSTAIN, performance.sustain),
        (SOSTENUTO, performance.sostenuto),
        (SOFT, performance.soft),
    )
    starts = [float(performance.onset_sec.min()), *(float(c.time_sec[0]) for _, c in pedals if len(c))]
    if min(starts) < 0:
        raise ValueError(f"a MIDI file begins at 0 s, this performance at {min(starts):g} s: shift it first")
    name = "piano" if transcriber is None else f"{TRANSCRIBED_BY}{transcriber}"
    _write_atomically(Path(path), _midi_bytes(performance, pedals, ticks_per_beat, tempo_bpm, name))


def _midi_bytes(
    performance: Performance,
    pedals: tuple[tuple[int, PedalCurve], ...],
    ticks_per_beat: int,
    tempo_bpm: float,
    track_name: str,
) -> bytes:
    """A file of one track; symusic writes note-offs before the note-ons of the same tick."""
    import symusic

    # The file states whole microseconds a beat, and the ticks must be counted on that clock.
    microsec_per_beat = round(60e6 / tempo_bpm)
    ticks_per_sec = ticks_per_beat * 1e6 / microsec_per_beat

    def ticks(time_sec: FloatArray) -> IntArray:
        return np.rint(time_sec * ticks_per_sec).astype(np.int32)

    onset, offset = ticks(performance.onset_sec), ticks(performance.offset_sec)
    track: Any = symusic.Track(name=track_name, program=0, is_drum=False)
    track.notes = symusic.Note.from_numpy(
        time=onset,
        duration=np.maximum(offset - onset, 1).astype(np.int32),
        pitch=performance.pitch.astype(np.int8),
        velocity=performance.velocity.astype(np.int8),
    )
    track.controls = symusic.ControlChange.from_numpy(
        time=np.concatenate([ticks(curve.time_sec) for _, curve in pedals]).astype(np.int32),
        number=np.concatenate([np.full(len(curve), number) for number, curve in pedals]).astype(np.uint8),
        value=np.concatenate([np.rint(curve.value) for _, curve in pedals]).astype(np.uint8),
    )
    score: Any = symusic.Score(ticks_per_beat)
    score.tempos.append(symusic.Tempo(0, mspq=microsec_per_beat))
    score.tracks.append(track)
    return score.dumps_midi()


def _write_atomically(path: Path, data: bytes) -> None:
    """Write next to the target, reach the disk, then take the target's name."""
    try:
        with tempfile.NamedTemporaryFile(
            dir=path.parent, prefix=f".{path.name}.", suffix=".part", delete=False
        ) as file:
            part = Path(file.name)
            try:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
                part.chmod(0o644)
                part.replace(path)
            except OSError:
                part.unlink(missing_ok=True)
                raise
    except OSError as error:
        reason = error.strerror or str(error)
        raise OutputError(path, f"cannot be written ({reason})", next_step="choose another folder") from error


def segment_midi(performance: Performance, bounds_sec: FloatArray) -> tuple[Performance, ...]:
    """Cut a performance by the bounds that its audio is cut by.

    A segment runs from its start up to, not including, its end, and its clock begins at its start.
    It holds every note whose key is down at some time inside. Such a note keeps its true onset and
    offset: one that was held over the start has an onset below 0, one that is held over the end has
    an offset above `duration_sec`. `Performance.struck_inside` tells the notes that belong to this
    segment alone from those that are carried in. A string that only the pedal keeps ringing at the
    start is not carried as a note; the pedal itself is: its position at the start is the first step
    of the curve. `n_unmatched` stays that of the whole performance.

    Parameters
    ----------
    performance
    bounds_sec : (K, 2) seconds, start < end
        They may overlap, and may lie outside the performance; there the segment is empty.

    Returns
    -------
    tuple of K performances
    """
    bounds = np.asarray(bounds_sec, dtype=float)
    if bounds.ndim != 2 or bounds.shape[1] != 2:
        raise ValueError(f"bounds of shape {bounds.shape}, not (K, 2)")
    if not np.all(np.isfinite(bounds)) or np.any(bounds[:, 0] >= bounds[:, 1]):
        raise ValueError("every segment must start before it ends")
    return tuple(_segment(performance, float(start), float(end)) for start, end in bounds)


def notes_within(performance: Performance, start_sec: float, end_sec: float) -> IntArray:
    """Which notes a segment holds: those whose key is down at some time inside.

    Returns
    -------
    (M,) index into the performance, ascending
    """
    return np.flatnonzero((performance.offset_sec > start_sec) & (performance.onset_sec < end_sec))


def _segment(performance: Performance, start_sec: float, end_sec: float) -> Performance:
    inside = notes_within(performance, start_sec, end_sec)
    cut = replace(
        performance,
        onset_sec=performance.onset_sec[inside],
        offset_sec=performance.offset_sec[inside],
        pitch=performance.pitch[inside],
        velocity=performance.velocity[inside],
        sustain=performance.sustain.between(start_sec, end_sec),
        sostenuto=performance.sostenuto.between(start_sec, end_sec),
        soft=performance.soft.between(start_sec, end_sec),
    )
    return replace(cut.shifted(-start_sec), duration_sec=end_sec - start_sec)
