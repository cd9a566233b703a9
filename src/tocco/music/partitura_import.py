"""The one place where partitura, and parangonar that stands on it, are imported.

With pyfluidsynth installed, importing partitura downloads a soundfont of 40 MB, and fails without a
network. tocco uses its notation alone, so the synthesiser is hidden from it while it is imported.
"""

from __future__ import annotations

import importlib
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType


@contextmanager
def _without_module(name: str) -> Iterator[None]:
    """Make a module unimportable, and leave `sys.modules` as it was found."""
    present = name in sys.modules
    hidden = sys.modules.get(name)
    sys.modules[name] = None  # type: ignore[assignment]  # None is Python's own mark of "not importable"
    try:
        yield
    finally:
        if present and hidden is not None:
            sys.modules[name] = hidden
        else:
            del sys.modules[name]


def import_notation_library(name: str) -> ModuleType:
    """Import `partitura`, `parangonar` or a module of theirs, offline and without side effects.

    Parameters
    ----------
    name : dotted module name
    """
    if name in sys.modules:
        return sys.modules[name]
    with _without_module("fluidsynth"), warnings.catch_warnings():
        # Deprecations inside the libraries' own imports; parangonar also installs a filter of its own,
        # which catch_warnings takes back.
        warnings.simplefilter("ignore")
        return importlib.import_module(name)
