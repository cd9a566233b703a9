"""From partitura's objects to a `Notation`: notes, bars, marks, and the ways through the repeats."""

from __future__ import annotations

import bisect
import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from tocco.errors import InputError
from tocco.music.hidden_notes import NotePlace, separate_hidden_notes
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
from tocco.music.partitura_import import import_notation_library
from tocco.music.repeats import ways_through
from tocco.music.structure_signs import Sign
from tocco.music.ties import TieEnds
from tocco.units import FloatArray

_Span = tuple[float, float]

_MAX_BPM = 2_000.0
"""Above is no tempo, but a number in words ("q = 9999999")."""


@dataclass(frozen=True)
class PageSigns:
    """What a file says beside the notes that partitura hands over.

    Attributes
    ----------
    chord_notes
        Notes on the stem of the one before: partitura does not say where one small chord ends and the next
        begins.
    ties : of the notes
    structure : repeats, endings and jumps of each part by its id
    hidden_notes : notes that are not printed
    unmeasured_bars
        Part and place in it of each bar without a metre (senza misura); the first bar of a part is 1.
    """

    chord_notes: frozenset[NotePlace] = frozenset()
    ties: TieEnds = field(default_factory=dict)
    structure: Mapping[str, tuple[Sign, ...]] = field(default_factory=dict)
    hidden_notes: frozenset[NotePlace] = frozenset()
    unmeasured_bars: frozenset[tuple[str, int]] = frozenset()


def notation_from_parts(parts: Sequence[Any], source: str, signs: PageSigns) -> Notation:
    """Collect the parts of one score on a common clock of quarter notes.

    Parameters
    ----------
    parts : partitura parts, times in each part's own divisions
    source : for messages
    signs
    """
    printed = {id(part): part.notes for part in parts}
    sounding = [part for part in parts if printed[id(part)]]
    if not sounding:
        return Notation((), (), (), (), 0.0, source)
    notes: list[PrintedNote] = []
    is_hidden: list[bool] = []
    n_struck: list[int] = []
    staves_above = 0
    for index, part in enumerate(sounding):
        played = _notes(part, printed[id(part)], index, signs, is_alone=len(sounding) == 1)
        read = [replace(note, staff=note.staff + staves_above) for note in played] if index else list(played)
        notes.extend(read)
        is_hidden.extend((part.id, note.doc_order) in signs.hidden_notes for note in printed[id(part)])
        n_struck.append(sum(not note.tie_stop for note in read))
        staves_above = max(note.staff for note in read)
    written, hidden = separate_hidden_notes(notes, np.array(is_hidden))
    marks = {mark for part in sounding for mark in _marks(part)}
    leader = max(
        range(len(sounding)), key=lambda k: (len(signs.structure.get(sounding[k].id, ())), n_struck[k])
    )
    bar_spans = _bar_spans(sounding[leader])
    structure = [
        sign
        for part in parts
        if part is sounding[leader] or len(_measures(part)) == len(bar_spans)
        for sign in signs.structure.get(part.id, ())
    ]
    return Notation(
        notes=written,
        bars=_bars(sounding[leader], signs),
        marks=tuple(sorted(marks, key=lambda m: (m.onset_beat, m.kind, m.text, m.end_beat))),
        orders=_play_orders(bar_spans, structure, notes, source),
        tempo_bpm=next((bpm for part in sounding if (bpm := _first_tempo(part)) > 0), 0.0),
        source=source,
        hidden=hidden,
    )


def _measures(part: Any) -> list[Any]:
    return list(part.iter_all(import_notation_library("partitura").score.Measure))


def _bar_spans(part: Any) -> list[_Span]:
    """Start and end of every bar of a part in beats, bars without length included."""
    beat = _beats(part)
    spans = [(beat(measure.start.t), beat(measure.end.t)) for measure in _measures(part)]
    return [*spans[:-1], (spans[-1][0], max(spans[-1][1], beat(part.last_point.t)))]


def _beats(part: Any) -> Callable[[int], float]:
    """Time in divisions to quarter notes from the start of the score.

    The divisions of a quarter note may change on the way; between two changes the map is linear.
    """
    changes = [(int(t), int(divisions)) for t, divisions in part.quarter_durations()]
    starts = [t for t, _ in changes]
    elapsed = [0.0]
    for (t, divisions), (t_next, _) in itertools.pairwise(changes):
        elapsed.append(elapsed[-1] + (t_next - t) / divisions)

    def beat(t: int) -> float:
        i = max(bisect.bisect_right(starts, t) - 1, 0)
        return round(elapsed[i] + (t - starts[i]) / changes[i][1], 9)

    origin = beat(part.first_point.t)
    return lambda t: round(beat(t) - origin, 9)


def _notes(
    part: Any, printed: Sequence[Any], index: int, signs: PageSigns, *, is_alone: bool
) -> Iterator[PrintedNote]:
    beat = _beats(part)
    score = import_notation_library("partitura").score
    slurred = _slurred(part)
    grace_lead = _grace_leads(part, signs)
    for note in printed:
        is_grace = isinstance(note, score.GraceNote)
        onset = beat(note.start.t)
        tie_start, tie_stop = signs.ties.get((part.id, note.doc_order), (False, False))
        names = [*note.articulations, *note.ornaments]
        if note.fermata is not None:
            names.append("fermata")
        if note in slurred:
            names.append("slur")
        yield PrintedNote(
            note_id=str(note.id) if is_alone else f"{part.id}:{note.id}",
            onset_beat=onset,
            duration_beat=0.0 if is_grace else beat(note.end.t) - onset,
            pitch=int(note.midi_pitch),
            voice=int(note.voice or 0),
            staff=int(note.staff or 1),
            is_grace=is_grace,
            grace_lead=grace_lead.get(note, 0),
            articulation=",".join(dict.fromkeys(names)),
            spelling=_spelling(note),
            part=index,
            tie_start=tie_start,
            tie_stop=tie_stop,
        )


def _grace_leads(part: Any, signs: PageSigns) -> dict[Any, int]:
    """The place of each printed small note before its main note, counted back from it."""
    runs: dict[tuple[int, int], list[Any]] = {}
    for note in part.iter_all(import_notation_library("partitura").score.GraceNote):
        if note.doc_order is not None and (part.id, note.doc_order) not in signs.hidden_notes:
            runs.setdefault((note.start.t, int(note.voice or 0)), []).append(note)
    lead: dict[Any, int] = {}
    for run in runs.values():
        place = 1
        for note in sorted(run, key=lambda note: note.doc_order, reverse=True):
            lead[note] = place
            place += (part.id, note.doc_order) not in signs.chord_notes
    return lead


def _spelling(note: Any) -> str:
    """The printed name: step, accidentals, octave."""
    alter = int(note.alter or 0)
    return f"{note.step}{'#' * alter}{'b' * -alter}{note.octave}"


def _slurred(part: Any) -> set[Any]:
    """Notes that a slur binds to the next one: all under it but those at its end."""
    score = import_notation_library("partitura").score
    bound: set[Any] = set()
    for slur in part.iter_all(score.Slur):
        first, last = slur.start_note, slur.end_note
        if first is None or last is None or first.start.t >= last.start.t:
            continue
        under = part.iter_all(score.Note, first.start.t, last.start.t, include_subclasses=True)
        bound.update(note for note in under if note.voice == first.voice)
    return bound


def _bars(part: Any, page: PageSigns) -> tuple[Bar, ...]:
    beat = _beats(part)
    score = import_notation_library("partitura").score
    signs = [
        (sign.start.t, (int(sign.beats), int(sign.beat_type))) for sign in part.iter_all(score.TimeSignature)
    ]
    bars = []
    for measure in part.iter_all(score.Measure):
        onset = beat(measure.start.t)
        length = beat(measure.end.t) - onset
        if length > 0:
            is_measured = (part.id, measure.number) not in page.unmeasured_bars
            metre = _metre(signs, measure) if is_measured else None
            bars.append(Bar(onset, length, measure.name or str(measure.number), metre))
    return tuple(bars)


def _metre(signs: Sequence[tuple[int, Metre]], measure: Any) -> Metre | None:
    """The time signature in force where a bar begins; None before the first."""
    place = bisect.bisect_right([t for t, _ in signs], measure.start.t) - 1
    return signs[place][1] if place >= 0 else None


def _marks(part: Any) -> Iterator[Mark]:
    beat = _beats(part)
    score = import_notation_library("partitura").score
    kinds = (
        (score.IncreasingLoudnessDirection, "crescendo", True),
        (score.DecreasingLoudnessDirection, "diminuendo", True),
        (score.LoudnessDirection, "dynamics", False),
        (score.DynamicTempoDirection, "tempo", True),
        (score.TempoDirection, "tempo", False),
        (score.PedalDirection, "pedal", True),
    )
    for direction in part.iter_all(score.Direction, include_subclasses=True):
        for kind_class, kind, spans in kinds:
            if isinstance(direction, kind_class):
                onset = beat(direction.start.t)
                end = beat(direction.end.t) if spans and direction.end is not None else onset
                text = direction.raw_text or direction.text or kind
                yield Mark(kind, str(text), onset, max(end, onset))
                break
    for tempo in part.iter_all(score.Tempo):
        if not 0 < tempo.bpm <= _MAX_BPM:
            continue
        onset = beat(tempo.start.t)
        yield Mark("tempo", f"quarter = {_quarter_bpm(tempo):g}", onset, onset)


def _first_tempo(part: Any) -> float:
    """Quarter notes a minute stated at the first time point, else 0."""
    score = import_notation_library("partitura").score
    for tempo in part.iter_all(score.Tempo):
        if tempo.start.t == part.first_point.t and 0 < tempo.bpm <= _MAX_BPM:
            return _quarter_bpm(tempo)
    return 0.0


def _quarter_bpm(tempo: Any) -> float:
    """Quarter notes a minute, rid of the rounding to whole microseconds."""
    return round(60e6 / tempo.microseconds_per_quarter, 3)


def _play_orders(
    bars: Sequence[_Span], signs: Iterable[Sign], notes: Sequence[PrintedNote], source: str
) -> tuple[PlayOrder, ...]:
    """The ways through the page: all repeats first, none last.

    Parameters
    ----------
    bars : every bar of the score, empty ones too
    signs : of all parts
    notes : of all parts
    source : for messages
    """
    sections, ways = ways_through(len(bars), signs)
    starts = [min(bars[s.bar][0] + s.start_beat, bars[s.bar][1]) for s in sections]
    ends = [*starts[1:], bars[-1][1]]
    span = {section: (start, end) for section, start, end in zip(sections, starts, ends, strict=True)}
    orders = [PlayOrder(way.repeats, _merge([span[section] for section in way.sections])) for way in ways]
    onsets = np.sort([note.onset_beat for note in notes])
    within = [order for order in orders if _is_within_limits(order, onsets, ends[-1])]
    if not orders or orders[0] not in within:
        raise InputError(
            source,
            "is too long with its repeats and jumps",
            allowed=f"up to {MAX_SCORE_BARS:,} bars, {MAX_SCORE_BEATS:,.0f} quarter notes and"
            f" {MAX_SCORE_NOTES:,} notes",
            next_step="check how often the repeats are to be played, or give one movement at a time",
        )
    return tuple(within)


def _is_within_limits(order: PlayOrder, onsets: FloatArray, page_beats: float) -> bool:
    """Whether a reading is no longer than a score may be; a page that is longer itself is refused as such."""
    begins, ends = np.array(order.spans).T
    n_notes = (np.searchsorted(onsets, ends) - np.searchsorted(onsets, begins)).sum()
    return bool(
        (ends - begins).sum() <= max(MAX_SCORE_BEATS, page_beats)
        and n_notes <= max(MAX_SCORE_NOTES, len(onsets))
    )


def _merge(spans: Iterable[tuple[float, float]]) -> tuple[tuple[float, float], ...]:
    """Join spans that follow each other in print."""
    merged: list[tuple[float, float]] = []
    for start, end in spans:
        if merged and start == merged[-1][1]:
            merged[-1] = (merged[-1][0], end)
        elif end > start:
            merged.append((start, end))
    return tuple(merged or [(0.0, 0.0)])
