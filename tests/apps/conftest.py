"""Things that take a while to make, once for all tests here."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pictures and sound of the segments of `short_project`."""
    from rating_example import drawn_folder  # here, since most tests need none of what it loads

    return drawn_folder(tmp_path_factory.mktemp("drawn"))
