"""One assessment in full, for the tests of everything that shows or stores assessments."""

from __future__ import annotations

import math

from tocco.inference.assessment import (
    Aggregate,
    Assessment,
    Curve,
    Moment,
    Part,
    Rating,
)
from tocco.inference.evidence import (
    AlignmentReport,
    BundleIdentity,
    InputFile,
    Inputs,
    NoteOutcome,
    Synchrony,
)
from tocco.inference.technique import Measure, Place, Technique
from tocco.rubrics import AGGREGATE_WEIGHTS, DESCRIPTORS, DIMENSIONS

NO_SCORE = "no score was given"


def bar_sec(bar: int) -> float:
    return 0.8 + 2.0 * bar


def alignment() -> AlignmentReport:
    match = tuple(
        NoteOutcome(
            expected="C4",
            expected_pitch=60,
            played="C4",
            played_pitch=60,
            bar=str(bar + 1),
            beat=1.0,
            time_sec=bar_sec(bar),
        )
        for bar in range(32)
    )
    wrong = NoteOutcome(
        expected="F#4", expected_pitch=66, played="F4", played_pitch=65, bar="12", beat=3.0, time_sec=24.1
    )
    missing = NoteOutcome(expected="A3", expected_pitch=57, bar="21", beat=2.5, time_sec=42.3)
    extra = NoteOutcome(played="B5", played_pitch=83, bar="21", beat=3.0, time_sec=42.9)
    return AlignmentReport(
        counts={"match": 32, "insertion": 1, "deletion": 1, "substitution": 1},
        match=match,
        insertion=(extra,),
        deletion=(missing,),
        substitution=(wrong,),
        bars=tuple((str(bar + 1), bar_sec(bar)) for bar in range(32)),
        repeats="as written",
    )


def curve(
    duration_sec: float = 66.0, step_sec: float = 1.0, *, dimensions: tuple[str, ...] = DIMENSIONS[1:]
) -> Curve:
    n = round(duration_sec / step_sec)
    time = [step_sec * (i + 0.5) for i in range(n)]
    value = {
        name: tuple(55 + 3 * k + 9 * math.sin(t / (6 + k) + k) + 3 * math.sin(t / 1.7 + 2 * k) for t in time)
        for k, name in enumerate(dimensions)
    }
    width = {name: 9.0 + k for k, name in enumerate(dimensions)}
    return Curve(
        time_sec=tuple(time),
        start_sec=tuple(t - step_sec / 2 for t in time),
        end_sec=tuple(t + step_sec / 2 for t in time),
        value=value,
        low_90={name: tuple(max(v - width[name], 0.0) for v in values) for name, values in value.items()},
        high_90={name: tuple(min(v + width[name], 100.0) for v in values) for name, values in value.items()},
    )


def rating(value: float, half: float, reliability: float) -> Rating:
    return Rating(
        value=value,
        sigma=half / 1.645,
        interval_90=(max(value - half, 0.0), min(value + half, 100.0)),
        reliability=reliability,
        source="model",
    )


def moments(over: Curve, *, with_bars: bool = True) -> tuple[Moment, ...]:
    found = []
    for name, values in over.value.items():
        known = [v for v in values if v is not None]
        for kind, extreme in (("weakest", min(known)), ("strongest", max(known))):
            start = min(max(over.time_sec[values.index(extreme)] - 3.0, 0.0), over.end_sec[-1] - 6.0)
            bars = (str(int(start // 2) + 1), str(int(start // 2) + 3)) if with_bars else None
            found.append(
                Moment(
                    kind=kind,  # pyright: ignore[reportArgumentType]
                    dimension=name,
                    start_sec=start,
                    end_sec=start + 6.0,
                    value=extreme,
                    bars=bars,
                )
            )
    return tuple(found)


def inputs(*, score: bool) -> Inputs:
    return Inputs(
        notes="keys",
        sound="recorded",
        audio=InputFile(name="etude.flac", sha256="a" * 64, origin="given", duration_sec=66.2),
        midi=InputFile(name="etude.mid", sha256="b" * 64, origin="given", duration_sec=65.9),
        score=InputFile(name="etude.musicxml", sha256="c" * 64, origin="given") if score else None,
        synchrony=Synchrony(offset_sec=0.214, drift_ppm=12.5, residual_sec=0.004),
    )


def technique() -> dict[str, Technique]:
    """One dimension with a place, one without, in the order of the rubric."""
    uneven = Place(kind="uneven", text="bar 5, beat 1: one note sticks out", start_sec=8.0, end_sec=8.0)
    level = Measure(value=64.5, unit="velocity", meaning="median level")
    return {
        "dynamics_control": Technique(measures={"level": level}, places=(uneven,), missing={}),
        "pedaling_technique": Technique(measures={}, places=(), missing={"pedaling_technique": "no pedal"}),
    }


def example(*, score: bool = True) -> Assessment:
    """Sixty-six seconds, three mistakes; without a score, note accuracy is missing."""
    ratings = {
        name: rating(52.0 + 3.7 * k, 8.0 + k, 0.6 + 0.02 * k) for k, name in enumerate(DIMENSIONS) if k > 0
    }
    note_accuracy = (
        Rating(value=97.06, interval_90=(94.0, 99.0), sigma=1.5, source="rule")
        if score
        else Rating.missing(NO_SCORE)
    )
    rated = {
        name: 97.06 if name == "note_accuracy" else ratings[name].value or 0.0
        for name in DIMENSIONS
        if name in AGGREGATE_WEIGHTS and (score or name != "note_accuracy")
    }
    weight = sum(AGGREGATE_WEIGHTS[name] for name in rated)
    total = sum(AGGREGATE_WEIGHTS[name] * value for name, value in rated.items()) / weight
    return Assessment(
        rubric="tocco10",
        ratings={"note_accuracy": note_accuracy, **ratings},
        descriptors={name: rating(40.0 + k, 10.0, 0.7) for k, name in enumerate(DESCRIPTORS)},
        aggregate=Aggregate(
            value=total,
            interval_90=(total - 6.0, total + 6.0),
            parts=tuple(
                Part(dimension=name, value=value, weight=AGGREGATE_WEIGHTS[name] / weight)
                for name, value in rated.items()
            ),
            without=() if score else ("note_accuracy",),
            weights=dict(AGGREGATE_WEIGHTS),
        ),
        curve=curve(),
        moments=moments(curve(), with_bars=score),
        technique=technique() if score else {},
        alignment=alignment() if score else None,
        alignment_reason=None if score else NO_SCORE,
        inputs=inputs(score=score),
        bundle=BundleIdentity(name="tocco-compact", version="0.1.0", sha256="d" * 64),
        tocco_version="0.1.0",
    )
