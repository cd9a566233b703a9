"""The tables of the report: passages, notes, places, measures, and where it all comes from."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final

from tocco.inference.assessment import Assessment
from tocco.inference.technique import Measure
from tocco.music.places import place_in_words
from tocco.report.page.roll import MISTAKES
from tocco.report.wording import clock, title

LEAD_SEC: Final = 1.5
"""A place is played from so much before it to so much after it."""


@dataclass(frozen=True)
class Place:
    """Something that can be heard again.

    Attributes
    ----------
    where : bar and beat, or the time
    text
    start_sec, end_sec : what the button plays
    """

    where: str
    text: str
    start_sec: float
    end_sec: float


def around(start_sec: float, end_sec: float) -> tuple[float, float]:
    """What a button plays: a little more on either side."""
    return round(max(start_sec - LEAD_SEC, 0.0), 3), round(end_sec + LEAD_SEC, 3)


def passages(assessment: Assessment) -> list[Place]:
    """Spans that differ from the whole by more than chance."""
    found = []
    for moment in sorted(assessment.moments, key=lambda one: one.start_sec):
        verb = "falls" if moment.kind == "weakest" else "rises"
        text = f"{title(moment.dimension)} {verb} to {moment.value:.1f}"
        found.append(Place(moment.where or clock(moment.start_sec), text, moment.start_sec, moment.end_sec))
    return found


def mistakes(assessment: Assessment) -> list[Place]:
    """Notes that are not as written, in order of time."""
    report = assessment.alignment
    if report is None:
        return []
    found = []
    for kind, field in MISTAKES:
        for note in getattr(report, field):
            keys = f"{note.played} for {note.expected}" if kind == "wrong" else note.expected or note.played
            start, end = around(note.time_sec, note.time_sec)
            found.append(Place(place_in_words(note.bar, note.beat), f"{kind}: {keys}", start, end))
    return sorted(found, key=lambda place: place.start_sec)


def places(assessment: Assessment) -> list[tuple[str, list[Place]]]:
    """The measured places of each dimension, in order of time."""
    shown = []
    for dimension in assessment.dimensions:
        technique = assessment.technique.get(dimension.name)
        if technique is None or not technique.places or dimension.shown_as == "notes":
            continue
        found = [
            Place(where, text[:1].upper() + text[1:], *around(place.start_sec, place.end_sec))
            for place in sorted(technique.places, key=lambda place: place.start_sec)
            for where, _, text in [place.text.partition(": ")]
        ]
        shown.append((title(dimension.name), found))
    return shown


def measures(assessment: Assessment) -> list[dict[str, Any]]:
    """Every measure with its unit and what is usual; what is missing, with the reason."""
    rows = []
    for name, technique in assessment.technique.items():
        rows += [
            {
                "dimension": title(name),
                "meaning": measure.meaning,
                "value": quantity(measure),
                "usual": "" if measure.usual is None else _usual(measure),
                "place": "" if measure.usual is None else _place_of(measure),
            }
            for measure in technique.measures.values()
        ]
        rows += [
            {
                "dimension": title(name),
                "meaning": key.replace("_", " "),
                "value": "–",
                "usual": "",
                "place": why,
            }
            for key, why in technique.missing.items()
        ]
    return rows


def quantity(measure: Measure) -> str:
    """Value and unit: a share in percent, a logarithm of a ratio as the ratio.

    >>> quantity(Measure(value=0.0953, unit="log", meaning="tempo against the written one"))
    '× 1.100'
    """
    return _in_unit(_number(measure.value, measure.unit), measure.unit)


def _usual(measure: Measure) -> str:
    low, high = measure.usual or (0.0, 0.0)
    return _in_unit(f"{_number(low, measure.unit)} to {_number(high, measure.unit)}", measure.unit)


_UNITS: Final = {
    "fraction": "{} %",
    "log": "× {}",
    "ratio": "{}",
    "correlation": "{}",
    "count": "{}",
    "count/min": "{} a minute",
    "s/min": "{} s a minute",
}
"""How a number of a unit is written; of any other unit, the unit stands after it."""


def _number(value: float, unit: str) -> str:
    shown = (
        f"{math.exp(value):.3f}" if unit == "log" else f"{100.0 * value if unit == 'fraction' else value:.3g}"
    )
    return shown.replace("-", "−")


def _in_unit(numbers: str, unit: str) -> str:
    return _UNITS[unit].format(numbers) if unit in _UNITS else f"{numbers} {unit}"


def _place_of(measure: Measure) -> str:
    low, high = measure.usual or (0.0, 0.0)
    return "below" if measure.value < low else "above" if measure.value > high else "usual"


def provenance(assessment: Assessment) -> list[tuple[str, str]]:
    """Files, alignment, model and program."""
    inputs, bundle = assessment.inputs, assessment.bundle
    rows = []
    for kind, file in (("Recording", inputs.audio), ("MIDI", inputs.midi), ("Score", inputs.score)):
        if file is None:
            rows.append((kind, "none"))
            continue
        flags = f"; {', '.join(file.flags)}" if file.flags else ""
        made, sha256 = file.name, file.sha256
        if kind == "MIDI" and inputs.transcriber is not None:
            made = f"transcribed from {made} by {inputs.transcriber}"
            sha256 = str(inputs.transcription_sha256)
        elif file.origin != "given":
            made = f"derived from {made}" if file.origin == "derived" else f"found: {made}"
        rows.append((kind, f"{made}{flags}; SHA-256 {sha256}"))
    if inputs.synchrony is not None:
        sync = inputs.synchrony
        rows.append(
            (
                "Synchrony",
                f"MIDI starts at {sync.offset_sec:.3f} s of the recording, drift {sync.drift_ppm:.0f} ppm, "
                f"median distance {1000.0 * sync.residual_sec:.0f} ms",
            )
        )
    if assessment.alignment is not None:
        report = assessment.alignment
        agreement = "" if report.agreement is None else f", {100.0 * report.agreement:.1f} % agree"
        rows.append(("Alignment", f"repeats {report.repeats}{agreement}"))
    rows.append(("Model", f"{bundle.name} {bundle.version}; SHA-256 {bundle.sha256}"))
    rows.append(("Program", f"tocco {assessment.tocco_version}, schema {assessment.schema_version}"))
    return rows
