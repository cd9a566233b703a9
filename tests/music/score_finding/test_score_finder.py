"""The score that is played is found at any tempo and with mistakes, and none where it is not there."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from score_library import played, stretch, write_library, write_score
from tocco.music.performance import Performance
from tocco.music.score import Score, load_score
from tocco.music.score_finding.finder import Fit, Search, decide, find_score
from tocco.music.score_finding.index import FingerprintIndex
from tocco.music.score_finding.indexed_score import IndexedScore
from tocco.music.transcriber_noise import TranscriberNoise, transcriber_noise


class Library:
    """Scores and their index."""

    def __init__(self, scores: list[Score]) -> None:
        self.scores = scores
        self.kept = [IndexedScore.of(score) for score in scores]
        self.index = FingerprintIndex.of(self.kept)

    def find(self, performance: Performance) -> Search:
        return find_score(self.index, self.kept.__getitem__, performance)


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Library:
    return Library([load_score(path) for path in write_library(tmp_path_factory.mktemp("library"))])


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 4), st.floats(0.5, 2.0), st.integers(0, 99))
def test_a_take_is_found_at_any_tempo_with_a_twentieth_of_its_notes_wrong(
    library: Library, score: int, tempo: float, seed: int
) -> None:
    take = played(library.scores[score], tempo=tempo, wrong=0.05, seed=seed)
    found = library.find(take).found
    assert found is not None
    assert found.score == score


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 4), st.floats(0.6, 1.7), st.floats(0.0, 0.9), st.integers(0, 99))
def test_ten_seconds_are_found_and_placed(
    library: Library, score: int, tempo: float, at: float, seed: int
) -> None:
    take = played(library.scores[score], tempo=tempo, wrong=0.05, seed=seed)
    start = at * (take.duration_sec - 10.0)
    found = library.find(stretch(take, start, start + 10.0)).found
    assert found is not None
    assert found.score == score
    # 120 quarter notes a minute in 4/4: two seconds a bar at a factor of 1.
    first, last = (int(1 + tempo * sec / 2.0) for sec in (start, start + 10.0))
    assert abs(int(found.bars[0]) - first) <= 1
    assert abs(int(found.bars[1]) - last) <= 1


def test_a_bad_transcription_is_found(library: Library) -> None:
    noise = TranscriberNoise(missed_share=0.1, ghost_share=0.1, onset_sd_sec=0.01)
    for score, written in enumerate(library.scores):
        take = transcriber_noise(played(written), np.random.default_rng(score), noise).performance
        found = library.find(stretch(take, 8.0, 18.0)).found
        assert found is not None
        assert found.score == score


def test_none_is_found_of_music_that_is_not_there(library: Library, tmp_path: Path) -> None:
    for seed in range(100, 106):
        other = load_score(write_score(tmp_path / "other.mid", seed))
        search = library.find(stretch(played(other), 4.0, 14.0))
        assert search.found is None
        assert search.alike == ()


def test_the_same_music_twice_is_said(library: Library) -> None:
    twice = Library([*library.scores, library.scores[2]])
    search = twice.find(played(library.scores[2]))
    assert search.found is not None
    assert {search.found.score, *(fit.score for fit in search.alike)} == {2, 5}


def test_a_take_that_leaves_the_score_half_way_is_still_found(library: Library) -> None:
    first = stretch(played(library.scores[0]), 0.0, 18.0)
    assert len(first) > 40
    found = library.find(first).found
    assert found is not None
    assert found.score == 0
    assert int(found.bars[1]) in (9, 10)


@pytest.mark.parametrize(("n_notes", "is_found"), [(5, False), (6, True)])
def test_a_few_notes_tell_nothing(library: Library, n_notes: int, is_found: bool) -> None:
    take = played(library.scores[1])
    assert (library.find(take.only(np.arange(n_notes))).best is not None) == is_found
    assert library.find(take.only(np.arange(0))) == Search(None)


def fit(score: int, agreement: float, share: float) -> Fit:
    return Fit(score, agreement, share, ("1", "2"))


@pytest.mark.parametrize(("agreement", "share", "is_found"), [(0.64, 0.5, True), (0.5, 0.52, False)])
def test_a_score_fits_where_alignment_and_fingerprints_agree(
    agreement: float, share: float, is_found: bool
) -> None:
    search = decide([fit(3, agreement, share)])
    assert (search.found is not None) == is_found
    assert search.best == fit(3, agreement, share)


def test_scores_fit_alike_within_a_twentieth() -> None:
    search = decide([fit(0, 0.93, 0.8), fit(1, 1.0, 0.8), fit(2, 0.97, 0.8)])
    assert search.found == fit(1, 1.0, 0.8)
    assert search.alike == (fit(2, 0.97, 0.8),)


def test_what_hardly_fits_is_not_alike() -> None:
    search = decide([fit(0, 0.61, 0.5), fit(1, 0.59, 0.5)])
    assert (search.found, search.alike) == (fit(0, 0.61, 0.5), ())


def test_nothing_fits_where_nothing_was_aligned() -> None:
    assert decide([]) == Search(None)
