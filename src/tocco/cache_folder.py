"""The folder of this user in which results are kept that take long to compute."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Final

CACHE_VARIABLE: Final = "TOCCO_CACHE"


def cache_folder() -> Path:
    """`$TOCCO_CACHE`, or the folder that the platform gives each user for such files.

    It need not exist. Everything in it can be computed again, so it may be removed at any time.
    """
    if given := os.environ.get(CACHE_VARIABLE):
        return Path(given)
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "tocco"
    if sys.platform == "win32":
        local = os.environ.get("LOCALAPPDATA")
        return (Path(local) if local else Path.home() / "AppData" / "Local") / "tocco" / "Cache"
    # The XDG Base Directory Specification has a relative path ignored.
    xdg = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(xdg) if Path(xdg).is_absolute() else Path.home() / ".cache") / "tocco"
