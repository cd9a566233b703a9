"""The whole performance in the width of the window: sound, and findings by number."""

from __future__ import annotations

from typing import Final

import numpy as np
from markupsafe import Markup

from tocco.inference.assessment import Assessment
from tocco.inference.whole_findings import THROUGHOUT
from tocco.report.page.material import PEAK_SEC, Material, Notes
from tocco.report.page.svg import element, picture
from tocco.report.page.timeline import waveform
from tocco.report.wording import clock

_OVERVIEW_STROKES: Final = 900


def overview(assessment: Assessment, material: Material, duration_sec: float) -> Markup:
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
    n = max(1, int(duration_sec / PEAK_SEC))
    peak = np.zeros(n)
    column = np.clip((notes.onset_sec / duration_sec * n).astype(int), 0, n - 1)
    np.maximum.at(peak, column, notes.velocity / 127.0)
    return waveform(peak, 1000.0, 60.0, _OVERVIEW_STROKES // 3)
