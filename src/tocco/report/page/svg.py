"""Small pieces of SVG: every attribute and every text is escaped."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from markupsafe import Markup, escape

from tocco.units import FloatArray

Value = str | float | int | None


def element(name: str, *content: str | Markup, **attributes: Value) -> Markup:
    """One element; an underscore in an attribute's name stands for a hyphen, and at its end for nothing.

    >>> element("text", "a<b", x=1.5, class_="bar", text_anchor=None)
    Markup('<text x="1.5" class="bar">a&lt;b</text>')
    """
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(_text(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    inside = Markup("").join(map(escape, content))
    return Markup(f"<{name}{written}>{inside}</{name}>")


def joined(parts: Iterable[Markup]) -> Markup:
    """Elements one after another."""
    return Markup("").join(parts)


def number(value: float) -> str:
    """A coordinate to a tenth, without a zero behind the point.

    >>> number(12.04), number(-0.02), number(3.26)
    ('12', '0', '3.3')
    """
    return f"{round(value, 1) + 0.0:g}" if abs(value) < 99_999 else f"{value:.0f}"


def line_path(x: FloatArray | Sequence[float], y: FloatArray | Sequence[float]) -> str:
    """The `d` of a polyline."""
    return "M" + "L".join(f"{number(a)} {number(b)}" for a, b in zip(x, y, strict=True)) if len(x) else ""


def step_path(x: FloatArray | Sequence[float], y: FloatArray | Sequence[float], end: float) -> str:
    """The `d` of a staircase: each value holds until the next, the last until `end`."""
    if not len(x):
        return ""
    parts = [f"M{number(x[0])} {number(y[0])}"]
    parts += [f"H{number(a)}V{number(b)}" for a, b in zip(x[1:], y[1:], strict=True)]
    return "".join(parts) + f"H{number(end)}"


def band_path(x: FloatArray, low: FloatArray, high: FloatArray) -> str:
    """The `d` of the area between two lines over the same points."""
    return f"{line_path(x, high)}L{line_path(x[::-1], low[::-1])[1:]}Z" if len(x) else ""


def rect_path(x: float, y: float, width: float, height: float) -> str:
    """The `d` of a rectangle."""
    return f"M{number(x)} {number(y)}h{number(width)}v{number(height)}h{number(-width)}z"


def picture(name: str, title: str, description: str, *content: Markup, **attributes: Value) -> Markup:
    """An `svg` with a title and a description, for those who do not see it.

    Parameters
    ----------
    name : unique in the document; ids are made from it
    title, description
    content, attributes : of the element
    """
    return element(
        "svg",
        element("title", title, id=f"{name}-title"),
        element("desc", description, id=f"{name}-desc"),
        *content,
        role="img",
        aria_labelledby=f"{name}-title {name}-desc",
        **attributes,
    )


def _text(value: Value) -> str:
    return number(value) if isinstance(value, float) else str(value)
