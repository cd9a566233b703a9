"""Shared fixtures: seeded randomness and the optional research data.

Property tests draw the same examples in every run of the default tests; `HYPOTHESIS_PROFILE=fresh`, which
`make test-slow` sets, draws new ones. No verdict hangs on how fast an example is worked on.
"""

from __future__ import annotations

import os
import random
import sys
from pathlib import Path

# Before NumPy and torch are loaded. A sum over threads depends on their number, and threads of several
# programs on few cores spend their time waiting for one another: a test took ten times as long.
for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_variable, "1")

import numpy as np
import pytest
from hypothesis import settings

SEED = 20261122

settings.register_profile("same", derandomize=True, deadline=None, print_blob=True)
settings.register_profile("fresh", derandomize=False, deadline=None, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "same"))


@pytest.fixture(autouse=True)
def _seeded() -> None:
    """Draws from a generator that nobody passed in are the same in any order of the tests."""
    random.seed(SEED)
    np.random.seed(SEED)  # noqa: NPY002 - the global state that a library may draw from
    if (torch := sys.modules.get("torch")) is not None:
        torch.manual_seed(SEED)


@pytest.fixture(scope="session", autouse=True)
def _cache_of_the_tests(tmp_path_factory: pytest.TempPathFactory) -> None:
    """What tocco caches for a user is not read or written; processes that a test starts inherit this."""
    os.environ["TOCCO_CACHE"] = str(tmp_path_factory.mktemp("cache"))


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(SEED)


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


@pytest.fixture
def any_instrument(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever sounds is taken for a piano: clicks stand for one where the sound does not matter."""
    from tocco.audio.quality import RecordingQuality

    monkeypatch.setattr(RecordingQuality, "check", lambda self, source: None)


@pytest.fixture(scope="session")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pictures and sound of the segments of `rating_example.short_project`."""
    from rating_example import drawn_folder  # here, since most tests need none of what it loads

    return drawn_folder(tmp_path_factory.mktemp("drawn"))
