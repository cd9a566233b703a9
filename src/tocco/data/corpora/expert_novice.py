"""Import of Expert-Novice: easy pieces played at every level, graded 1 to 5 by teachers and others.

Y. Jiang, "Expert and novice evaluations of piano performances", ISMIR 2023. The source is a folder, or
an archive of it, with `takes.csv` and the MIDI and scores that it names. Columns of the table:

    id, midi, score, piece, player   of each take; paths are relative to the folder
    instructor1, instructor2, ...    grades of the teachers, 1 to 5, empty where not graded
    raters_mean, raters_n            mean grade of the other raters, and their number; optional
    level                            what the player says of their level; optional, stays in the copied table
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from tocco.data.corpora.corpus import (
    CorpusCard,
    ImportReport,
    ReadFiles,
    Skipped,
    Take,
    check_score,
    check_target,
    inside,
    read_table,
    reason_of,
    valid_performance,
    write_corpus,
)
from tocco.data.corpora.opening import opened_source
from tocco.data.corpora.registry import OnProgress
from tocco.data.records import LabelRecord, write_labels
from tocco.errors import InputError, ToccoError
from tocco.rubrics import TOCCO10

SOURCE: Final = "Expert-Novice"
TAKES: Final = "takes.csv"
RATINGS: Final = "ratings.jsonl"
OTHERS: Final = "other_raters.jsonl"

LOWEST_GRADE: Final = 1.0
HIGHEST_GRADE: Final = 5.0

GRADED: Final = TOCCO10["overall_quality"].name
"""The dimension that a grade of the whole performance is a label of."""

_NEEDED: Final = ("id", "midi", "score", "piece", "player")
_TEACHER: Final = "instructor"


def points_of_grade(grade: float) -> float:
    """A grade of 1 to 5 on 0 to 100.

    >>> points_of_grade(1.0), points_of_grade(4.0)
    (0.0, 75.0)
    """
    return 100.0 * (grade - LOWEST_GRADE) / (HIGHEST_GRADE - LOWEST_GRADE)


def import_expert_novice(
    source: Path, target: Path, *, check_scores: bool = False, on_progress: OnProgress | None = None
) -> ImportReport:
    """Import Expert-Novice.

    Writes `performances.jsonl` with the mean of the teachers as `overall_quality`, `ratings.jsonl` with each
    teacher's grade, `other_raters.jsonl` with the mean of the other raters where the table has it, copies of
    MIDI, scores and table, and `CORPUS.md`.

    Parameters
    ----------
    source : folder with `takes.csv`, or a tar archive of it
    target
        Output folder; not inside the source.
    check_scores
        Parse every score; otherwise only its first lines are checked.
    on_progress
        Called after each take.

    Raises
    ------
    InputError
        The table is missing, names a file that is missing, or has a grade that is none; or no take is left.
    OutputError
        The target cannot be written.
    """
    check_target(target, source)
    with opened_source(source, TAKES) as root:
        read = ReadFiles(root)
        table = read_table(read.add(root / TAKES), _NEEDED)
        columns = tuple(table[0][1]) if table else ()
        teachers = tuple(name for name in columns if name.startswith(_TEACHER))
        if not teachers:
            raise InputError(
                root / TAKES, f"has no column {_TEACHER}1", allowed=f"{_TEACHER}1, {_TEACHER}2, ..."
            )
        takes: list[Take] = []
        graded: dict[str, Mapping[str, str]] = {}
        skipped: list[Skipped] = []
        for done, (line, row) in enumerate(table, start=1):
            subject = f"{root / TAKES}, line {line}"
            try:
                takes.append(_take(row, teachers, read, target.absolute(), subject, parse=check_scores))
                graded[row["id"]] = row
            except _UnusableTakeError as reason:
                skipped.append(Skipped(row["id"], str(reason)))
            if on_progress is not None:
                on_progress(done, len(table))
        others = _other_raters(takes, graded, root / TAKES)
        report = write_corpus(
            takes,
            _card(read, bool(others)),
            skipped,
            source,
            target,
            documents={target / TAKES: root / TAKES},
        )
        write_labels(_by_teacher(takes, graded, teachers, root / TAKES), target / RATINGS)
        if others:
            write_labels(others, target / OTHERS)
    return report


class _UnusableTakeError(Exception):
    """A take whose files cannot be used; the import goes on without it."""


def _take(
    row: Mapping[str, str],
    teachers: Sequence[str],
    read: ReadFiles,
    target: Path,
    subject: str,
    *,
    parse: bool,
) -> Take:
    midi, score = (read.add(inside(read.root, row[kind], subject)) for kind in ("midi", "score"))
    grades = [grade for name in teachers if (grade := _grade(row, name, subject)) is not None]
    if not grades:
        raise _UnusableTakeError("has no teacher's grade")
    try:
        performance = valid_performance(midi)
        check_score(score, parse=parse)
    except ToccoError as error:
        raise _UnusableTakeError(reason_of(error, read.root)) from error
    points = [points_of_grade(grade) for grade in grades]
    midi_path = target / "midi" / f"{row['id']}{midi.suffix.lower()}"
    score_path = target / "score" / score.name
    record = LabelRecord(
        segment_id=row["id"],
        piece_id=row["piece"],
        performer_id=row["player"] or None,
        source=SOURCE,
        midi_path=midi_path,
        score_path=score_path,
        origin="transcribed",
        labels={GRADED: round(statistics.fmean(points), 4)},
        label_sd={GRADED: round(statistics.stdev(points), 4)} if len(points) > 1 else {},
        n_raters=len(points),
        work_id=row["piece"],
        passage_id=row["piece"],
        cluster_id=row["piece"],
    )
    return Take(record, {midi_path: midi, score_path: score}, performance.duration_sec)


def _grade(row: Mapping[str, str], column: str, subject: str) -> float | None:
    """A grade of 1 to 5; None where the cell is empty."""
    text = row[column].strip()
    if not text:
        return None
    try:
        grade = float(text)
    except ValueError:
        grade = float("nan")
    if not LOWEST_GRADE <= grade <= HIGHEST_GRADE:
        raise InputError(
            subject,
            f"{column} of {row['id']!r} is {text!r}",
            allowed=f"{LOWEST_GRADE:g} to {HIGHEST_GRADE:g}, or empty",
            next_step="correct this line",
        )
    return grade


def _by_teacher(
    takes: Sequence[Take], graded: Mapping[str, Mapping[str, str]], teachers: Sequence[str], table: Path
) -> list[LabelRecord]:
    """One record for each grade, with an id of its own."""
    return [
        _relabelled(
            take.record, grade, 1, source=f"{SOURCE} {name}", segment_id=f"{take.record.segment_id}__{name}"
        )
        for take in takes
        for name in teachers
        if (grade := _grade(graded[take.record.segment_id], name, str(table))) is not None
    ]


def _other_raters(
    takes: Sequence[Take], graded: Mapping[str, Mapping[str, str]], table: Path
) -> list[LabelRecord]:
    """The means of the raters who are no teachers, where the table has them."""
    found: list[LabelRecord] = []
    for take in takes:
        row = graded[take.record.segment_id]
        if not {"raters_mean", "raters_n"} <= set(row):
            continue
        grade = _grade(row, "raters_mean", str(table))
        if grade is None:
            continue
        text = row["raters_n"].strip()
        if not text.isdecimal() or int(text) < 1:
            raise InputError(table, f"raters_n of {row['id']!r} is {text!r}", allowed="1 or more")
        found.append(_relabelled(take.record, grade, int(text), source=f"{SOURCE} other raters"))
    return found


def _relabelled(record: LabelRecord, grade: float, n_raters: int, **changed: str) -> LabelRecord:
    fields = {name: getattr(record, name) for name in LabelRecord.model_fields} | changed
    labels = {GRADED: round(points_of_grade(grade), 4)}
    return LabelRecord.model_validate(fields | {"labels": labels, "label_sd": {}, "n_raters": n_raters})


def _card(read: ReadFiles, has_others: bool) -> CorpusCard:
    others = f"`{OTHERS}`: mean of the raters who are no teachers. " if has_others else ""
    return CorpusCard(
        name=SOURCE,
        version="the state of which the checksum is below",
        licence="CC BY-NC-SA: for research; do not fit weights that ship on it",
        citation='Y. Jiang, "Expert and novice evaluations of piano performances", ISMIR 2023.',
        url="not stated in the source",
        checksum=read.checksum,
        notes=(
            f"`labels`: the mean of the teachers' grades as {GRADED}, 1 to 5 on 0 to 100; `label_sd` is the "
            "sample standard deviation between teachers.",
            f"`{RATINGS}`: each teacher's grade (id `<take>__instructor<number>`). {others}"
            f"`{TAKES}`: the table as it was.",
            "The MIDI was transcribed from recordings (`origin`): pedal and touch are what could be heard.",
            "Takes of one piece are one cluster: with new music, a whole piece is held out.",
        ),
    )
