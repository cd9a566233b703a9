"""Spot checks: a few segments with audio clip, piano roll, ratings and their causes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from tocco.audio.processing import load_audio
from tocco.audio.rendering import FluidSynthRenderer, write_flac
from tocco.data.pseudo_labelling import LEAST_CONFIDENCE, align
from tocco.data.records import LabelRecord
from tocco.evaluation.png import save_png
from tocco.music.alignment_findings import sort_notes
from tocco.music.midi import segment_midi
from tocco.music.performance import PEDAL_DOWN, Performance
from tocco.pseudo_labels.observed.evidence import Evidence, Span
from tocco.pseudo_labels.pseudo_label import PseudoLabel
from tocco.pseudo_labels.rate import rate_span
from tocco.pseudo_labels.scale.files import Scales
from tocco.units import FloatArray, samples_from_sec

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LEAD_SEC: Final = 4.0
"""Rendered before a clip and cut off again, so that notes still sounding at its start are audible."""

_RIGHT, _WRONG, _EXTRA, _OTHER, _PEDAL = "#1f5a8c", "#c0392b", "#d9822b", "#8a939c", "#cfd6dd"


@dataclass(frozen=True, eq=False)
class SpotCheck:
    """One segment to check.

    Attributes
    ----------
    record
    why : reason for the choice ("lowest note_accuracy")
    labels : dimension -> pseudo-label with components and causes
    """

    record: LabelRecord
    why: str
    labels: dict[str, PseudoLabel]

    @property
    def stem(self) -> str:
        """File name of its clip and piano roll."""
        return self.record.segment_id


def choose_spot_checks(
    records: Sequence[LabelRecord], n: int, generator: np.random.Generator
) -> list[tuple[LabelRecord, str]]:
    """Low, high and middle segments of every dimension, then random ones; each with the reason.

    Low and high are drawn from the outer 5 %, not from the extremes.

    Parameters
    ----------
    records
    n : number of segments; all where there are fewer
    generator
    """
    names = sorted({name for record in records for name in record.labels})
    reasons = [(name, where) for where in ("lowest", "highest", "middle") for name in names]
    taken: dict[str, tuple[LabelRecord, str]] = {}
    for name, where in reasons:
        rated = sorted((r for r in records if name in r.labels), key=lambda r: (r.labels[name], r.segment_id))
        width = max(1, len(rated) // 20)
        start = {"lowest": 0, "highest": len(rated) - width, "middle": (len(rated) - width) // 2}[where]
        drawn = rated[start + int(generator.integers(width))]
        if len(taken) < n:
            taken.setdefault(drawn.segment_id, (drawn, f"{where} {name}"))
    for place in generator.permutation(len(records)):
        if len(taken) >= n:
            break
        taken.setdefault(records[place].segment_id, (records[place], "random"))
    return list(taken.values())


def make_spot_check(
    record: LabelRecord, why: str, scales: Scales, folder: Path, renderer: FluidSynthRenderer
) -> SpotCheck:
    """Rate a segment again with its causes; write its clip and piano roll.

    Parameters
    ----------
    record : with start and end
    why
    scales
    folder : STEM.flac and STEM.png are written there
    renderer : used where the record has no recording
    """
    performance, alignment = align(record)
    span = (record.start_time, record.end_time or performance.duration_sec)
    recording = None if record.audio_path is None else load_audio(record.audio_path)
    evidence = Evidence(performance, alignment, recording)
    labels = rate_span(evidence, span, scale=scales.of(record.origin))
    # Shown are the ratings of the label file, where they are compared with those of other pianists.
    shown = {name: _as_in_the_file(label, record.labels.get(name)) for name, label in labels.items()}
    found = SpotCheck(record, why, shown)
    if recording is None:
        clip = rendered_clip(performance, span, renderer)
    else:
        clip = recording[samples_from_sec(span[0]) : samples_from_sec(span[1])]
    write_flac(folder / f"{found.stem}.flac", clip)
    save_png(roll_figure(evidence, span), folder / f"{found.stem}.png")
    return found


def _as_in_the_file(label: PseudoLabel, rating: float | None) -> PseudoLabel:
    if rating is not None or label.rating is None:
        return replace(label, rating=rating)
    reason = f"its confidence of {label.confidence:.2f} is below {LEAST_CONFIDENCE:g}"
    return replace(label, rating=None, missing={**label.missing, label.dimension: reason})


def rendered_clip(performance: Performance, span_sec: Span, renderer: FluidSynthRenderer) -> FloatArray:
    """(S,) rendered audio of a span, with notes that sound on from before it."""
    start = max(span_sec[0] - LEAD_SEC, 0.0)
    cut = excerpt(performance, start, span_sec[1])
    sound = renderer.render(cut)
    return sound[samples_from_sec(span_sec[0] - start) : samples_from_sec(span_sec[1] - start)]


def excerpt(performance: Performance, start_sec: float, end_sec: float) -> Performance:
    """A part of a performance as if it began there: notes held from before are omitted."""
    cut = segment_midi(performance, np.array([[start_sec, end_sec]]))[0]
    return cut.only(cut.struck_inside)


def roll_figure(evidence: Evidence, span_sec: Span) -> Figure:
    """Piano roll of a span: correct, wrong and added notes, missing ones as outlines, the pedal below."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9.0, 2.6), layout="constrained")
    axes = figure.add_subplot()
    performance = evidence.performance
    inside = np.flatnonzero((performance.offset_sec > span_sec[0]) & (performance.onset_sec < span_sec[1]))
    colour = _colours(evidence)
    axes.barh(
        performance.pitch[inside],
        (performance.offset_sec - performance.onset_sec)[inside],
        left=performance.onset_sec[inside],
        height=0.9,
        color=colour[inside].tolist(),
        alpha=0.35 + 0.65 * performance.velocity[inside].max(initial=1) / 127.0,
        linewidth=0,
    )
    _draw_missing(axes, evidence, span_sec)
    low = int(performance.pitch[inside].min(initial=60)) - 4
    at = np.linspace(span_sec[0], span_sec[1], 1000)
    down = performance.sustain.at(at) >= PEDAL_DOWN
    axes.fill_between(at, low, low + 1.5, where=down.tolist(), color=_PEDAL, linewidth=0, step="mid")
    axes.set(xlim=span_sec, ylim=(low - 0.5, int(performance.pitch[inside].max(initial=60)) + 3))
    axes.tick_params(labelsize=7)
    axes.set_xlabel(
        "seconds; blue correct, red wrong, orange added, outlined missing, pedal below", fontsize=7
    )
    axes.set_ylabel("MIDI pitch", fontsize=7)
    return figure


def _colours(evidence: Evidence) -> np.ndarray:
    """(N,) colour of every note by its result."""
    alignment = evidence.alignment
    colour = np.full(len(evidence.performance), _OTHER, dtype=object)
    if alignment is not None:
        notes = sort_notes(alignment)
        colour[notes.right[:, 1]] = _RIGHT
        colour[notes.wrong[:, 1]] = _WRONG
        colour[notes.extra] = _EXTRA
    return colour


def _draw_missing(axes: Axes, evidence: Evidence, span_sec: Span) -> None:
    alignment = evidence.alignment
    if alignment is None:
        return
    notes = sort_notes(alignment)
    written = np.concatenate([notes.missing, notes.wrong[:, 0]])
    score = alignment.score
    due = alignment.due_sec(written)
    start, end = (
        alignment.sec_at(score.onset_beat[written] + beats)
        for beats in (0.0, np.maximum(score.duration_beat[written], 0.1))
    )
    here = (due >= span_sec[0]) & (due < span_sec[1])
    axes.barh(
        score.pitch[written][here],
        (end - start)[here],
        left=due[here],
        height=0.9,
        facecolor="none",
        edgecolor=_WRONG,
        linewidth=0.8,
    )
