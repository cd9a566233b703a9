"""The whole document: everything that the template shows, and the file that is written."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from markupsafe import Markup

from tocco.audio.opus import OPUS_SUFFIX, OPUS_TYPE
from tocco.errors import InputError
from tocco.files import write_bytes
from tocco.inference.assessment import Assessment
from tocco.inference.finding import Finding
from tocco.inference.technique import Measure
from tocco.inference.whole_findings import THROUGHOUT
from tocco.music.places import place_in_words
from tocco.report.page.heat import heat_map
from tocco.report.page.material import PEAK_SEC, Material, Notes
from tocco.report.page.ratings import rating_bar, rating_rows
from tocco.report.page.roll import MISTAKES
from tocco.report.page.summary import heard_file, summary
from tocco.report.page.svg import element, picture
from tocco.report.page.timeline import dimension_choices, first_curve, lanes, time_axis, waveform
from tocco.report.wording import aggregate_parts, clock, remarks, title

LEAD_SEC: Final = 1.5
"""A place is played from so much before it to so much after it."""

EXAMPLE_SEC: Final = 10.0
"""So much is played of a finding about the whole."""

MOST_LISTED: Final = 200
"""Rows of the table of mistakes; all of them are in the JSON."""

_OVERVIEW_STROKES: Final = 900

_MADE_BY: Final = '<meta name="generator" content="tocco">'
_HEAD_BYTES: Final = 2000


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


def render(assessment: Assessment, material: Material, *, sound_file: str | None = None) -> str:
    """The document as text.

    Parameters
    ----------
    assessment
    material : what is shown beside it
    sound_file : name of the sound beside the document; None puts it inside
    """
    style, script = _asset("page.css"), _asset("page.js")
    return _template().render(
        style=Markup(style),
        script=Markup(script),
        policy=_policy(style, script, beside=sound_file is not None),
        sound=_sound_source(material, sound_file),
        sound_type=OPUS_TYPE,
        data=_data(assessment, material),
        **_context(assessment, material),
    )


def write_page(assessment: Assessment, material: Material, path: Path, *, sound_beside: bool = False) -> None:
    """Write the document, and with `sound_beside` the sound beside it, each whole or not at all.

    Raises
    ------
    OutputError
        A file cannot be written.
    """
    beside = path.with_suffix(OPUS_SUFFIX) if sound_beside and material.sound is not None else None
    if beside is not None and material.sound is not None:
        write_bytes(beside, material.sound.opus)
    content = render(assessment, material, sound_file=None if beside is None else beside.name)
    write_bytes(path, content.encode())


def is_page(path: Path) -> bool:
    """Whether a file is a report that this module wrote.

    Raises
    ------
    InputError
        It cannot be read.
    """
    try:
        with path.open("rb") as stream:
            return _MADE_BY.encode() in stream.read(_HEAD_BYTES)
    except OSError as error:
        raise InputError(path, f"cannot be read ({error.strerror})", next_step="check the path") from error


def _context(assessment: Assessment, material: Material) -> dict[str, Any]:
    axis = time_axis(end_sec(assessment, material))
    has_curve = any(v is not None for values in assessment.curve.value.values() for v in values)
    return {
        "made_by": Markup(_MADE_BY),
        "name": heard_file(assessment).name,
        "summary": summary(assessment),
        "remarks": remarks(assessment),
        "findings": [_finding(one, assessment) for one in assessment.findings or ()],
        "findings_known": assessment.findings is not None,
        "ratings": rating_rows(assessment),
        "aggregate": assessment.aggregate,
        "aggregate_bar": rating_bar("aggregate", assessment.aggregate),
        "aggregate_parts": aggregate_parts(assessment.aggregate),
        "axis": axis,
        "overview": _overview(assessment, material, axis.duration_sec),
        "lanes": lanes(assessment, material, axis),
        "choices": dimension_choices(assessment) if has_curve else [],
        "chosen": first_curve(assessment) if has_curve else "",
        "passages": _passages(assessment),
        "mistakes": _mistakes(assessment)[:MOST_LISTED],
        "n_mistakes": len(_mistakes(assessment)),
        "heat": heat_map(assessment),
        "places": _places(assessment),
        "measures": _measures(assessment),
        "tempo": [(bar, clock(sec), f"{bpm:.0f}") for bar, sec, bpm in assessment.tempo],
        "provenance": _provenance(assessment),
        "can_play": material.sound is not None or material.notes is not None,
        "has_sound": material.sound is not None,
        "duration": clock(axis.duration_sec),
    }


def end_sec(assessment: Assessment, material: Material) -> float:
    """End of the time axis: of the recording, of the curve, and of the last note."""
    ends = [
        file.duration_sec for file in (assessment.inputs.audio, assessment.inputs.midi) if file.duration_sec
    ]
    ends = [*ends[:1], *assessment.curve.end_sec, 1.0]
    if material.notes is not None and len(material.notes.offset_sec):
        ends.append(float(material.notes.offset_sec.max()))
    if material.sound is not None:
        ends.append(len(material.sound.peak) * PEAK_SEC)
    return max(ends)


def _finding(finding: Finding, assessment: Assessment) -> dict[str, Any]:
    example = _example(finding, assessment)
    start, end = _around(*example)
    measure, reference = (_quantity(one) for one in (finding.measure, finding.reference))
    return {
        "id": finding.id,
        "heading": title(finding.dimension),
        "sentence": finding.sentence,
        "usual": finding.usual,
        "start_sec": start,
        "end_sec": end,
        "at": "throughout" if finding.kind == THROUGHOUT else clock(finding.start_sec),
        "play": "Play an example" if finding.kind == THROUGHOUT else "Play these seconds",
        "confidence": _confidence(finding.confidence),
        "measure": f"{finding.measure.meaning}: {measure}",
        "reference": f"{finding.reference.meaning}: {reference}",
        "as_written": finding.dimension == "note_accuracy" and finding.kind != THROUGHOUT,
    }


def _example(finding: Finding, assessment: Assessment) -> tuple[float, float]:
    """What is played: of a finding about the whole its gravest place, or its beginning."""
    if finding.kind != THROUGHOUT:
        return finding.start_sec, finding.end_sec
    technique = assessment.technique.get(finding.dimension)
    if technique is not None and technique.places:
        places = technique.places
        return places[0].start_sec, max(places[0].end_sec, places[0].start_sec + EXAMPLE_SEC / 2)
    return finding.start_sec, min(finding.end_sec, finding.start_sec + EXAMPLE_SEC)


def _confidence(share: float) -> str:
    """A share that is never said to be certain.

    >>> _confidence(0.936), _confidence(0.9963)
    ('94 %', 'over 99 %')
    """
    return "over 99 %" if share > 0.99 else f"{100.0 * share:.0f} %"


def _around(start_sec: float, end_sec: float) -> tuple[float, float]:
    return round(max(start_sec - LEAD_SEC, 0.0), 3), round(end_sec + LEAD_SEC, 3)


def _passages(assessment: Assessment) -> list[Place]:
    found = []
    for moment in sorted(assessment.moments, key=lambda one: one.start_sec):
        verb = "falls" if moment.kind == "weakest" else "rises"
        text = f"{title(moment.dimension)} {verb} to {moment.value:.1f}"
        found.append(Place(moment.where or clock(moment.start_sec), text, moment.start_sec, moment.end_sec))
    return found


def _mistakes(assessment: Assessment) -> list[Place]:
    report = assessment.alignment
    if report is None:
        return []
    found = []
    for kind, field in MISTAKES:
        for note in getattr(report, field):
            keys = f"{note.played} for {note.expected}" if kind == "wrong" else note.expected or note.played
            start, end = _around(note.time_sec, note.time_sec)
            found.append(Place(place_in_words(note.bar, note.beat), f"{kind}: {keys}", start, end))
    return sorted(found, key=lambda place: place.start_sec)


def _places(assessment: Assessment) -> list[tuple[str, list[Place]]]:
    """The measured places of each dimension, in order of time."""
    shown = []
    for dimension in assessment.dimensions:
        technique = assessment.technique.get(dimension.name)
        if technique is None or not technique.places or dimension.shown_as == "notes":
            continue
        found = [
            Place(where, text[:1].upper() + text[1:], *_around(place.start_sec, place.end_sec))
            for place in sorted(technique.places, key=lambda place: place.start_sec)
            for where, _, text in [place.text.partition(": ")]
        ]
        shown.append((title(dimension.name), found))
    return shown


def _measures(assessment: Assessment) -> list[dict[str, Any]]:
    rows = []
    for name, technique in assessment.technique.items():
        rows += [
            {
                "dimension": title(name),
                "meaning": measure.meaning,
                "value": _quantity(measure),
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


def _quantity(measure: Measure) -> str:
    """Value and unit: a share in percent, a logarithm of a ratio as the ratio in percent."""
    return _in_unit(measure.value, measure.unit)


def _usual(measure: Measure) -> str:
    low, high = measure.usual or (0.0, 0.0)
    return f"{_in_unit(low, measure.unit)} to {_in_unit(high, measure.unit)}"


def _in_unit(value: float, unit: str) -> str:
    if unit == "fraction":
        return f"{100.0 * value:.3g} %"
    if unit in ("ratio", "correlation", "count"):
        return f"{value:.3g}"
    return f"{value:.3g} {unit}"


def _place_of(measure: Measure) -> str:
    low, high = measure.usual or (0.0, 0.0)
    return "below" if measure.value < low else "above" if measure.value > high else "usual"


def _provenance(assessment: Assessment) -> list[tuple[str, str]]:
    inputs, bundle = assessment.inputs, assessment.bundle
    rows = []
    for kind, file in (("Recording", inputs.audio), ("MIDI", inputs.midi), ("Score", inputs.score)):
        if file is None:
            rows.append((kind, "none"))
            continue
        flags = f"; {', '.join(file.flags)}" if file.flags else ""
        made = file.name if file.origin == "given" else f"derived from {file.name}"
        rows.append((kind, f"{made}{flags}; SHA-256 {file.sha256}"))
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
        agreement = "" if report.agreement is None else f", {report.agreement:.1%} agree"
        rows.append(("Alignment", f"repeats {report.repeats}{agreement}"))
    rows.append(("Model", f"{bundle.name} {bundle.version}; SHA-256 {bundle.sha256}"))
    rows.append(("Program", f"tocco {assessment.tocco_version}, schema {assessment.schema_version}"))
    return rows


def _overview(assessment: Assessment, material: Material, duration_sec: float) -> Markup:
    """The whole performance in the width of the window: sound, passages, findings by number."""
    inner = []
    if material.sound is not None:
        width = 1000.0 * len(material.sound.peak) * PEAK_SEC / duration_sec
        inner.append(waveform(material.sound.peak, width, 60.0, _OVERVIEW_STROKES))
    elif material.notes is not None:
        inner.append(_density(material.notes, duration_sec))
    scaled = element(
        "svg", *inner, viewBox="0 0 1000 60", preserveAspectRatio="none", width="100%", height="60", y="22"
    )
    marks = []
    placed = [(n, one) for n, one in enumerate(assessment.findings or (), start=1) if one.kind != THROUGHOUT]
    for n, finding in placed:
        x = f"{100.0 * finding.start_sec / duration_sec:.2f}%"
        marks.append(element("circle", cx=x, cy="10", r="9", class_="flag"))
        marks.append(element("text", str(n), x=x, y="14", class_="flag-number"))
        marks.append(element("line", x1=x, x2=x, y1="19", y2="82", class_="flag-line"))
    found = ", ".join(f"{n} at {clock(one.start_sec)}" for n, one in placed)
    said = f"{clock(duration_sec)} in all." + (f" What to work on first: {found}." if found else "")
    return picture(
        "overview",
        "The whole performance",
        said,
        scaled,
        *marks,
        width="100%",
        height="84",
        class_="overview",
    )


def _density(notes: Notes, duration_sec: float) -> Markup:
    """Without a recording: how loud the keys were struck, as an outline."""
    import numpy as np

    n = max(1, int(duration_sec / PEAK_SEC))
    peak = np.zeros(n)
    column = np.clip((notes.onset_sec / duration_sec * n).astype(int), 0, n - 1)
    np.maximum.at(peak, column, notes.velocity / 127.0)
    return waveform(peak, 1000.0, 60.0, _OVERVIEW_STROKES // 3)


def _data(assessment: Assessment, material: Material) -> Markup:
    """What the script needs, as JSON that cannot end its element."""
    report = assessment.alignment
    bars = [] if report is None else [[name, sec] for name, sec in report.bars]
    value = {
        "bars": bars,
        "notes": _note_numbers(material.notes),
        "written": _written(assessment, material.notes),
    }
    text = json.dumps(value, ensure_ascii=True, separators=(",", ":"))
    return Markup(text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026"))


def _note_numbers(notes: Notes | None) -> list[int]:
    """Five numbers a note: onset and duration in ms, pitch, velocity, status."""
    if notes is None:
        return []
    rows = zip(
        (1000.0 * notes.onset_sec).round().astype(int).tolist(),
        (1000.0 * (notes.offset_sec - notes.onset_sec)).round().astype(int).tolist(),
        notes.pitch.tolist(),
        notes.velocity.tolist(),
        notes.status.tolist(),
        strict=True,
    )
    return [int(number) for row in rows for number in row]


def _written(assessment: Assessment, notes: Notes | None) -> list[int]:
    """Two numbers for every written note that was not played: when it was due in ms, and its pitch."""
    report = assessment.alignment
    if report is None or notes is None:
        return []
    missed = [*report.deletion, *report.substitution]
    return [n for note in missed for n in (round(1000.0 * note.time_sec), note.expected_pitch or 0)]


def _sound_source(material: Material, sound_file: str | None) -> str:
    if material.sound is None:
        return ""
    if sound_file is not None:
        return sound_file
    return f"data:{OPUS_TYPE};base64,{base64.b64encode(material.sound.opus).decode()}"


def _policy(style: str, script: str, *, beside: bool) -> str:
    """Content Security Policy: this style, this script, the sound, and nothing from any network."""
    media = "'self' file:" if beside else "data:"
    return (
        f"default-src 'none'; style-src 'sha256-{_digest(style)}'; script-src 'sha256-{_digest(script)}'; "
        f"media-src {media}; base-uri 'none'; form-action 'none'"
    )


def _digest(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


@cache
def _asset(name: str) -> str:
    return files("tocco.report.page").joinpath(name).read_text(encoding="utf-8")


@cache
def _template() -> Any:
    """The template; every value that is no `Markup` is escaped, and an unknown name is an error."""
    from jinja2 import Environment, StrictUndefined

    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.from_string(_asset("page.html.j2"))
