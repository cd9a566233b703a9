"""The shapes of musical signs, each once in a document."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from markupsafe import Markup

from tocco.report.page.svg import element

_CODE: Final = re.compile(r"^#([0-9A-F]{4,6})-")
_SHAPE: Final = re.compile(r"^[MmLlHhVvCcSsQqTtAaZz0-9eE\s.,+-]+$")


class Glyphs:
    """Shapes that are used in a document, under short ids, in the order of their first use."""

    def __init__(self) -> None:
        self._shapes: dict[str, str] = {}
        self._ids: dict[tuple[str, str], str] = {}

    def add(self, root: Any) -> None:
        """Take the shapes that one of Verovio's pictures defines."""
        for group in root.iterfind("{*}defs/{*}g"):
            path = group.find("{*}path")
            shape = "" if path is None else (path.get("d") or "")
            if _SHAPE.match(shape):
                self._shapes.setdefault(group.get("id", "").partition("-")[0], shape)

    def id_of(self, reference: str, scale: str) -> str | None:
        """Id of a shape at a scale; None for a reference to anything else.

        Parameters
        ----------
        reference : "#E0A4-..."
        scale : "0.72"
        """
        found = _CODE.match(reference)
        if found is None or found[1] not in self._shapes:
            return None
        return self._ids.setdefault((found[1], scale), f"g{len(self._ids)}")

    def definitions(self) -> Markup:
        """The `defs` that the pictures of a document share."""
        return element("defs", *self._definitions())

    def _definitions(self) -> Iterator[Markup]:
        for (code, scale), name in self._ids.items():
            shape = _shortened(self._shapes[code])
            yield element("path", id=name, transform=f"scale({scale},-{scale})", d=shape)


def _shortened(shape: str) -> str:
    """A shape without blanks that say nothing."""
    return re.sub(r"\s*([A-Za-z])\s*", r"\1", re.sub(r"\s+", " ", shape)).replace(" -", "-").strip()
