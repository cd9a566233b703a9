"""The lane of the network's attention over time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from markupsafe import Markup

from tocco.inference.assessment import Assessment
from tocco.inference.attention import Attention
from tocco.report.attention_wording import attention_limits, attention_meaning, attention_range
from tocco.report.page.svg import element, joined, line_path, number, picture
from tocco.report.strokes import value_strokes
from tocco.units import FloatArray

if TYPE_CHECKING:
    from tocco.report.page.timeline import Axis

_HEIGHT_PX: Final = 64.0
_MARGIN_PX: Final = 12.0


def attention_lane(
    assessment: Assessment, attention: Attention, axis: Axis
) -> tuple[Markup, float, tuple[tuple[float, str], ...]]:
    """The lane, its height in pixels, and the marks of its vertical axis."""
    most = attention_range(attention)

    def y(ratio: FloatArray | float) -> FloatArray:
        half = _HEIGHT_PX / 2.0
        level = np.log2(np.clip(ratio, 1.0 / most, most)) / np.log2(most)
        return half - (half - _MARGIN_PX) * level

    lines = [
        element("path", class_="line second", d=line_path(axis.x(time), y(value)))
        for time, value in value_strokes(assessment.curve, attention.curve)
    ]
    grid = element("path", class_="grid", d=f"M0 {number(float(y(1.0)))}H{axis.width_px}")
    svg = picture(
        "attention",
        "Attention of the network over time",
        f"{attention_meaning(assessment, attention)} {attention_limits(attention)}",
        joined([grid, *lines]),
        width=axis.width_px,
        height=_HEIGHT_PX,
        viewBox=f"0 0 {axis.width_px} {number(_HEIGHT_PX)}",
        class_="lane attention",
    )
    values = (most, 1.0, 1.0 / most)
    return svg, _HEIGHT_PX, tuple((float(y(v)), f"{v:g} ×") for v in values)
