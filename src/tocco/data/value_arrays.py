"""Performances and alignments as named arrays and a line of JSON, for files that hold no code.

A pickle would run what it is told to; here only the listed kinds of value can come out.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np

from tocco.music.alignment import Alignment
from tocco.music.matching.ornaments import Ornament
from tocco.music.matching.spans import RetriedSpan, RolledChord, SkippedSpan
from tocco.music.notation import Mark
from tocco.music.performance import PedalCurve, Performance
from tocco.music.score import Score

_KINDS: dict[str, type] = {
    kind.__name__: kind
    for kind in (
        Alignment,
        Mark,
        Ornament,
        PedalCurve,
        Performance,
        RetriedSpan,
        RolledChord,
        Score,
        SkippedSpan,
    )
}


def arrays_of(value: object, name: str) -> dict[str, np.ndarray]:
    """A value as arrays whose names begin with `name`; `value_of` makes it whole again."""
    arrays: dict[str, np.ndarray] = {}
    outline = _outline(value, name, arrays)
    arrays[name] = np.frombuffer(json.dumps(outline).encode(), dtype=np.uint8)
    return arrays


def value_of(name: str, array: Callable[[str], np.ndarray]) -> Any:
    """The value that `arrays_of` took apart.

    Parameters
    ----------
    name
    array
        Name -> array.
    """
    return _value(json.loads(array(name).tobytes()), array)


def _outline(value: Any, name: str, arrays: dict[str, np.ndarray]) -> Any:
    if isinstance(value, np.ndarray):
        arrays[name] = value
        return {"array": name}
    if is_dataclass(value) and type(value).__name__ in _KINDS:
        parts = {f.name: _outline(getattr(value, f.name), f"{name}.{f.name}", arrays) for f in fields(value)}
        return {"kind": type(value).__name__, "fields": parts}
    if isinstance(value, tuple):
        return [_outline(part, f"{name}.{k}", arrays) for k, part in enumerate(value)]
    if isinstance(value, np.generic):
        return value.item()
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise TypeError(f"{name} is a {type(value).__name__}, which cannot be kept")


def _value(outline: Any, array: Callable[[str], np.ndarray]) -> Any:
    if isinstance(outline, list):
        return tuple(_value(part, array) for part in outline)
    if not isinstance(outline, dict):
        return outline
    if "array" in outline:
        return array(outline["array"])
    parts = {name: _value(part, array) for name, part in outline["fields"].items()}
    return _KINDS[outline["kind"]](**parts)
