"""Whether two machines run the same code, and therefore write the same bytes."""

from __future__ import annotations

import functools
import hashlib
import platform
import socket
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Final

import tocco
from tocco.errors import MismatchError

_LIBRARIES: Final = ("numpy", "scipy", "soundfile", "soxr", "symusic", "partitura", "torch")
"""Libraries whose version affects the bytes that tocco writes."""


@functools.cache
def code_here() -> Mapping[str, str]:
    """Name -> version of everything that affects the output; tocco itself by the hash of its source."""
    root = Path(str(tocco.__file__)).parent
    source = hashlib.sha256()
    for path in sorted(root.rglob("*.py")):
        source.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes())
    return {
        "tocco": f"{version('tocco')} ({source.hexdigest()[:12]})",
        "python": platform.python_version(),
        **{name: version(name) for name in _LIBRARIES},
    }


def assert_same_code(expected: Mapping[str, str]) -> None:
    """Refuse to work for a machine with other code.

    Parameters
    ----------
    expected : name -> version, `code_here()` of the machine that distributes the work

    Raises
    ------
    MismatchError
        Names this machine and what differs.
    """
    here = code_here()
    other = [
        f"{name} {here.get(name)} for {expected[name]}"
        for name in expected
        if here.get(name) != expected[name]
    ]
    if other:
        raise MismatchError(
            f"worker {socket.gethostname()}",
            f"has {', '.join(other)}",
            next_step="install the same tocco and the same constraints.txt on every machine of the cluster",
        )
