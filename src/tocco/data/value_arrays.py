"""Serialisation of performances and alignments as named arrays and one line of JSON.

Unlike a pickle, the file can only contain the listed classes and no code.
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
    """Convert a value to arrays whose names begin with `name`; the inverse of `value_of`."""
    arrays: dict[str, np.ndarray] = {}
    outline = _outline(value, name, arrays)
    arrays[name] = np.frombuffer(json.dumps(outline).encode(), dtype=np.uint8)
    return arrays


def value_of(name: str, array: Callable[[str], np.ndarray]) -> Any:
    """Restore a value from the arrays of `arrays_of`.

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
    raise TypeError(f"{name} is a {type(value).__name__}, which cannot be stored")


def _value(outline: Any, array: Callable[[str], np.ndarray]) -> Any:
    if isinstance(outline, list):
        return tuple(_value(part, array) for part in outline)
    if not isinstance(outline, dict):
        return outline
    if "array" in outline:
        return array(outline["array"])
    parts = {name: _value(part, array) for name, part in outline["fields"].items()}
    return _KINDS[outline["kind"]](**parts)
