"""The alignment in a teacher's words: which note, in which bar, on which beat, at which second."""

from __future__ import annotations

import numpy as np

from tocco.inference.evidence import AlignmentReport, NoteOutcome, PlayedBars
from tocco.music.alignment import Alignment
from tocco.music.alignment_findings import bar_tempos
from tocco.music.names import key_name, written_name
from tocco.music.performance import Performance
from tocco.music.places import name_span, place_of
from tocco.units import IntArray


def alignment_report(
    alignment: Alignment, performance: Performance, unheard: IntArray | None = None
) -> AlignmentReport:
    """Every note of an alignment as people name it.

    Parameters
    ----------
    alignment
    performance
        The one that was aligned; its clock gives the seconds.
    unheard : (U,) written notes that a transcription lacks without their being missing (`absent_notes`)

    Returns
    -------
    A wrong note stands under `substitution` alone, not under deletion and insertion as well.
    """
    wrong_written, wrong_played = alignment.substitution.reshape(-1, 2).T
    unheard = np.zeros(0, dtype=np.int64) if unheard is None else unheard
    deletion = np.setdiff1d(alignment.deletion, np.union1d(wrong_written, unheard))
    insertion = np.setdiff1d(alignment.insertion, wrong_played)
    lists = {
        "match": tuple(_paired(alignment, performance, pair) for pair in alignment.match),
        "insertion": tuple(_added(alignment, performance, int(note)) for note in insertion),
        "deletion": tuple(_left_out(alignment, int(note)) for note in deletion),
        "substitution": tuple(_paired(alignment, performance, pair) for pair in alignment.substitution),
    }
    return AlignmentReport.model_validate(
        lists
        | {
            "counts": {kind: len(notes) for kind, notes in lists.items()},
            "bars": bar_lines(alignment),
            "repeats": alignment.score.repeats,
            "agreement": alignment.overall_confidence,
            "unheard": tuple(_left_out(alignment, int(note)) for note in unheard),
            "part": played_part(alignment),
            "flags": _flags(alignment),
        }
    )


def played_part(alignment: Alignment) -> PlayedBars | None:
    """The bars that were played, where notes of other bars were not; None where it was the whole score."""
    score = alignment.score
    performed = np.union1d(alignment.match[:, 0], alignment.deletion)
    if len(performed) == 0:
        return None
    first, last = int(score.bar[performed].min()), int(score.bar[performed].max())
    outside = score.bar[alignment.unplayed]
    if not ((outside < first) | (outside > last)).any():
        return None
    return PlayedBars(
        first=score.bar_name[first],
        last=score.bar_name[last],
        where=name_span(score, score.bar_onset_beat[first], score.bar_onset_beat[last]),
        n_bars=len(set(score.bar_name)),
    )


def tempo_by_bar(alignment: Alignment) -> tuple[tuple[str, float, float], ...]:
    """[printed number of the bar, second of its bar line, quarter notes a minute] of bars played through."""
    score = alignment.score
    return tuple(
        (score.bar_name[bar], float(alignment.sec_at(score.bar_onset_beat[bar])), round(bpm, 1))
        for bar, bpm in bar_tempos(alignment)
    )


def _flags(alignment: Alignment) -> tuple[str, ...]:
    if not alignment.differs_much:
        return ()
    return (f"many notes differ from the score: {100 * alignment.overall_confidence:.0f} % agree",)


def _paired(alignment: Alignment, performance: Performance, pair: IntArray) -> NoteOutcome:
    written, played = int(pair[0]), int(pair[1])
    bar, beat = place_of(alignment.score, float(alignment.score.onset_beat[written]))
    expected, struck = int(alignment.score.pitch[written]), int(performance.pitch[played])
    return NoteOutcome(
        expected=written_name(alignment.score, written),
        expected_pitch=expected,
        played=key_name(struck),
        played_pitch=struck,
        bar=bar,
        beat=beat,
        time_sec=float(performance.onset_sec[played]),
    )


def _added(alignment: Alignment, performance: Performance, played: int) -> NoteOutcome:
    bar, beat = place_of(alignment.score, float(alignment.performance_beat[played]))
    struck = int(performance.pitch[played])
    return NoteOutcome(
        played=key_name(struck),
        played_pitch=struck,
        bar=bar,
        beat=beat,
        time_sec=float(performance.onset_sec[played]),
    )


def _left_out(alignment: Alignment, written: int) -> NoteOutcome:
    onset_beat = float(alignment.score.onset_beat[written])
    bar, beat = place_of(alignment.score, onset_beat)
    expected = int(alignment.score.pitch[written])
    return NoteOutcome(
        expected=written_name(alignment.score, written),
        expected_pitch=expected,
        bar=bar,
        beat=beat,
        time_sec=float(alignment.due_sec(np.array([written]))[0]),
    )


def bar_lines(alignment: Alignment) -> list[tuple[str, float]]:
    """Bar lines from the first to the last bar in which a note was matched."""
    if len(alignment.match) == 0:
        return []
    score = alignment.score
    played = score.bar[alignment.match[:, 0]]
    bars = np.arange(int(played.min()), int(played.max()) + 1)
    seconds = alignment.sec_at(score.bar_onset_beat[bars])
    return [(score.bar_name[bar], float(second)) for bar, second in zip(bars, seconds, strict=True)]
