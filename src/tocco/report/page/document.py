"""The whole document: everything that the template shows, and the file that is written."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import numpy as np
from markupsafe import Markup

from tocco.audio.opus import OPUS_SUFFIX, OPUS_TYPE
from tocco.files import write_bytes
from tocco.inference.assessment import Assessment
from tocco.inference.finding import Finding
from tocco.inference.whole_findings import THROUGHOUT
from tocco.report.attention_wording import attention_limits, attention_meaning
from tocco.report.page.engraved import engraved_context
from tocco.report.page.frame import MADE_BY, asset, policy, template
from tocco.report.page.heat import has_curve, heat_map
from tocco.report.page.marks import marks_sections
from tocco.report.page.material import PEAK_SEC, Material, Sound
from tocco.report.page.overview import overview
from tocco.report.page.ratings import rating_bar, rating_rows
from tocco.report.page.script_data import script_data
from tocco.report.page.summary import heard_file, summary
from tocco.report.page.tables import around, measures, mistakes, passages, places, provenance, quantity
from tocco.report.page.timeline import dimension_choices, lanes, time_axis
from tocco.report.page.written import Written
from tocco.report.wording import aggregate_parts, clock, first_curve, nothing_stands_out, remarks, title

EXAMPLE_SEC: Final = 10.0
"""So much is played of a finding about the whole."""

MOST_LISTED: Final = 200
"""Rows of the table of mistakes; all of them are in the JSON."""

_ON_THE_BAR_SEC: Final = 0.05
"""What begins so little before a bar line belongs to the bar after it."""


def render(assessment: Assessment, material: Material, *, sound_file: str | None = None) -> str:
    """The document as text.

    Parameters
    ----------
    assessment
    material : what is shown beside it
    sound_file : name of the sound beside the document; None puts it inside
    """
    style = asset("page.css") + asset("score.css")
    script = asset("tones.js") + asset("score_follower.js") + asset("score.js") + asset("page.js")
    media = "data:" if sound_file is None else "'self' file:"
    return template("page.html.j2").render(
        style=Markup(style),
        script=Markup(script),
        policy=policy(style, script, media),
        sound=_sound_source(material, sound_file),
        sound_type=OPUS_TYPE,
        data=script_data(assessment, material),
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


def _context(assessment: Assessment, material: Material) -> dict[str, Any]:
    axis = time_axis(end_sec(assessment, material))
    return {
        "made_by": Markup(MADE_BY),
        "name": heard_file(assessment).name,
        "summary": summary(assessment),
        "remarks": remarks(assessment),
        "findings": [_finding(one, assessment, material.written) for one in assessment.findings or ()],
        "nothing": nothing_stands_out(assessment),
        "findings_known": assessment.findings is not None,
        "ratings": rating_rows(assessment),
        "aggregate": assessment.aggregate,
        "aggregate_bar": rating_bar("aggregate", assessment.aggregate),
        "aggregate_parts": aggregate_parts(assessment.aggregate),
        "marks": marks_sections(assessment),
        "axis": axis,
        "overview": overview(assessment, material, axis.duration_sec),
        "lanes": lanes(assessment, material, axis),
        "choices": dimension_choices(assessment) if has_curve(assessment) else [],
        "chosen": first_curve(assessment) if has_curve(assessment) else "",
        "attention": _attention(assessment),
        "passages": passages(assessment),
        "mistakes": mistakes(assessment)[:MOST_LISTED],
        "n_mistakes": len(mistakes(assessment)),
        "heat": heat_map(assessment),
        "places": places(assessment),
        "measures": measures(assessment),
        "tempo": [(bar, clock(sec), f"{bpm:.0f}") for bar, sec, bpm in assessment.tempo],
        "provenance": provenance(assessment),
        "can_play": material.sound is not None or material.notes is not None,
        "has_sound": material.sound is not None,
        "duration": clock(axis.duration_sec),
        **engraved_context(assessment, material),
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


def _attention(assessment: Assessment) -> str:
    """What the lane of attention means and what it does not; "" without one."""
    attention = assessment.attention
    return (
        ""
        if attention is None
        else f"{attention_meaning(assessment, attention)} {attention_limits(attention)}"
    )


def _finding(finding: Finding, assessment: Assessment, written: Written | None) -> dict[str, Any]:
    example = _example(finding, assessment)
    start, end = around(*example)
    measure, reference = (quantity(one) for one in (finding.measure, finding.reference))
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
        "measure": f"{measure} ({finding.measure.meaning})",
        "reference": f"{reference} ({finding.reference.meaning})",
        "as_written": None if written is None else _bars_of(finding, written),
    }


def _bars_of(finding: Finding, written: Written) -> tuple[float, float] | None:
    """From the start of its first bar to the end of its last; None where it is about no bars."""
    if finding.bars is None or finding.kind == THROUGHOUT:
        return None
    edges = written.bar_sec
    first = int(np.searchsorted(edges, finding.start_sec + _ON_THE_BAR_SEC, side="right")) - 1
    end = int(np.searchsorted(edges, finding.end_sec + _ON_THE_BAR_SEC, side="right"))
    first = min(max(first, 0), len(edges) - 2)
    last = min(max(end, first + 1), len(edges) - 1)
    return round(float(edges[first]), 3), round(float(edges[last]), 3)


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


def _sound_source(material: Material, sound_file: str | None) -> str:
    if material.sound is None:
        return ""
    if sound_file is not None:
        return quote(sound_file)
    return sound_address(material.sound)


def sound_address(sound: Sound) -> str:
    """The sound as an address that holds it whole."""
    return f"data:{OPUS_TYPE};base64,{base64.b64encode(sound.opus).decode()}"
