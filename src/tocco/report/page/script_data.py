"""What the script of the report needs: bars, notes, the written notes at a steady tempo, the score."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, Final

import numpy as np
from markupsafe import Markup

from tocco.inference.assessment import Assessment
from tocco.report.page.engraved import engraved_data
from tocco.report.page.heat import columns, has_curve
from tocco.report.page.material import Material, Notes
from tocco.report.page.written import Written
from tocco.units import FloatArray

_WRITTEN_VELOCITY: Final = 70
"""Of all written notes: how loud they should be is not written in numbers."""


def script_data(assessment: Assessment, material: Material) -> Markup:
    """All of it, as JSON."""
    report = assessment.alignment
    value = {
        "bars": [] if report is None else [[name, sec] for name, sec in report.bars],
        "notes": note_numbers(material.notes),
        "columns": _ms(columns(assessment)[1]) if has_curve(assessment) else [],
        "written": None if material.written is None else _written_numbers(material.written),
        **engraved_data(material),
    }
    return as_json(value)


def as_json(value: dict[str, Any]) -> Markup:
    """JSON that cannot end the element that it stands in."""
    text = json.dumps(value, ensure_ascii=True, separators=(",", ":"))
    return Markup(text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026"))


def note_numbers(notes: Notes | None) -> list[int]:
    """Four numbers a note: onset and duration in ms, pitch, velocity; empty without notes."""
    if notes is None:
        return []
    onset, lasts = _ms(notes.onset_sec), _ms(notes.offset_sec - notes.onset_sec)
    return _in_rows(onset, lasts, notes.pitch.tolist(), notes.velocity.tolist())


def _written_numbers(written: Written) -> dict[str, list[int]]:
    """The written notes at a steady tempo.

    Returns
    -------
    "performed", "steady": ms at which each bar begins in the performance and in that tempo, and the end of
    the last. "notes": four numbers a note, as of what was played, in that tempo and of one loudness.
    """
    steady = written.steady_bar_sec()
    start, end = (np.interp(sec, written.bar_sec, steady) for sec in (written.start_sec, written.end_sec))
    velocity = [_WRITTEN_VELOCITY] * len(start)
    notes = _in_rows(_ms(start), _ms(end - start), written.pitch.tolist(), velocity)
    return {"performed": _ms(written.bar_sec), "steady": _ms(steady), "notes": notes}


def _ms(sec: FloatArray) -> list[int]:
    """Rounded to whole milliseconds."""
    return np.round(1000.0 * np.asarray(sec)).astype(int).tolist()


def _in_rows(*each: Iterable[int]) -> list[int]:
    """The first of each, then the second of each."""
    return [number for row in zip(*each, strict=True) for number in row]
