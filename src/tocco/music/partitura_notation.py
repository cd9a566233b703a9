"""From partitura's objects to a `Notation`: notes, bars, marks, and the ways through the repeats."""

from __future__ import annotations

import bisect
import itertools
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any

from tocco.errors import InputError
from tocco.music.notation import Bar, Mark, Metre, Notation, PlayOrder, PrintedNote
from tocco.music.partitura_import import import_notation_library

_MAX_ORDERS = 64
_MAX_SEGMENTS = 51
"""partitura names the segments between repeat signs by single letters."""

_MAX_PASSES = 2_000
"""Segments in one play order; a sane score stays below a hundred."""

Choose = Callable[[int, list[str]], str]


ChordNotes = Collection[tuple[str, int]]
"""Part, and place among its notes as the file lists them, of each note that stands on the stem before it."""


def notation_from_parts(parts: Sequence[Any], source: str, chord_notes: ChordNotes = ()) -> Notation:
    """Collect the parts of one score on a common clock of quarter notes.

    Parameters
    ----------
    parts : partitura parts, times in each part's own divisions
    source : for messages
    chord_notes
        partitura does not say where one small chord ends and the next begins.
    """
    parts = [part for part in parts if part.notes_tied]
    if not parts:
        return Notation((), (), (), (), 0.0, source)
    leader = max(parts, key=lambda part: (len(_segments(part, source)), len(part.notes_tied)))
    notes: list[PrintedNote] = []
    staves_above = 0
    for part in parts:
        read = list(_notes(part, staves_above, len(parts) > 1, chord_notes))
        notes.extend(read)
        staves_above = max(note.staff for note in read)
    marks = {mark for part in parts for mark in _marks(part)}
    return Notation(
        notes=tuple(notes),
        bars=_bars(leader),
        marks=tuple(sorted(marks, key=lambda m: (m.onset_beat, m.kind, m.text, m.end_beat))),
        orders=_play_orders(leader, source),
        tempo_bpm=next((bpm for part in parts if (bpm := _first_tempo(part)) > 0), 0.0),
        source=source,
    )


def _beats(part: Any) -> Callable[[int], float]:
    """Time in divisions to quarter notes from the start of the page.

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


def _notes(part: Any, staves_above: int, several: bool, chord_notes: ChordNotes) -> Iterator[PrintedNote]:
    beat = _beats(part)
    score = import_notation_library("partitura").score
    slurred = _slurred(part)
    grace_lead = _grace_leads(part, chord_notes)
    for note in part.notes_tied:
        is_grace = isinstance(note, score.GraceNote)
        onset = beat(note.start.t)
        names = [*note.articulations, *note.ornaments]
        if note.fermata is not None:
            names.append("fermata")
        if note in slurred:
            names.append("slur")
        yield PrintedNote(
            note_id=f"{part.id}:{note.id}" if several else str(note.id),
            onset_beat=onset,
            duration_beat=0.0 if is_grace else beat(note.end_tied.t) - onset,
            pitch=int(note.midi_pitch),
            voice=int(note.voice or 0),
            staff=staves_above + int(note.staff or 1),
            is_grace=is_grace,
            grace_lead=grace_lead.get(note, 0),
            articulation=",".join(dict.fromkeys(names)),
            spelling=_spelling(note),
        )


def _grace_leads(part: Any, chord_notes: ChordNotes) -> dict[Any, int]:
    """The place of each small note before its main note, counted back from it."""
    runs: dict[tuple[int, int], list[Any]] = {}
    for note in part.iter_all(import_notation_library("partitura").score.GraceNote):
        if note.doc_order is not None:
            runs.setdefault((note.start.t, int(note.voice or 0)), []).append(note)
    lead: dict[Any, int] = {}
    for run in runs.values():
        place = 1
        for note in sorted(run, key=lambda note: note.doc_order, reverse=True):
            lead[note] = place
            place += (part.id, note.doc_order) not in chord_notes
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


def _bars(part: Any) -> tuple[Bar, ...]:
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
            bars.append(Bar(onset, length, measure.name or str(measure.number), _metre(signs, measure)))
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
        onset = beat(tempo.start.t)
        yield Mark("tempo", f"quarter = {_quarter_bpm(tempo):g}", onset, onset)


def _first_tempo(part: Any) -> float:
    """Quarter notes a minute stated at the first time point, else 0."""
    score = import_notation_library("partitura").score
    for tempo in part.iter_all(score.Tempo):
        if tempo.start.t == part.first_point.t:
            return _quarter_bpm(tempo)
    return 0.0


def _quarter_bpm(tempo: Any) -> float:
    """Quarter notes a minute, rid of the rounding to whole microseconds."""
    return round(60e6 / tempo.microseconds_per_quarter, 3)


def _segments(part: Any, source: str) -> dict[str, Any]:
    """The stretches between repeat signs, endings and jumps."""
    score = import_notation_library("partitura").score
    kinds = (score.Repeat, score.Ending, score.Coda, score.ToCoda, score.DaCapo, score.Fine)
    signs = sum(1 for kind in (*kinds, score.Segno, score.DalSegno) for _ in part.iter_all(kind))
    if 2 * signs + 1 > 2 * _MAX_SEGMENTS:
        _refuse_segments(signs, source)
    try:
        score.add_segments(part)
    except KeyError:
        _refuse_segments(signs, source)
    return score.get_segments(part)


def _refuse_segments(signs: int, source: str) -> None:
    raise InputError(
        source,
        f"has {signs} repeat signs and jumps that cannot be followed",
        allowed=f"up to {_MAX_SEGMENTS} sections, every jump with its target",
        next_step="give one movement at a time, or check the signs in the notation program",
    )


def _play_orders(part: Any, source: str) -> tuple[PlayOrder, ...]:
    """The ways through the page: all repeats first, none last."""
    beat = _beats(part)
    span = {name: (beat(s.start.t), beat(s.end.t)) for name, s in _segments(part, source).items()}
    full, forks = _walk(part, lambda _, to: to[0], source, after_jump="none")
    walks = [full, *_variants(part, forks, source)]
    plain, _ = _walk(part, lambda _, to: to[-1], source, after_jump="none")
    walks.append(plain)
    orders = {}
    for walk in walks:
        orders.setdefault(_merge(tuple(span[name] for name in walk)), walk)
    names = {}
    for spans, walk in orders.items():
        names[spans] = "all repeats" if walk == full else "no repeats" if walk == plain else "some repeats"
    if len(names) == 1:
        return (PlayOrder("as written", next(iter(names))),)
    return tuple(PlayOrder(name, spans) for spans, name in names.items())


def _variants(part: Any, forks: int, source: str) -> Iterator[list[str]]:
    """Other combinations of repeats, and the one with repeats after a da capo."""
    yield _walk(part, lambda _, to: to[0], source, after_jump="all")[0]
    if 2**forks <= _MAX_ORDERS:
        for code in range(1, 2**forks):
            yield _walk(part, _choose_by(code), source, after_jump="none")[0]
    else:
        for fork in range(min(forks, _MAX_ORDERS // 2)):
            yield _walk(part, _choose_by(1 << fork), source, after_jump="none")[0]
            yield _walk(part, _choose_by(~(1 << fork)), source, after_jump="none")[0]


def _choose_by(code: int) -> Choose:
    """Take the repeat at fork k where bit k is 0, pass by it where it is 1."""
    return lambda fork, to: to[-1] if code >> fork & 1 else to[0]


def _walk(part: Any, choose: Choose, source: str, *, after_jump: str) -> tuple[list[str], int]:
    """One way through the segments, and the number of forks at which it chose.

    After a da capo or dal segno the custom is to play without repeats (`after_jump` "none").
    """
    score = import_notation_library("partitura").score
    # Following a jump rewrites the segments' destinations in place, so each walk gets its own.
    score.add_segments(part, force_new=True)
    segments = score.get_segments(part)
    path = score.Path([next(iter(segments))], segments)
    forks = 0
    while True:
        to = list(dict.fromkeys(path.list_of_destinations_from_last_segment))
        onward = _without_early_end(to, path)
        if len(onward) > 1 and not path.jumped:
            target = choose(forks, onward)
            forks += 1
        else:
            target = onward[0] if after_jump == "all" or not path.jumped else onward[-1]
        if target == "END":
            return list(path.path), forks
        path = path.make_copy_with_jump_to(target, ignore_leap_info=True)
        if len(path.path) > _MAX_PASSES:
            _refuse_segments(len(segments), source)


def _without_early_end(to: list[str], path: Any) -> list[str]:
    """Jumps (da capo, dal segno) are part of the form: they are always taken, the first time round."""
    if path.jumped:
        return to
    leaps = [t for t in to if path.segments[path.path[-1]].type == "leap_start" and t <= path.path[-1]]
    return leaps or to


def _merge(spans: tuple[tuple[float, float], ...]) -> tuple[tuple[float, float], ...]:
    """Join spans that follow each other on the page."""
    merged = [spans[0]]
    for start, end in spans[1:]:
        if start == merged[-1][1]:
            merged[-1] = (merged[-1][0], end)
        else:
            merged.append((start, end))
    return tuple(merged)
