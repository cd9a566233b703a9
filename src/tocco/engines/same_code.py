"""Whether two machines run the same code, and so can be trusted to write the same bytes."""

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
"""Those whose release decides bytes that tocco writes."""


@functools.cache
def code_here() -> Mapping[str, str]:
    """Name -> release, of all that decides bytes: tocco itself by the hash of its source."""
    root = Path(str(tocco.__file__)).parent
    source = hashlib.sha256()
    for path in sorted(root.rglob("*.py")):
        source.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes())
    return {
        "tocco": f"{version('tocco')} ({source.hexdigest()[:12]})",
        "python": platform.python_version(),
        **{name: version(name) for name in _LIBRARIES},
    }


def assert_same_code(asking: Mapping[str, str]) -> None:
    """Refuse to work for a machine whose code is another.

    Parameters
    ----------
    asking : name -> release, `code_here()` of the machine that hands out the work

    Raises
    ------
    MismatchError
        Names this machine and what differs.
    """
    here = code_here()
    other = [
        f"{name} {here.get(name)} for {asking[name]}" for name in asking if here.get(name) != asking[name]
    ]
    if other:
        raise MismatchError(
            f"worker {socket.gethostname()}",
            f"has {', '.join(other)}",
            next_step="install the same tocco and the same constraints.txt on every machine of the cluster",
        )
