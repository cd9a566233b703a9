"""What the tests of training share."""

from __future__ import annotations

import pytest

from tocco.training import run_folder


@pytest.fixture(autouse=True)
def _one_revision(monkeypatch: pytest.MonkeyPatch) -> None:
    """A commit while the tests run makes no other revision."""
    monkeypatch.setattr(run_folder, "revision", lambda: "0.0 tests")
