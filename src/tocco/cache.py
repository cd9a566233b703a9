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
    """A record with the key of its content."""

    key: str
    """SHA-256 of everything that determines the content."""


KeyedValue = TypeVar("KeyedValue", bound=Keyed)


class ArrayReader(Protocol):
    """Named arrays, read one at a time or in parts."""

    def array(self, name: str) -> np.ndarray:
        """A whole array."""
        ...

    def part(self, name: str, start: int, stop: int) -> np.ndarray:
        """Rows `start` to `stop` of an array; only these are read."""
        ...


class ArraysInMemory:
    """Named arrays that were just computed."""

    def __init__(self, arrays: Arrays) -> None:
        self._arrays = arrays

    def array(self, name: str) -> np.ndarray:
        """A whole array."""
        return self._arrays[name]

    def part(self, name: str, start: int, stop: int) -> np.ndarray:
        """Rows `start` to `stop` of an array."""
        return self._arrays[name][start:stop]


class ArraysInFile:
    """Named arrays of a cached file, memory-mapped as long as this object exists."""

    def __init__(self, path: Path) -> None:
        self._file: Any = safe_open(str(path), framework="numpy")

    def array(self, name: str) -> np.ndarray:
        """A whole array."""
        return self._file.get_tensor(name)

    def part(self, name: str, start: int, stop: int) -> np.ndarray:
        """Rows `start` to `stop` of an array; only these are read."""
        return self._file.get_slice(name)[start:stop]


def cached(path: Path, read: Callable[[Path], Value | None], write: Callable[[Path], object]) -> Entry[Value]:
    """Value of a file, which is written first if it is missing, damaged or outdated.

    Parameters
    ----------
    path
    read
        Returns the file's value, or None if the file is damaged or has another key. A file that it cannot
        read (OSError) counts as damaged. Not called if there is no file.
    write
        Computes the value and writes it to a temporary path, which is then renamed to `path`.

    Raises
    ------
    OutputError
        The file cannot be written, or cannot be read back.
    """
    found = _value(path, read)
    if found is not None:
        return Entry(found, is_found=True)
    with replacing(path) as temporary:
        write(temporary)
    made = _value(path, read)
    if made is None:
        raise OutputError(
            path, "cannot be read back after it was written", next_step="choose a folder on another disk"
        )
    return Entry(made, is_found=False)


def _value(path: Path, read: Callable[[Path], Value | None]) -> Value | None:
    try:
        return read(path) if path.is_file() else None
    except OSError:
        return None


def cached_model(
    path: Path,
    kind: type[KeyedValue],
    key: str,
    make: Callable[[], KeyedValue],
    *,
    is_complete: Callable[[KeyedValue], bool] = lambda value: True,
) -> Entry[KeyedValue]:
    """A record that is cached as JSON with its key.

    Parameters
    ----------
    path
    kind
    key : as of `json_key`
    make
    is_complete
        Whether all other files of a record exist too.

    Raises
    ------
    OutputError
        As in `cached`.
    """

    def read(there: Path) -> KeyedValue | None:
        try:
            found = kind.model_validate_json(there.read_bytes())
        except ValidationError:
            return None  # of another version, or another kind of file
        return found if found.key == key and is_complete(found) else None

    def write(temporary: Path) -> None:
        temporary.write_bytes((laid_out(make().model_dump(mode="json")) + "\n").encode())

    return cached(path, read, write)


def cached_arrays(path: Path, make: Callable[[], Arrays]) -> ArraysInFile:
    """The arrays of a cached file, computed and written if it is missing or damaged.

    Raises
    ------
    OutputError
        As in `cached`.
    """

    def write(temporary: Path) -> None:
        save_file({name: np.ascontiguousarray(a) for name, a in make().items()}, temporary)

    return cached(path, _opened, write).value


def json_key(content: object) -> str:
    """SHA-256 of JSON values that determine a file's content: 64 hexadecimal digits."""
    return hashlib.sha256(json.dumps(content, sort_keys=True, allow_nan=False).encode()).hexdigest()


def content_key(module: str, *parts: object) -> str:
    """Key of twenty characters that depends on inputs, settings, code and libraries.

    Parameters
    ----------
    module
        The module that computes the arrays. The key includes its source and that of every module of
        this package that it imports, directly or indirectly.
    parts
        Settings, and hashes of the inputs.
    """
    digest = hashlib.sha256(f"{_FORMAT} {code_hash(module)}".encode())
    for part in parts:
        digest.update(b"\0" + repr(part).encode())
    return digest.hexdigest()[:20]


@functools.cache
def code_hash(module: str) -> str:
    """SHA-256 of the source of a module and of all modules of this package that it imports."""
    digest = hashlib.sha256()
    sources = imported_modules(module)
    for name in sorted(sources):
        digest.update(name.encode() + b"\0" + sources[name].read_bytes())
    for library in _LIBRARIES:
        digest.update(f"{library} {version(library)}".encode())
    return digest.hexdigest()


def imported_modules(module: str) -> dict[str, Path]:
    """Name -> source file of a module and of every module of its package that it imports, also indirectly."""
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
    """Every name that a source imports, with its parent packages; not all names are modules."""
    names: list[str] = [module.rpartition(".")[0]]
    for node in _executed_nodes(ast.parse(source.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            names += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return names


def _executed_nodes(tree: ast.AST) -> Iterator[ast.AST]:
    """Every node of a source except blocks for type checkers, which do not affect the result."""
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
    try:
        spec = importlib.util.find_spec(module)
    except ValueError:
        return None  # a script that is being run, or a session: it has no file to be found by
    return None if spec is None or spec.origin is None else Path(spec.origin)


def _opened(path: Path) -> ArraysInFile | None:
    """The file, or None if its length differs from its header."""
    try:
        return ArraysInFile(path)
    except SafetensorError:
        return None
