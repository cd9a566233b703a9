"""Milliseconds of the statistics: `python benchmarks/statistics_speed.py LABELS.jsonl`.

Every excerpt of the label file is read, aligned with its score and measured, each step timed by itself in
this one process; then a long performance is made of copies of one excerpt and measured with and without its
score. The bounds that it is held to: 20 ms for an excerpt of 12 s, 1 s for 5,000 notes. Processor time is
counted, so that other work on the machine does not enter.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import numpy as np

from tocco.data.records import LabelRecord, read_labels
from tocco.errors import MismatchError
from tocco.music.alignment import Alignment, align_performance_to_score
from tocco.music.midi import load_midi
from tocco.music.performance import PedalCurve, Performance
from tocco.music.score import Score, score_readings
from tocco.music.statistics import performance_statistics

STEPS = ("read", "align", "statistics", "statistics, no score")
GAP_SEC, GAP_BEATS = 1.0, 4.0
MS = 1000.0

_Found = TypeVar("_Found")


def timed(work: Callable[[], _Found]) -> tuple[_Found, float]:
    """What the work gives, and the processor's milliseconds that it took."""
    start = time.process_time()
    found = work()
    return found, MS * (time.process_time() - start)


def measure(record: LabelRecord) -> tuple[int, list[float]]:
    """Notes of an excerpt, and the milliseconds of each of `STEPS`."""
    midi, page = str(record.midi_path), str(record.score_path)
    (performance, readings), read_ms = timed(lambda: (load_midi(midi), score_readings(page)))
    alignment, align_ms = timed(lambda: aligned(performance, readings))
    _, with_score_ms = timed(lambda: performance_statistics(performance, alignment))
    _, without_ms = timed(lambda: performance_statistics(performance))
    return len(performance), [read_ms, align_ms, with_score_ms, without_ms]


def aligned(performance: Performance, readings: tuple[Score, ...]) -> Alignment | None:
    """The alignment, or None where the score is that of other music."""
    try:
        return align_performance_to_score(performance, readings)
    except MismatchError:
        return None


def lengthened(performance: Performance, n_notes: int) -> tuple[Performance, int]:
    """The performance again and again until it has so many notes, and how often it was played."""
    times = -(-n_notes // len(performance))
    period_sec = performance.duration_sec + GAP_SEC
    shifts_sec = period_sec * np.arange(times)

    def row(values: np.ndarray, *, moves: bool) -> np.ndarray:
        return np.concatenate([values + (shift if moves else 0) for shift in shifts_sec])

    def pedal(curve: PedalCurve) -> PedalCurve:
        return PedalCurve(row(curve.time_sec, moves=True), row(curve.value, moves=False))

    played = replace(
        performance,
        onset_sec=row(performance.onset_sec, moves=True),
        offset_sec=row(performance.offset_sec, moves=True),
        pitch=row(performance.pitch, moves=False),
        velocity=row(performance.velocity, moves=False),
        sustain=pedal(performance.sustain),
        sostenuto=pedal(performance.sostenuto),
        soft=pedal(performance.soft),
        duration_sec=float(shifts_sec[-1] + performance.duration_sec),
    )
    return played, times


def written_out(score: Score, times: int) -> Score:
    """The score as often in a row, some beats apart."""
    period_beat = float(score.bar_onset_beat[-1] + score.bar_beats[-1] + GAP_BEATS)
    shifts_beat = period_beat * np.arange(times)

    def moved(beats: np.ndarray) -> np.ndarray:
        return np.concatenate([beats + shift for shift in shifts_beat])

    return replace(
        score,
        note_id=tuple(f"{name}-{n}" for n in range(times) for name in score.note_id),
        onset_beat=moved(score.onset_beat),
        bar_onset_beat=moved(score.bar_onset_beat),
        bar=np.concatenate([score.bar + n * len(score.bar_name) for n in range(times)]),
        bar_name=tuple(str(n + 1) for n in range(times * len(score.bar_name))),
        articulation=score.articulation * times,
        marks=(),
        **{
            name: np.tile(getattr(score, name), times)
            for name in ("duration_beat", "pitch", "voice", "staff", "is_grace", "velocity", "bar_beats")
        },
    )


def main() -> None:
    """Measure the pack and the long performance, and print both."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("labels", type=Path)
    parser.add_argument("--notes", type=int, default=5000, help="of the long performance")
    parser.add_argument("--every", type=int, default=1, help="measure every so many-th excerpt")
    arguments = parser.parse_args()
    records = [r for r in read_labels(arguments.labels) if r.midi_path and r.score_path][:: arguments.every]
    measure(records[0])  # libraries are loaded by the first call
    rows = [measure(record) for record in records]
    n_notes, ms = np.array([n for n, _ in rows]), np.array([row for _, row in rows])
    print(f"{len(rows)} excerpts, {np.median(n_notes):.0f} notes in the median one")
    print(f"{'':22} {'median ms':>10} {'95 % ms':>10} {'median ms/note':>15} {'95 % ms/note':>13}")
    for step, column in zip(STEPS, ms.T, strict=True):
        of_excerpt = np.percentile(column, [50, 95])
        of_note = np.percentile(column / n_notes, [50, 95])
        print(f"{step:22} {of_excerpt[0]:10.1f} {of_excerpt[1]:10.1f} {of_note[0]:15.3f} {of_note[1]:13.3f}")

    longest = records[int(np.argmax(n_notes))]
    played, times = lengthened(load_midi(str(longest.midi_path)), arguments.notes)
    score = written_out(score_readings(str(longest.score_path))[0], times)
    alignment, align_ms = timed(lambda: align_performance_to_score(played, score))
    _, with_score_ms = timed(lambda: performance_statistics(played, alignment))
    _, without_ms = timed(lambda: performance_statistics(played))
    print(
        f"{len(played)} notes ({longest.segment_id}, {times} times): align {align_ms / MS:.2f} s, "
        f"statistics {with_score_ms / MS:.2f} s, without score {without_ms / MS:.2f} s"
    )


if __name__ == "__main__":
    main()
