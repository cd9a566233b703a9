"""Content-addressed cache of computed files.

A file is identified by everything that determines its content (bytes of the inputs, settings, a version, the
source of every module involved). This key is part of the file's name, of the file, or of both, so that an
outdated file is never used. Files are written atomically, so that two processes may compute the same one, and
validated when they are read: a truncated file, or one with another key, is computed again.

`cached` works with any kind of file; `cached_model` stores a record as readable JSON, `cached_arrays` stores
arrays that are memory-mapped and read in parts.
"""

from __future__ import annotations

import ast
import functools
import hashlib
import importlib.util
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

import numpy as np
from pydantic import ValidationError
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from tocco.errors import OutputError
from tocco.files import replacing
from tocco.schema import StrictModel, laid_out

_LIBRARIES = ("av", "numpy", "partitura", "scipy", "soundfile", "soxr", "symusic")
"""Libraries whose version affects the cached arrays."""
_FORMAT = "1"

Arrays = Mapping[str, np.ndarray]

Value = TypeVar("Value")


@dataclass(frozen=True)
class Entry(Generic[Value]):
    """A value of the cache.

    Attributes
    ----------
    value
    is_found : whether it was cached before
    """

    value: Value
    is_found: bool


class Keyed(StrictModel):
    """A record that says of which content it is."""

    key: str
    """SHA-256 of everything that decides the content."""


KeyedValue = TypeVar("KeyedValue", bound=Keyed)


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


def cached(path: Path, read: Callable[[Path], Value | None], write: Callable[[Path], object]) -> Entry[Value]:
    """What a file holds; written first where there is none, or none that is whole and wanted.

    Parameters
    ----------
    path
    read
        The file's value, or None where the file is damaged or holds something else. Not asked about a file
        that is not there.
    write
        Makes the value and writes it to the path that it is given, which becomes `path` when it is whole.

    Raises
    ------
    OutputError
        The file cannot be written, or is not what was written right after it was.
    """
    found = read(path) if path.is_file() else None
    if found is not None:
        return Entry(found, is_found=True)
    with replacing(path) as temporary:
        write(temporary)
    made = read(path)
    if made is None:
        raise OutputError(
            path, "does not hold what was written to it", next_step="choose a folder on another disk"
        )
    return Entry(made, is_found=False)


def cached_model(
    path: Path,
    kind: type[KeyedValue],
    key: str,
    make: Callable[[], KeyedValue],
    *,
    is_complete: Callable[[KeyedValue], bool] = lambda value: True,
) -> Entry[KeyedValue]:
    """A record that is kept as JSON with its key.

    Parameters
    ----------
    path
    kind
    key : as of `json_key`
    make
    is_complete
        Whether all other files that belong to a record are there too.

    Raises
    ------
    OutputError
        As in `cached`.
    """

    def read(there: Path) -> KeyedValue | None:
        try:
            found = kind.model_validate_json(there.read_bytes())
        except ValidationError:
            return None  # of another version, or not ours
        return found if found.key == key and is_complete(found) else None

    def write(temporary: Path) -> None:
        temporary.write_bytes((laid_out(make().model_dump(mode="json")) + "\n").encode())

    return cached(path, read, write)


def cached_arrays(path: Path, make: Callable[[], Arrays]) -> ArraysInFile:
    """The arrays of a kept file; made, and kept, where there is none or where it is damaged.

    Raises
    ------
    OutputError
        As in `cached`.
    """

    def write(temporary: Path) -> None:
        save_file({name: np.ascontiguousarray(a) for name, a in make().items()}, temporary)

    return cached(path, _opened, write).value


def json_key(content: object) -> str:
    """SHA-256 of what decides a file's content, as JSON can say it: 64 hexadecimal digits."""
    return hashlib.sha256(json.dumps(content, sort_keys=True, allow_nan=False).encode()).hexdigest()


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
    for library in _LIBRARIES:
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
    for node in _run(ast.parse(source.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            names += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return names


def _run(tree: ast.AST) -> Iterator[ast.AST]:
    """Every node of a source but those for type checkers alone, which decide nothing."""
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        yield node
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            waiting += node.orelse
        else:
            waiting += ast.iter_child_nodes(node)


def _source(module: str) -> Path | None:
    parent, _, _ = module.rpartition(".")
    if parent and _source(parent) is None:
        return None
    if parent and _source(parent).name != "__init__.py":  # type: ignore[union-attr]
        return None  # a name out of a module, not a module
    spec = importlib.util.find_spec(module)
    return None if spec is None or spec.origin is None else Path(spec.origin)


def _opened(path: Path) -> ArraysInFile | None:
    """The file, or None where its length is not what its header says."""
    try:
        return ArraysInFile(path)
    except (FileNotFoundError, SafetensorError):
        return None
