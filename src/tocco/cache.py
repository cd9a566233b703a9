"""Arrays that were costly to make, kept in files that are whole or made again.

A file is named by what decides its content: the inputs' bytes, the settings, and the source of every
module that takes part. So a stale file is never looked for. It is written in one step, so two processes
may make the same one; it is mapped into memory and read by parts; and a file that was cut short is
found out by its own header and replaced, never read.
"""

from __future__ import annotations

import ast
import functools
import hashlib
import importlib.util
from collections.abc import Callable, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from tocco.errors import OutputError
from tocco.files import replacing

_LIBRARIES_THAT_SHAPE_INPUTS = ("av", "numpy", "partitura", "scipy", "soundfile", "soxr", "symusic")
_FORMAT = "1"

Arrays = Mapping[str, np.ndarray]


class ArrayReader(Protocol):
    """Named arrays, one at a time and by parts."""

    def array(self, name: str) -> np.ndarray:
        """A whole array."""
        ...

    def part(self, name: str, start: int, stop: int) -> np.ndarray:
        """Rows `start` to `stop` of an array; no more is read than they."""
        ...


class ArraysInMemory:
    """Named arrays that were just made."""

    def __init__(self, arrays: Arrays) -> None:
        self._arrays = arrays

    def array(self, name: str) -> np.ndarray:
        """A whole array."""
        return self._arrays[name]

    def part(self, name: str, start: int, stop: int) -> np.ndarray:
        """Rows `start` to `stop` of an array."""
        return self._arrays[name][start:stop]


class ArraysInFile:
    """Named arrays of a kept file, mapped into memory as long as this object lives."""

    def __init__(self, path: Path) -> None:
        self._file: Any = safe_open(str(path), framework="numpy")

    def array(self, name: str) -> np.ndarray:
        """A whole array."""
        return self._file.get_tensor(name)

    def part(self, name: str, start: int, stop: int) -> np.ndarray:
        """Rows `start` to `stop` of an array; no more is read than they."""
        return self._file.get_slice(name)[start:stop]


def kept_arrays(path: Path, make: Callable[[], Arrays]) -> ArraysInFile:
    """The arrays of a kept file; made, and kept, where there is none or where it is damaged.

    Raises
    ------
    OutputError
        The file cannot be written, or is not what was written right after it was.
    """
    found = _opened(path)
    if found is not None:
        return found
    with replacing(path) as temporary:
        save_file({name: np.ascontiguousarray(a) for name, a in make().items()}, temporary)
    found = _opened(path)
    if found is None:
        raise OutputError(
            path, "does not hold what was written to it", next_step="choose a folder on another disk"
        )
    return found


def content_key(module: str, *parts: object) -> str:
    """Twenty characters that change with the inputs, the settings, the code or the libraries.

    Parameters
    ----------
    module
        The module that makes the arrays. Its own source counts and that of every module that it
        reaches by imports.
    parts
        Settings, and hashes of the inputs.
    """
    digest = hashlib.sha256(f"{_FORMAT} {code_hash(module)}".encode())
    for part in parts:
        digest.update(b"\0" + repr(part).encode())
    return digest.hexdigest()[:20]


@functools.cache
def code_hash(module: str) -> str:
    """SHA-256 of the source of a module and of all of this package that it reaches by imports."""
    digest = hashlib.sha256()
    sources = modules_reached(module)
    for name in sorted(sources):
        digest.update(name.encode() + b"\0" + sources[name].read_bytes())
    for library in _LIBRARIES_THAT_SHAPE_INPUTS:
        digest.update(f"{library} {version(library)}".encode())
    return digest.hexdigest()


def modules_reached(module: str) -> dict[str, Path]:
    """Name -> source file of a module and of every module of its package that its imports reach."""
    package = module.split(".", maxsplit=1)[0]
    found: dict[str, Path] = {}
    waiting = [module]
    while waiting:
        name = waiting.pop()
        source = _source(name)
        if name in found or source is None:
            continue
        found[name] = source
        waiting += [n for n in _imported(source, name) if n == package or n.startswith(f"{package}.")]
    return found


def _imported(source: Path, module: str) -> list[str]:
    """Every name that a source imports, with the packages above it; some may be no modules."""
    names: list[str] = [module.rpartition(".")[0]]
    for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            names += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return names


def _source(module: str) -> Path | None:
    parent, _, _ = module.rpartition(".")
    if parent and _source(parent) is None:
        return None
    if parent and _source(parent).name != "__init__.py":  # type: ignore[union-attr]
        return None  # a name out of a module, not a module
    spec = importlib.util.find_spec(module)
    return None if spec is None or spec.origin is None else Path(spec.origin)


def _opened(path: Path) -> ArraysInFile | None:
    """The file, or None where it is missing or its length is not what its header says."""
    try:
        return ArraysInFile(path)
    except FileNotFoundError:
        return None
    except SafetensorError:
        return None
