"""Scores kept as MIDI: exact note values, metre and tempo, no marks."""

from __future__ import annotations

from typing import Any

import numpy as np
import symusic

from tocco.errors import InputError
from tocco.music.notation import (
    MAX_SCORE_BARS,
    MAX_SCORE_BEATS,
    MAX_SCORE_NOTES,
    Bar,
    Mark,
    Metre,
    Notation,
    PlayOrder,
    PrintedNote,
)
from tocco.units import FloatArray, IntArray

_GRID_DIVISIONS = (12, 16)
"""Notation lies on sixty-fourths or on triplets of thirty-seconds, grace notes aside."""

_MIN_ON_GRID = 0.5
"""Share of notes on the grid below which a file is a performance. A played file lands on it by chance:
5 % of the notes at 480 ticks a beat, 25 % at 96."""

_COARSE_TICKS = 48
"""At so few ticks a beat every tick is on the grid, and nothing can be inferred from it."""

_DEFAULT_BPM = 120.0
"""Tempo of a MIDI file that states none."""

_NEXT_STEP = "export the piece as MusicXML from a notation program"


def read_score_midi(content: bytes, source: str) -> Notation:
    """The page behind a score MIDI.

    Parameters
    ----------
    content : a standard MIDI file
    source : for messages

    Raises
    ------
    InputError
        The file is broken, is measured in seconds, or was played rather than written.
    """
    midi = _parse(content, source)
    ticks_per_beat = midi.ticks_per_quarter
    notes = _collect_notes(midi, source)
    end_beat = max((n.onset_beat + n.duration_beat for n in notes), default=0.0)
    if end_beat > MAX_SCORE_BEATS:
        raise InputError(
            source, f"the score is {end_beat:,.0f} beats long", allowed=f"up to {MAX_SCORE_BEATS:,.0f}"
        )
    _refuse_performance(np.array([n.onset_beat for n in notes]), ticks_per_beat, source)
    bars = _bars(midi, end_beat, source)
    last_bar = bars[-1]
    tempos = sorted((t.time / ticks_per_beat, round(float(t.qpm), 3)) for t in midi.tempos)
    tempo_bpm = tempos[0][1] if tempos and tempos[0][0] == 0 else 0.0
    return Notation(
        notes=notes,
        bars=bars,
        marks=tuple(Mark("tempo", f"quarter = {bpm:g}", beat, beat) for beat, bpm in tempos),
        orders=(PlayOrder("as written", ((0.0, last_bar.onset_beat + last_bar.length_beat),)),),
        tempo_bpm=tempo_bpm,
        source=source,
    )


def beat_from_score_sec(content: bytes, source: str, time_sec: FloatArray) -> FloatArray:
    """Beats of moments given in the seconds of a score MIDI, by its tempo changes.

    Parameters
    ----------
    content : a standard MIDI file
    source : for messages
    time_sec : (K,) seconds, any order; after the last tempo change its tempo goes on

    Returns
    -------
    (K,) beats from the start of the file

    Raises
    ------
    InputError
        The file is broken, or is measured in seconds.
    """
    midi = _parse(content, source)
    changes = {0.0: _DEFAULT_BPM}
    changes |= {t.time / midi.ticks_per_quarter: float(t.qpm) for t in sorted(midi.tempos, key=_time)}
    beat = np.array(sorted(changes))
    beat_sec = np.array([60.0 / changes[b] for b in beat])
    sec = np.concatenate([[0.0], np.cumsum(np.diff(beat) * beat_sec[:-1])])
    last = np.maximum(np.searchsorted(sec, time_sec, side="right") - 1, 0)
    return beat[last] + (time_sec - sec[last]) / beat_sec[last]


def _time(event: Any) -> int:
    return event.time


def _parse(content: bytes, source: str) -> Any:
    if len(content) >= 14 and content[12] & 0x80:
        raise InputError(
            source,
            "counts time in film frames, not in beats, so it is no score",
            allowed="MIDI with ticks per quarter note",
            next_step=_NEXT_STEP,
        )
    try:
        midi: Any = symusic.Score.from_midi(content)  # its stubs know no tick attributes
    except (RuntimeError, ValueError) as error:
        raise InputError(source, "is a broken MIDI file", next_step=_NEXT_STEP) from error
    if midi.ticks_per_quarter < 1:
        raise InputError(source, "states no ticks per quarter note", allowed="1 to 32767")
    return midi


def _collect_notes(midi: Any, source: str) -> tuple[PrintedNote, ...]:
    """Notes of every pitched track, on the clock of beats."""
    tracks = [track for track in midi.tracks if not track.is_drum]
    if sum(len(track.notes) for track in tracks) > MAX_SCORE_NOTES:
        raise InputError(source, "has too many notes for a score", allowed=f"up to {MAX_SCORE_NOTES:,}")
    columns = [track.notes.numpy() for track in tracks if len(track.notes)]
    if not columns:
        return ()
    onset, duration, pitch, velocity = (
        np.concatenate([c[key] for c in columns]) for key in ("time", "duration", "pitch", "velocity")
    )
    staff = np.repeat(_staves([c["pitch"] for c in columns]), [len(c["pitch"]) for c in columns])
    order = np.lexsort((pitch, onset))
    beat = float(midi.ticks_per_quarter)
    return tuple(
        PrintedNote(
            note_id=f"n{rank + 1}",
            onset_beat=float(onset[i]) / beat,
            duration_beat=float(duration[i]) / beat,
            pitch=int(pitch[i]),
            velocity=max(int(velocity[i]), 1),
            staff=int(staff[i]),
        )
        for rank, i in enumerate(order)
    )


def _staves(pitches: list[IntArray]) -> list[int]:
    """Staff of each track: notation programs export the two staves of a piano as two tracks.

    The higher one on average is the upper staff, 1. With any other number of tracks nothing is known: 0.
    """
    if len(pitches) != 2:
        return [0] * len(pitches)
    return [1, 2] if pitches[0].mean() >= pitches[1].mean() else [2, 1]


def _refuse_performance(onset_beat: FloatArray, ticks_per_beat: int, source: str) -> None:
    """Tell written note values from played ones: what is played does not fall on the grid."""
    if len(onset_beat) < 8 or ticks_per_beat <= _COARSE_TICKS:
        return
    on_grid = np.zeros(len(onset_beat), dtype=bool)
    for division in _GRID_DIVISIONS:
        off_ticks = (
            np.abs(onset_beat * division - np.round(onset_beat * division)) / division * ticks_per_beat
        )
        on_grid |= off_ticks <= 0.5
    share = float(on_grid.mean())
    if share < _MIN_ON_GRID:
        raise InputError(
            source,
            f"is a performance, not a score: {share:.0%} of its notes lie on a beat grid",
            allowed=f"at least {_MIN_ON_GRID:.0%} of a score MIDI's notes",
            next_step="give the printed score, best as MusicXML, and this file as the performance",
        )


def _bars(midi: Any, end_beat: float, source: str) -> tuple[Bar, ...]:
    """Bars from the time signatures; 4/4 where the file states none, as the MIDI standard says."""
    signatures: dict[float, Metre] = {}
    for sign in sorted(midi.time_signatures, key=lambda s: s.time):
        if not (1 <= sign.numerator <= 64 and sign.denominator in (1, 2, 4, 8, 16, 32, 64)):
            raise InputError(
                source, f"states the metre {sign.numerator}/{sign.denominator}", allowed="1/1 to 64/64"
            )
        signatures[sign.time / midi.ticks_per_quarter] = (sign.numerator, sign.denominator)
    if not signatures or min(signatures) > 0:
        signatures[0.0] = (4, 4)
    starts = [*sorted(start for start in signatures if start < max(end_beat, 1e-9))]
    bars: list[Bar] = []
    for start, stop in zip(starts, [*starts[1:], None], strict=True):
        metre = signatures[start]
        length = 4.0 * metre[0] / metre[1]
        span = (end_beat if stop is None else stop) - start
        whole = max(int(np.ceil(span / length - 1e-9)), 1)
        if len(bars) + whole > MAX_SCORE_BARS:
            raise InputError(source, f"has {len(bars) + whole:,} bars", allowed=f"up to {MAX_SCORE_BARS:,}")
        for k in range(whole):
            onset = start + k * length
            beats = length if stop is None else min(length, stop - onset)
            bars.append(Bar(onset, beats, str(len(bars) + 1), metre))
    return tuple(bars)
