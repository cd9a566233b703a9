"""The one place where partitura, and parangonar that stands on it, are imported.

With pyfluidsynth installed, importing partitura downloads a soundfont of 40 MB, and fails without a
network. tocco uses its notation alone, so the synthesiser is hidden from it while it is imported; so are
two libraries for its tokens and for another format, which take longer to load than all of its notation,
and Verovio, which runs in a process of its own (`report/engraving/child.py`).
"""

from __future__ import annotations

import importlib
import sys
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from types import ModuleType
from typing import Final

_HIDDEN: Final = ("fluidsynth", "miditok", "pandas", "verovio")
"""What partitura imports where it can, and does without where it cannot."""


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
    with ExitStack() as stack:
        # Deprecations inside the libraries' own imports; parangonar also installs a filter of its own,
        # which catch_warnings takes back.
        stack.enter_context(warnings.catch_warnings())
        warnings.simplefilter("ignore")
        _import_partitura()
        stack.enter_context(_without_module("fluidsynth"))
        return importlib.import_module(name)


def _import_partitura() -> None:
    with ExitStack() as hidden:
        for name in _HIDDEN:
            hidden.enter_context(_without_module(name))
        importlib.import_module("partitura")
