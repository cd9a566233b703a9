"""The two files of a predictor in a folder: what it is, and its numbers.

    predictor.json          format, kind, targets, statistics, settings
    predictor.safetensors   arrays (reading them runs no code)

Everything is validated when it is read.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from tocco.errors import BundleError
from tocco.files import replacing, write_bytes

HEADER, ARRAYS = "predictor.json", "predictor.safetensors"

FORMAT: Final = 1
"""Incremented when an earlier release cannot read the format."""

_KEYS: Final = ("format", "kind", "names", "statistics", "settings")
_AGAIN: Final = "export the bundle again with this release"


@dataclass(frozen=True)
class Header:
    """Description of a stored predictor.

    Attributes
    ----------
    kind : as in `tocco.models.registry.KINDS`
    names : targets, in order
    statistics : names of the statistics that it reads, in order
    settings : further parameters, as JSON values
    """

    kind: str
    names: tuple[str, ...]
    statistics: tuple[str, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)


def write_header(folder: Path, header: Header) -> None:
    """Write `predictor.json`."""
    content = {
        "format": FORMAT,
        "kind": header.kind,
        "names": list(header.names),
        "statistics": list(header.statistics),
        "settings": dict(header.settings),
    }
    write_bytes(folder / HEADER, (json.dumps(content, indent=1) + "\n").encode())


def read_header(folder: Path, kind: str | None = None) -> Header:
    """Read `predictor.json`.

    Parameters
    ----------
    folder
    kind
        The one that is expected; None for any.

    Raises
    ------
    BundleError
        It is missing, no JSON, of another format or kind, or has other keys.
    """
    path = folder / HEADER
    try:
        content = json.loads(path.read_bytes())
    except OSError as error:
        raise BundleError(path, f"cannot be read ({error.strerror})", next_step=_AGAIN) from error
    except (ValueError, RecursionError) as error:
        raise BundleError(path, "is not JSON", next_step=_AGAIN) from error
    if not isinstance(content, dict) or "format" not in content:
        raise BundleError(path, "does not say its format", next_step=_AGAIN)
    if content["format"] != FORMAT:
        raise BundleError(
            path,
            f"has the format {content['format']!r}",
            allowed=str(FORMAT),
            next_step="install the release that wrote it, or export the bundle again",
        )
    if sorted(content) != sorted(_KEYS):
        found = ", ".join(sorted(content))
        raise BundleError(path, f"has the keys {found}", allowed=", ".join(_KEYS), next_step=_AGAIN)
    header = _header(path, content)
    if kind is not None and header.kind != kind:
        raise BundleError(path, f"is of the kind {header.kind!r}", allowed=kind, next_step=_AGAIN)
    return header


def write_arrays(folder: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Write `predictor.safetensors`."""
    with replacing(folder / ARRAYS) as temporary:
        save_file({name: np.ascontiguousarray(array) for name, array in arrays.items()}, temporary)


@dataclass(frozen=True)
class ArrayKind:
    """Expected shape and type of an array.

    Attributes
    ----------
    dtype : "float64", "float32", "int32", "bool"
    shape : size of each axis; None where it is free
    finite : whether NaN and infinity are refused
    """

    dtype: str
    shape: tuple[int | None, ...]
    finite: bool = True


def read_arrays(folder: Path, kinds: Mapping[str, ArrayKind]) -> dict[str, np.ndarray]:
    """Read `predictor.safetensors`: exactly these arrays.

    Raises
    ------
    BundleError
        The file is missing or damaged, or an array is missing, unknown or not what it has to be.
    """
    path = folder / ARRAYS
    try:
        arrays = load_file(path)
    except OSError as error:
        raise BundleError(path, "cannot be read", next_step=_AGAIN) from error
    except SafetensorError as error:
        raise BundleError(path, "is not a whole safetensors file", next_step=_AGAIN) from error
    if arrays.keys() != kinds.keys():
        found, wanted = (", ".join(sorted(names)) for names in (arrays, kinds))
        raise BundleError(path, f"holds {found or 'nothing'}", allowed=wanted, next_step=_AGAIN)
    for name, kind in kinds.items():
        array = arrays[name]
        fits = len(array.shape) == len(kind.shape) and all(
            wanted in (None, size) for size, wanted in zip(array.shape, kind.shape, strict=True)
        )
        if str(array.dtype) != kind.dtype or not fits:
            raise BundleError(
                path,
                f"{name} is {array.dtype} of shape {array.shape}",
                allowed=f"{kind.dtype} of shape {kind.shape}".replace("None", "any"),
                next_step=_AGAIN,
            )
        if kind.dtype in ("float32", "float64") and kind.finite and not np.isfinite(array).all():
            raise BundleError(path, f"{name} holds a NaN or an infinity", next_step=_AGAIN)
    return arrays


def refused(folder: Path, problem: str) -> BundleError:
    """The error for arrays that are each sound and contradict one another."""
    return BundleError(folder / ARRAYS, problem, next_step=_AGAIN)


def _header(path: Path, content: dict[str, Any]) -> Header:
    kind, settings = content["kind"], content["settings"]
    if not isinstance(kind, str) or not isinstance(settings, dict):
        raise BundleError(path, "'kind' has to be a string and 'settings' an object", next_step=_AGAIN)
    lists: dict[str, tuple[str, ...]] = {}
    for key in ("names", "statistics"):
        value = content[key]
        if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
            raise BundleError(path, f"{key!r} has to be a list of strings", next_step=_AGAIN)
        if len(set(value)) < len(value):
            raise BundleError(path, f"{key!r} names one thing twice", next_step=_AGAIN)
        lists[key] = tuple(value)
    return Header(kind, lists["names"], lists["statistics"], settings)
