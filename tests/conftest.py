"""Shared fixtures: seeded randomness and the optional research data."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(20261122)


@pytest.fixture(scope="session")
def corpus_dir() -> Path:
    """Folder of research corpora, named by TOCCO_TEST_DATA; tests that need it skip without it."""
    folder = os.environ.get("TOCCO_TEST_DATA")
    if not folder:
        pytest.skip("TOCCO_TEST_DATA does not name a folder of corpora")
    return Path(folder)


@pytest.fixture(scope="session")
def tiny_labels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The label file of twenty made-up performances."""
    from corpus import write_corpus

    return write_corpus(tmp_path_factory.mktemp("corpus"))
