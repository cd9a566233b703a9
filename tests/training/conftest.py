"""What the tests of training share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tocco.training import run_folder


@pytest.fixture(autouse=True, scope="package")
def _one_revision() -> Iterator[None]:
    """A commit while the tests run makes no other revision."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run_folder, "revision", lambda: "0.0 tests")
        yield
