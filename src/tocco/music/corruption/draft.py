"""From loose notes to a valid performance, with the way of every note on record."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np

from tocco.music.corruption.context import Context
from tocco.music.corruption.record import NoteEdit, NoteEditKind, SpanEdit
from tocco.music.performance import PedalCurve, Performance
from tocco.music.time_map import TimeMap
from tocco.units import FloatArray, IntArray

MIN_STRIKE_SEC: Final = 0.03
"""The shortest time between two strikes of one key that a corruption makes; an action repeats in 60 ms."""


@dataclass(frozen=True)
class RowEdit:
    """An edit before the notes have their final order.

    Attributes
    ----------
    kind
    old_note : index into the clean performance
    row : index into the draft, -1 where the note is gone
    """

    kind: NoteEditKind
    old_note: int
    row: int


@dataclass(frozen=True, eq=False)
class Draft:
    """The notes of a corrupted performance in any order.

    Attributes
    ----------
    onset_sec, offset_sec, pitch, velocity : (M,)
    origin : (M,) index of the clean note that each one is, -1 for an added one
    sustain, sostenuto, soft
    edits
    spans
    time_map
    """

    onset_sec: FloatArray
    offset_sec: FloatArray
    pitch: IntArray
    velocity: IntArray
    origin: IntArray
    sustain: PedalCurve
    sostenuto: PedalCurve
    soft: PedalCurve
    edits: tuple[RowEdit, ...] = ()
    spans: tuple[SpanEdit, ...] = ()
    time_map: TimeMap = field(default_factory=TimeMap.identity)

    @classmethod
    def of(cls, performance: Performance) -> Draft:
        """The clean performance as a draft."""
        return cls(
            performance.onset_sec,
            performance.offset_sec,
            performance.pitch,
            performance.velocity,
            np.arange(len(performance)),
            performance.sustain,
            performance.sostenuto,
            performance.soft,
        )

    def without(self, notes: IntArray) -> Draft:
        """The draft less some rows."""
        keep = np.ones(len(self.onset_sec), dtype=bool)
        keep[notes] = False
        return replace(
            self,
            onset_sec=self.onset_sec[keep],
            offset_sec=self.offset_sec[keep],
            pitch=self.pitch[keep],
            velocity=self.velocity[keep],
            origin=self.origin[keep],
        )

    def with_notes(
        self, onset_sec: FloatArray, offset_sec: FloatArray, pitch: IntArray, velocity: IntArray
    ) -> Draft:
        """The draft and further notes, which stand for none of the clean ones."""
        return replace(
            self,
            onset_sec=np.concatenate((self.onset_sec, onset_sec)),
            offset_sec=np.concatenate((self.offset_sec, offset_sec)),
            pitch=np.concatenate((self.pitch, pitch)).astype(self.pitch.dtype),
            velocity=np.concatenate((self.velocity, velocity)).astype(self.velocity.dtype),
            origin=np.concatenate((self.origin, np.full(len(onset_sec), -1))),
        )

    def on_clock(self, clock: TimeMap) -> Draft:
        """The draft with its three pedals moved to another clock."""
        return replace(
            self,
            sustain=moved_pedal(self.sustain, clock),
            sostenuto=moved_pedal(self.sostenuto, clock),
            soft=moved_pedal(self.soft, clock),
        )


def moved_pedal(curve: PedalCurve, clock: TimeMap) -> PedalCurve:
    """A pedal on another clock."""
    return pedal_of_steps(clock(curve.time_sec), curve.value)


def pedal_of_steps(time_sec: FloatArray, value: FloatArray) -> PedalCurve:
    """A pedal from ascending steps: of several at one time the last counts, and only changes are kept."""
    is_last = np.diff(time_sec, append=np.inf) > 0
    time_sec, value = time_sec[is_last], value[is_last]
    is_change = np.diff(value, prepend=0.0) != 0
    return PedalCurve(time_sec[is_change], value[is_change])


def released_in_time(onset_sec: FloatArray, offset_sec: FloatArray, pitch: IntArray) -> FloatArray:
    """Key releases such that no key is struck while it is down.

    Parameters
    ----------
    onset_sec, offset_sec, pitch : (M,) any order

    Returns
    -------
    (M,) seconds
        The offset, or the next strike of the same key where that comes first.
    """
    order = np.lexsort((onset_sec, pitch))
    before, after = order[:-1], order[1:]
    again = pitch[before] == pitch[after]
    released = offset_sec.copy()
    released[before[again]] = np.minimum(offset_sec[before[again]], onset_sec[after[again]])
    return released


def strikes_apart(onset_sec: FloatArray, old_onset_sec: FloatArray, pitch: IntArray) -> FloatArray:
    """Moved onsets such that each key keeps the order of its strikes.

    Parameters
    ----------
    onset_sec, old_onset_sec, pitch : (N,) after and before moving; sorted by old onset

    Returns
    -------
    (N,) seconds
        Strikes of one key that came closer than 30 ms (or than they were) are set that far apart.
    """
    apart = onset_sec.copy()
    last: dict[int, int] = {}
    for note, key in enumerate(pitch.tolist()):
        if key in last:
            gap = min(MIN_STRIKE_SEC, old_onset_sec[note] - old_onset_sec[last[key]])
            apart[note] = max(apart[note], apart[last[key]] + gap)
        last[key] = note
    return apart


def finish(context: Context, draft: Draft) -> tuple[Performance, IntArray, tuple[NoteEdit, ...]]:
    """Sort a draft into a performance.

    Returns
    -------
    The performance, the (N,) new index of every clean note, and the edits with their new indices.
    """
    clean = context.performance
    offset = draft.offset_sec
    if not (draft.onset_sec is clean.onset_sec and offset is clean.offset_sec):
        offset = released_in_time(draft.onset_sec, offset, draft.pitch)
    order = np.lexsort((draft.pitch, draft.onset_sec))
    performance = replace(
        clean,
        onset_sec=draft.onset_sec[order],
        offset_sec=offset[order],
        pitch=draft.pitch[order],
        velocity=draft.velocity[order],
        sustain=draft.sustain,
        sostenuto=draft.sostenuto,
        soft=draft.soft,
        duration_sec=_duration_sec(clean, draft, offset),
    )
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    new_of_old = np.full(len(clean), -1, dtype=np.int64)
    kept = draft.origin >= 0
    new_of_old[draft.origin[kept]] = place[kept]
    edits = [_note_edit(context, draft, edit, place) for edit in draft.edits]
    return performance, new_of_old, tuple(sorted(edits, key=lambda e: (e.new_sec, e.old_note)))


def _duration_sec(clean: Performance, draft: Draft, offset_sec: FloatArray) -> float:
    """End of the recording, moved with the clock, and not before what is still sounding.

    A segment, whose notes may be held over its end, keeps its own end.
    """
    end = float(draft.time_map(clean.duration_sec))
    if clean.duration_sec >= clean.offset_sec.max():
        end = max(end, float(offset_sec.max(initial=0.0)))
        if len(draft.sustain) and len(clean.sustain):
            last = float(draft.sustain.time_sec[-1])
            end = max(end, last) if last > float(draft.time_map(clean.sustain.time_sec[-1])) else end
    return end


def _note_edit(context: Context, draft: Draft, edit: RowEdit, place: IntArray) -> NoteEdit:
    old_sec = float(context.performance.onset_sec[edit.old_note])
    gone = edit.row < 0
    return NoteEdit(
        kind=edit.kind,
        old_note=edit.old_note,
        new_note=-1 if gone else int(place[edit.row]),
        old_sec=old_sec,
        new_sec=float(draft.time_map(old_sec)) if gone else float(draft.onset_sec[edit.row]),
        bar=context.note_bar_name(edit.old_note),
    )
