"""Scores that are played by rule, with slips, and what the assessment says of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

import numpy as np

from assessment_example import example
from tocco.inference.assessment import Assessment
from tocco.inference.bundle import example_path
from tocco.inference.evidence import AlignmentReport
from tocco.inference.note_report import alignment_report
from tocco.music.alignment import align_performance_to_score
from tocco.music.midi import load_midi
from tocco.music.numbered_score import NumberedScore, read_numbered_score
from tocco.music.performance import PedalCurve, Performance
from tocco.music.score import Score
from tocco.report.engraving.engraving import Engraving, engrave_assessed
from tocco.report.engraving.outcomes import Outcomes, outcomes_of
from tocco.report.played_reading import played_reading

BEAT_SEC = 0.5

Slips = Mapping[int, int | None]
"""Index of a note of the reading -> the key that is struck in its place, None for none."""


def played(score: Score, slips: Slips | None = None, extra: Sequence[tuple[float, int]] = ()) -> Performance:
    """A reading as written at two beats a second, but for slips and for extra notes (beat, key)."""
    struck = [(slips or {}).get(k, int(score.pitch[k])) for k in range(len(score))]
    lead = 0.1 * np.array(score.grace_lead)
    rows = [
        (BEAT_SEC * (beat - early), pitch)
        for beat, early, pitch in zip(score.onset_beat.tolist(), lead.tolist(), struck, strict=True)
        if pitch is not None
    ]
    rows = sorted([*rows, *((BEAT_SEC * beat, pitch) for beat, pitch in extra)])
    onset = 1.0 + np.array([sec for sec, _ in rows])
    return Performance(
        onset_sec=onset,
        offset_sec=onset + 0.4,
        pitch=np.array([pitch for _, pitch in rows]),
        velocity=np.full(len(rows), 64),
        sustain=PedalCurve(),
        sostenuto=PedalCurve(),
        soft=PedalCurve(),
        duration_sec=float(onset[-1]) + 1.0,
    )


def outcomes(numbered: NumberedScore, performance: Performance) -> tuple[Outcomes, AlignmentReport]:
    """What was played, on the printed page."""
    report = alignment_report(align_performance_to_score(performance, numbered.readings), performance)
    reading = played_reading(numbered.readings, report)
    assert reading is not None
    return outcomes_of(numbered, reading, report), report


def assessed_with(report: AlignmentReport, **changes: object) -> Assessment:
    """The assessment of the example, with another alignment and without findings and places."""
    made = example().model_dump() | {"alignment": report.model_dump(), "technique": {}, "findings": ()}
    return Assessment.model_validate(made | changes)


@cache
def minuet() -> NumberedScore:
    return read_numbered_score(example_path() / "minuet.musicxml")


@cache
def minuet_report() -> AlignmentReport:
    """The bundled performance, against its score."""
    performance = load_midi(example_path() / "minuet.mid")
    return alignment_report(align_performance_to_score(performance, minuet().readings), performance)


def engraved(numbered: NumberedScore, assessment: Assessment) -> Engraving:
    found = engrave_assessed(numbered, assessment)
    assert isinstance(found, Engraving), found
    return found


def written_score(folder: Path, text: str) -> NumberedScore:
    """A score from the text of its MusicXML."""
    path = folder / "page.musicxml"
    path.write_text(text, encoding="utf-8")
    return read_numbered_score(path)
