"""Which added notes of a performance adorn the score that was played, in terms of that score."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from tocco.music.beat_map import sec_from_beat
from tocco.music.matching.chords import PlayedNotes
from tocco.music.matching.matcher import NoteMatching
from tocco.music.matching.ornaments import Ornament, find_hidden_ornaments, find_ornaments
from tocco.music.matching.tempo_map import TempoMap
from tocco.music.written_strokes import WrittenStrokes
from tocco.units import IntArray

_ORNAMENT_SIGNS = (
    "trill-mark",
    "mordent",
    "inverted-mordent",
    "turn",
    "inverted-turn",
    "delayed-turn",
    "shake",
)


def played_ornaments(
    page: WrittenStrokes, played: PlayedNotes, result: NoteMatching, added: IntArray, anchors: TempoMap
) -> tuple[tuple[Ornament, ...], IntArray]:
    """Ornaments among the added notes, by their sound and by what the score holds but does not print.

    Parameters
    ----------
    page, played, result : both sides, and how they match
    added : (I,) index into the performance, ascending
    anchors : of beats as printed

    Returns
    -------
    ornaments
        In order of playing, indices into the score. A stroke belongs to one: by its sound, or else by a note
        that is not printed.
    hidden_strokes : (H,) index into the performance, ascending
        The added notes that notes which are not printed allow, in whatever ornament.
    """
    ornaments = _by_sound(page, played, result, added)
    hidden = find_hidden_ornaments(
        page.written,
        played,
        result.match,
        added,
        sec_from_beat(page.score.hidden_onset_beat, anchors.beat, anchors.sec),
        page.score.hidden_pitch,
    )
    taken = set(_strokes_of(ornaments).tolist())
    left = (replace(one, played=tuple(note for note in one.played if note not in taken)) for one in hidden)
    every = (
        replace(one, written=int(page.note[one.written]))
        for one in (*ornaments, *(one for one in left if one.played))
    )
    return tuple(sorted(every, key=lambda ornament: ornament.played)), np.sort(_strokes_of(hidden))


def _by_sound(
    page: WrittenStrokes, played: PlayedNotes, result: NoteMatching, added: IntArray
) -> tuple[Ornament, ...]:
    names = (page.score.articulation[note].split(",") if note >= 0 else () for note in page.note)
    has_sign = np.array([not set(_ORNAMENT_SIGNS).isdisjoint(signs) for signs in names])
    end_sec = result.tempo_map.sec_at(page.written.onset_beat + page.written.duration_beat)
    return find_ornaments(page.written, played, result.match, added, end_sec[result.match[:, 0]], has_sign)


def _strokes_of(ornaments: Sequence[Ornament]) -> IntArray:
    """Indices into the performance of all notes of ornaments."""
    return np.array([note for ornament in ornaments for note in ornament.played], dtype=np.int64)
