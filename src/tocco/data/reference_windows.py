"""Unlabelled excerpts of competent performances: what the measures of good playing range over.

Windows of a few bars are drawn from beat-annotated performances and cut from performance and score alike, so
that they resemble the rated excerpts that predictors learn from. The same bars are drawn from every
performance of a piece.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np

from tocco.cache import Arrays, cached_arrays, content_key
from tocco.data.corpora.annotations import Beats, read_annotation
from tocco.data.records import LabelRecord
from tocco.engines import LocalEngine, Progress
from tocco.errors import InputError, MismatchError
from tocco.files import sha256_of
from tocco.music.alignment import Alignment, align_performance_to_score
from tocco.music.excerpt import performance_excerpt, score_excerpt
from tocco.music.measures import MEASURES, performance_measures
from tocco.music.midi import load_midi
from tocco.music.performance import Performance
from tocco.music.score import Score, load_score
from tocco.music.score_midi import beat_from_score_sec

BAR_COUNTS: Final = (4, 8, 8, 8, 16)
"""Lengths that are drawn from; those of PercePiano's excerpts are 4, 8 and 16 bars, mostly 8."""
FEWEST_BARS: Final = 2
DURATION_RANGE_SEC: Final = (4.0, 95.0)
NOTE_RANGE: Final = (40, 600)
MIN_WRITTEN_NOTES: Final = 20
_BEFORE_BEAT_SEC: Final = 0.06
"""A chord may start before its annotated beat."""
_TRIES_PER_WINDOW: Final = 6


@dataclass(frozen=True)
class WindowPlan:
    """How windows are drawn.

    Attributes
    ----------
    per_performance : at most
    seed
    """

    per_performance: int = 12
    seed: int = 0


@dataclass(frozen=True, eq=False)
class BarLines:
    """Bar lines of a performance beside those of its score.

    Attributes
    ----------
    sec : (M,) seconds of the performance, ascending
    beat : (M,) beats of the score
    """

    sec: np.ndarray
    beat: np.ndarray


@dataclass(frozen=True, eq=False)
class ReferenceWindows:
    """Measured windows of many performances.

    Attributes
    ----------
    measures : (W, M) in the order of `MEASURES`; NaN where missing
    piece : (W,) piece_id
    used : (W,) segment_id
    refusals : why performances were left out whose files cannot be used
    """

    measures: np.ndarray
    piece: np.ndarray
    used: np.ndarray
    refusals: tuple[str, ...] = ()


def read_windows(
    records: Sequence[LabelRecord],
    plan: WindowPlan,
    cache_dir: Path,
    *,
    jobs: int = 1,
    progress: Progress | None = None,
) -> ReferenceWindows:
    """Windows of every performance; those that an earlier, even an interrupted run measured are read.

    Raises
    ------
    InputError
        A record lacks a file, or no performance has a window.
    """
    cache_dir.mkdir(parents=True, exist_ok=True)
    measure = functools.partial(_measured, plan=plan, cache_dir=cache_dir)
    found = list(LocalEngine(jobs).map(measure, records, progress))
    n_windows = [len(one.measures) for one in found]
    if not sum(n_windows):
        raise InputError(
            "the reference",
            "has no performance whose beats correspond to those of its score",
            next_step="list beat-annotated performances, as `tocco data asap` imports them",
        )
    return ReferenceWindows(
        np.concatenate([one.measures for one in found]),
        np.repeat([record.piece_id for record in records], n_windows),
        np.repeat([record.segment_id for record in records], n_windows),
        tuple(one.refusal for one in found if one.refusal),
    )


class _Measured(NamedTuple):
    measures: np.ndarray
    refusal: str = ""


def _measured(record: LabelRecord, plan: WindowPlan, cache_dir: Path) -> _Measured:
    files = [_file(record, name) for name in _FILES]
    settings = (record.piece_id, plan.per_performance, plan.seed)
    key = content_key(measure_windows.__module__, *settings, *map(sha256_of, files))
    path = cache_dir / f"{record.segment_id}-{key}.safetensors"
    try:
        found = cached_arrays(path, functools.partial(measure_windows, record, plan))
    except InputError as error:
        return _Measured(np.zeros((0, len(MEASURES))), str(error))
    return _Measured(found.array("measures"))


def measure_windows(record: LabelRecord, plan: WindowPlan) -> Arrays:
    """Draw the windows of one performance and measure them.

    Returns
    -------
    "measures" (W, M) in the order of `MEASURES`, and "bars" (W, 2) first bar and number of bars
        Without rows for a performance whose beats do not correspond to those of its score.

    Raises
    ------
    InputError
        The record lacks its MIDI, its score MIDI or its annotation, or a file cannot be used.
    """
    measured: list[np.ndarray] = []
    bars: list[tuple[int, int]] = []
    for first, count, performance, alignment in _windows(record, plan):
        measured.append(performance_measures(performance, alignment))
        bars.append((first, count))
    return {
        "measures": np.array(measured).reshape(-1, len(MEASURES)),
        "bars": np.array(bars, dtype=np.int64).reshape(-1, 2),
    }


def _windows(record: LabelRecord, plan: WindowPlan) -> Iterator[tuple[int, int, Performance, Alignment]]:
    performance = load_midi(_file(record, "midi_path"))
    score = load_score(_file(record, "score_path"))
    lines = bar_lines(record)
    if lines is None:
        return
    found = 0
    for first, count in _draws(record.piece_id, len(lines.sec), plan):
        window = cut_window(performance, score, lines, first, count)
        if window is not None:
            yield first, count, *window
            found += 1
        if found == plan.per_performance:
            return


def bar_lines(record: LabelRecord) -> BarLines | None:
    """Bar lines by the annotation; None where performance and score do not have the same beats.

    Raises
    ------
    InputError
        The record lacks a file, or one cannot be used.
    """
    annotation_path, score_path = _file(record, "annotation_path"), _file(record, "score_path")
    annotation = read_annotation(annotation_path)
    played, written = annotation.beats, annotation.score_beats
    if played is None or written is None or not _correspond(played, written):
        return None
    content = score_path.read_bytes()
    if not content.startswith(b"MThd"):
        raise InputError(
            score_path,
            "is no MIDI file",
            allowed="the score MIDI in whose seconds the beats are annotated",
            next_step="import the corpus again",
        )
    beat = beat_from_score_sec(content, str(score_path), np.array(written.downbeat_sec))
    return BarLines(np.array(played.downbeat_sec), beat)


_FILES: Final = ("midi_path", "score_path", "annotation_path")


def _file(record: LabelRecord, name: str) -> Path:
    path: Path | None = getattr(record, name)
    if path is None:
        raise InputError(
            record.segment_id,
            f"has no {name}",
            next_step="list performances with MIDI, score MIDI and beat annotation",
        )
    return path


def _correspond(played: Beats, written: Beats) -> bool:
    return (len(played.beat_sec), len(played.downbeat_sec)) == (
        len(written.beat_sec),
        len(written.downbeat_sec),
    )


def _draws(piece_id: str, n_lines: int, plan: WindowPlan) -> Iterator[tuple[int, int]]:
    """First bar and number of bars of each try; the same for every performance of a piece."""
    digest = hashlib.sha256(piece_id.encode()).digest()[:8]
    generator = np.random.default_rng([plan.seed, *digest])
    for _ in range(plan.per_performance * _TRIES_PER_WINDOW):
        count = min(int(generator.choice(BAR_COUNTS)), n_lines - 1)
        if count < FEWEST_BARS:
            return
        yield int(generator.integers(0, n_lines - count)), count


def cut_window(
    performance: Performance, score: Score, lines: BarLines, first: int, count: int
) -> tuple[Performance, Alignment] | None:
    """Some bars of a performance, aligned with the same bars of the score; None where they are unsuitable.

    Parameters
    ----------
    first, count : bars, by index into the bar lines
    """
    start, end = lines.sec[[first, first + count]] - _BEFORE_BEAT_SEC
    shortest, longest = DURATION_RANGE_SEC
    if not shortest <= end - start <= longest:
        return None
    part, _ = performance_excerpt(performance, None, float(start), float(end))
    page = score_excerpt(score, float(lines.beat[first]), float(lines.beat[first + count]))
    fewest, most = NOTE_RANGE
    if not fewest <= len(part) <= most or len(page) < MIN_WRITTEN_NOTES:
        return None
    try:
        return part, align_performance_to_score(part, page)
    except MismatchError:
        return None
