"""Note accuracy: the share of correct notes, by comparison with the score."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from typing import Final

import numpy as np

from tocco.errors import InputError
from tocco.music.alignment import Alignment
from tocco.music.names import key_name, written_name
from tocco.music.places import name_span
from tocco.pseudo_labels.observed.evidence import NO_SCORE, Evidence, Findings, Span
from tocco.pseudo_labels.places import place
from tocco.pseudo_labels.pseudo_label import Cause, ComponentKind, PseudoLabel
from tocco.pseudo_labels.raters.note_errors import NoteErrors, find_note_errors, realises_ornament
from tocco.units import FloatArray, IntArray

NOTE_ACCURACY: Final = "note_accuracy"

COMPONENTS: Final = (
    ComponentKind(
        "weighted_error",
        "fraction",
        "note errors weighted by salience, as a share of all notes",
        "less",
        1.0,
        shape="root",
    ),
    ComponentKind("wrong_share", "fraction", "notes played in place of another", "reported"),
    ComponentKind("missing_share", "fraction", "written notes that were omitted", "reported"),
    ComponentKind("extra_share", "fraction", "notes that were added", "reported"),
    ComponentKind("skipped_share", "fraction", "notes of passages that were skipped", "reported"),
    ComponentKind("restart_rate", "count/min", "restarts after a stop", "reported"),
    ComponentKind(
        "repeated_errors", "count", "errors that recur in another repeat of the same bar", "reported"
    ),
)

_NOTE_KINDS = ("wrong", "missing", "extra")

_LEVEL = 0.9


@dataclass(frozen=True)
class NoteAccuracy:
    """Share of correct notes, with an interval for the player's long-run accuracy.

    Attributes
    ----------
    value : 0..100, percent of note events that are correct; NaN without any event
    interval_90 : (low, high), 0..100
        Where the player's long-run accuracy lies with a probability of 90 %, given so many notes.
    n_match, n_wrong, n_missing, n_extra
        A wrong note is one event: its missing and its extra half are not counted again.
    reason
        Why there is no value; "" where there is one.
    """

    value: float
    interval_90: tuple[float, float]
    n_match: int
    n_wrong: int
    n_missing: int
    n_extra: int
    reason: str = ""

    @property
    def n_events(self) -> int:
        """Note events: correct, wrong, missing and extra."""
        return self.n_match + self.n_wrong + self.n_missing + self.n_extra


def rate_note_accuracy(
    alignment: Alignment,
    span_sec: tuple[float, float] | None = None,
    *,
    unheard: IntArray | None = None,
) -> NoteAccuracy:
    """Percent of note events that are correct: matches among matches, wrong, missing and extra notes.

    An extra note that realises a written ornament is no error and no event. It counts as such where a note of
    the score has a sign for a trill, turn or mordent, the extra note is at most two semitones from it (for a
    tremolo sign: equal to a note of its beat), and it lies between a quarter of a beat before the note and
    the end of the note. Any other added note is an error. An omitted grace note is a missing note like any
    other.

    Parameters
    ----------
    alignment
    span_sec : (start, end) seconds of the performance, or None for all of it
        A note counts where it was played, or where it was due; the end is excluded.
    unheard : (U,) written notes that are absent and were more likely too soft to be heard than omitted
        They are no events (`note_errors.absent_notes`).

    Returns
    -------
    The rating with its 90 % interval.
    """
    _check_performance(alignment)
    single_deletion = np.setdiff1d(alignment.deletion, alignment.substitution[:, 0])
    if unheard is not None:
        single_deletion = np.setdiff1d(single_deletion, unheard)
    single_insertion = np.setdiff1d(alignment.insertion, alignment.substitution[:, 1])
    single_insertion = single_insertion[~realises_ornament(alignment, single_insertion)]
    n_match = _count_played(alignment, alignment.match[:, 1], span_sec)
    n_wrong = _count_played(alignment, alignment.substitution[:, 1], span_sec)
    n_extra = _count_played(alignment, single_insertion, span_sec)
    n_missing = _count_due(alignment, single_deletion, span_sec)
    n_events = n_match + n_wrong + n_missing + n_extra
    if n_events == 0:
        reason = "no note was played or due in this span"
        return NoteAccuracy(math.nan, (0.0, 100.0), 0, 0, 0, 0, reason)
    return NoteAccuracy(
        100.0 * n_match / n_events,
        jeffreys_interval(n_match, n_events),
        n_match,
        n_wrong,
        n_missing,
        n_extra,
    )


def jeffreys_interval(n_right: int, n_events: int, level: float = _LEVEL) -> tuple[float, float]:
    """Jeffreys interval of a proportion, in percent.

    Central interval of a Beta(1/2 + right, 1/2 + wrong) distribution, closed at 0 where nothing was correct
    and at 100 where everything was (Brown, Cai & DasGupta 2001, "Interval Estimation for a Binomial
    Proportion", Statistical Science 16, section 4.3). It assumes independent notes; clustered errors make the
    true interval wider.

    Parameters
    ----------
    n_right, n_events : 0 <= n_right <= n_events, n_events >= 1
    level : 0..1

    Examples
    --------
    >>> [round(bound, 1) for bound in jeffreys_interval(98, 100)]
    [94.6, 99.4]
    """
    from scipy.stats import beta

    tail = (1.0 - level) / 2.0
    shape = (n_right + 0.5, n_events - n_right + 0.5)
    low = 0.0 if n_right == 0 else float(beta.ppf(tail, *shape))
    high = 1.0 if n_right == n_events else float(beta.ppf(1.0 - tail, *shape))
    return 100.0 * low, 100.0 * high


def _check_performance(alignment: Alignment) -> None:
    if len(alignment.performance_pitch) != len(alignment.performance_beat):
        raise InputError(
            "alignment",
            "does not carry the performance that it aligns",
            next_step="make it with align_performance_to_score",
        )


def _count_played(alignment: Alignment, note: IntArray, span_sec: tuple[float, float] | None) -> int:
    """Performed notes that begin within the span."""
    return _count_within(alignment.performance_onset_sec[note], span_sec)


def _count_due(alignment: Alignment, note: IntArray, span_sec: tuple[float, float] | None) -> int:
    """Written notes that were due within the span."""
    return _count_within(alignment.due_sec(note), span_sec)


def _count_within(time_sec: FloatArray, span_sec: tuple[float, float] | None) -> int:
    if span_sec is None:
        return len(time_sec)
    return int(((time_sec >= span_sec[0]) & (time_sec < span_sec[1])).sum())


def measure_note_accuracy(evidence: Evidence, span_sec: Span | None = None) -> PseudoLabel:
    """Measure the note errors of a span relative to its correct notes, unscaled.

    `weighted_error` = sum of the weights of the errors / (that + sum of the weights of the correct notes),
    with the weights of `raters.salience`. An error counts where it was played, or where the note was due;
    a skipped passage where it was skipped, a restart where the new attempt begins.
    """
    findings = Findings(NOTE_ACCURACY, COMPONENTS)
    if evidence.alignment is None:
        findings.without(NO_SCORE)
        return findings.label(evidence, 0)
    errors = evidence.once(find_note_errors)
    right = evidence.covers(errors.right_sec, span_sec)
    wrong = evidence.covers(errors.error_sec, span_sec)
    error, good = float(errors.error_weight[wrong].sum()), float(errors.right_weight[right].sum())
    kinds = Counter(kind for kind, inside in zip(errors.kind, wrong, strict=True) if inside)
    n_events = int(right.sum()) + sum(kinds[kind] for kind in ("wrong", "missing", "extra", "skipped"))
    lasts_sec = evidence.performance.duration_sec if span_sec is None else span_sec[1] - span_sec[0]
    empty = "no note was played or due in this span"
    total = error + good
    findings.measured("weighted_error", error / total if total > 0 else math.nan, empty)
    for kind in ("wrong", "missing", "extra", "skipped"):
        findings.measured(f"{kind}_share", kinds[kind] / n_events if n_events else math.nan, empty)
    findings.measured("restart_rate", 60.0 * kinds["restart"] / lasts_sec, empty)
    findings.measured("repeated_errors", float(errors.repeated[wrong].sum()), empty)
    findings.caused(_causes(evidence.alignment, errors, np.flatnonzero(wrong)))
    return findings.label(evidence, n_events)


def note_slips(evidence: Evidence) -> tuple[Cause, ...]:
    """Every wrong, missing and extra note, in order of time; empty without a score.

    Ornaments that are written, skipped passages and restarts are not among them.
    """
    if evidence.alignment is None:
        return ()
    errors = evidence.once(find_note_errors)
    which = [e for e, kind in enumerate(errors.kind) if kind in _NOTE_KINDS]
    causes = [_note_cause(evidence.alignment, errors, e) for e in which]
    return tuple(sorted(causes, key=lambda cause: cause.start_sec))


def _causes(alignment: Alignment, errors: NoteErrors, which: IntArray) -> list[Cause]:
    """One cause per error; a skipped passage and a restart are one each."""
    single = [_note_cause(alignment, errors, int(e)) for e in which if errors.kind[e] in _NOTE_KINDS]
    by_place: dict[float, list[int]] = {}
    for e in which:
        if errors.kind[e] == "skipped":
            by_place.setdefault(float(errors.error_sec[e]), []).append(int(e))
    for at_sec, members in by_place.items():
        notes = errors.written[members]
        first, last = (float(alignment.score.onset_beat[n]) for n in (notes[0], notes[-1]))
        bars = name_span(alignment.score, first, last)
        weight = float(errors.error_weight[members].sum())
        text = f"{bars}: {len(notes)} notes were skipped"
        single.append(Cause(at_sec, at_sec, "skipped", text, (), tuple(map(int, notes)), weight))
    for e in which:
        if errors.kind[e] == "restart":
            retry = next(r for r in alignment.retries if r.first_note == errors.played[e])
            where = place(alignment, retry.start_beat, retry.start_sec)
            played = tuple(range(retry.first_note, retry.last_note + 1))
            weight = float(errors.error_weight[e])
            text = f"{where}: stopped and restarted"
            single.append(Cause(retry.start_sec, retry.end_sec, "restart", text, played, (), weight))
    return single


def _note_cause(alignment: Alignment, errors: NoteErrors, e: int) -> Cause:
    written, played, kind = int(errors.written[e]), int(errors.played[e]), errors.kind[e]
    at_sec = float(errors.error_sec[e])
    beat = alignment.score.onset_beat[written] if written >= 0 else alignment.performance_beat[played]
    due = written_name(alignment.score, written) if written >= 0 else ""
    struck = key_name(int(alignment.performance_pitch[played])) if played >= 0 else ""
    description = {
        "wrong": f"{struck} instead of {due}",
        "missing": f"{due} is missing or too soft to be detected"
        if errors.doubtful[e]
        else f"{due} is missing",
        "extra": f"{struck} is added",
    }
    again = ", as in another repeat" if errors.repeated[e] else ""
    return Cause(
        at_sec,
        at_sec,
        kind,
        f"{place(alignment, float(beat), at_sec)}: {description[kind]}{again}",
        (played,) if played >= 0 else (),
        (written,) if written >= 0 else (),
        float(errors.error_weight[e]),
    )
