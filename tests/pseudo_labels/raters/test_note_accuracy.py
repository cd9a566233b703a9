"""Note accuracy: counts on alignments written out by hand, and the interval against its definition."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.stats import beta

from tocco.errors import InputError
from tocco.music.alignment import Alignment
from tocco.music.score import Score
from tocco.pseudo_labels.raters.note_accuracy import (
    COMPONENTS,
    jeffreys_interval,
    rate_note_accuracy,
)

N_WRITTEN = 10


def score(articulation: dict[int, str] | None = None) -> Score:
    """Ten quarter notes C4, one a beat, in bars of two."""
    onset = np.arange(float(N_WRITTEN))
    ones = np.ones(N_WRITTEN, dtype=int)
    return Score(
        note_id=tuple(f"n{i}" for i in range(N_WRITTEN)),
        onset_beat=onset,
        duration_beat=np.ones(N_WRITTEN),
        pitch=60 * ones,
        voice=ones,
        staff=ones,
        is_grace=np.zeros(N_WRITTEN, dtype=bool),
        articulation=tuple((articulation or {}).get(i, "") for i in range(N_WRITTEN)),
        velocity=0 * ones,
        bar=np.arange(N_WRITTEN) // 2,
        bar_onset_beat=onset[::2],
        bar_beats=np.full(5, 2.0),
        bar_name=("1", "2", "3", "4", "5"),
        tempo_bpm=60.0,
        marks=(),
    )


def alignment(
    *,
    missing: tuple[int, ...] = (),
    wrong: tuple[int, ...] = (),
    extra: tuple[tuple[float, int], ...] = (),
    articulation: dict[int, str] | None = None,
) -> Alignment:
    """Played at 60 beats a minute; `missing` and `wrong` name written notes, `extra` is (beat, pitch)."""
    struck = [i for i in range(N_WRITTEN) if i not in missing]
    beat = np.array([*map(float, struck), *(at for at, _ in extra)])
    pitch = np.array([*(61 if i in wrong else 60 for i in struck), *(p for _, p in extra)])
    swapped = [(i, struck.index(i)) for i in wrong]
    added = [len(struck) + k for k in range(len(extra))]
    return Alignment(
        score=score(articulation),
        match=np.array([(i, k) for k, i in enumerate(struck) if i not in wrong]).reshape(-1, 2),
        deletion=np.array(sorted((*missing, *wrong)), dtype=int),
        insertion=np.array(sorted([*(k for _, k in swapped), *added]), dtype=int),
        substitution=np.array(swapped, dtype=int).reshape(-1, 2),
        anchor_beat=np.array([0.0, 9.0]),
        anchor_sec=np.array([0.0, 9.0]),
        performance_beat=beat,
        performance_onset_sec=beat,
        performance_pitch=pitch,
    )


def test_all_right() -> None:
    accuracy = rate_note_accuracy(alignment())
    assert accuracy.value == 100.0
    assert (accuracy.n_match, accuracy.n_events) == (10, 10)
    assert accuracy.interval_90[1] == 100.0
    assert accuracy.interval_90[0] == pytest.approx(100 * beta.ppf(0.05, 10.5, 0.5))


def test_a_wrong_note_counts_once() -> None:
    accuracy = rate_note_accuracy(alignment(wrong=(3,)))
    assert accuracy.value == pytest.approx(90.0)
    assert (accuracy.n_match, accuracy.n_wrong, accuracy.n_missing, accuracy.n_extra) == (9, 1, 0, 0)


def test_wrong_missing_and_extra_notes_add_up() -> None:
    accuracy = rate_note_accuracy(alignment(wrong=(3,), missing=(5, 6), extra=((7.5, 72),)))
    assert (accuracy.n_match, accuracy.n_wrong, accuracy.n_missing, accuracy.n_extra) == (7, 1, 2, 1)
    assert accuracy.value == pytest.approx(100 * 7 / 11)


def test_a_span_counts_what_was_played_or_due_in_it() -> None:
    played = alignment(wrong=(3,), missing=(5,), extra=((7.5, 72),))
    first = rate_note_accuracy(played, span_sec=(0.0, 5.0))
    second = rate_note_accuracy(played, span_sec=(5.0, 10.0))
    assert (first.n_match, first.n_wrong, first.n_missing, first.n_extra) == (4, 1, 0, 0)
    assert (second.n_match, second.n_wrong, second.n_missing, second.n_extra) == (4, 0, 1, 1)


def test_an_empty_span_has_no_value_but_a_reason() -> None:
    accuracy = rate_note_accuracy(alignment(), span_sec=(100.0, 110.0))
    assert math.isnan(accuracy.value)
    assert accuracy.interval_90 == (0.0, 100.0)
    assert accuracy.reason == "no note was played or due in this span"


@pytest.mark.parametrize(
    ("sign", "beat", "pitch", "n_extra"),
    [
        ("trill-mark", 4.25, 62, 0),
        ("trill-mark", 3.8, 62, 0),
        ("mordent", 4.1, 59, 0),
        ("turn,staccato", 4.5, 58, 0),
        ("trill-mark", 4.25, 63, 1),
        ("trill-mark", 5.0, 62, 1),
        ("trill-mark", 3.7, 62, 1),
        ("staccato", 4.25, 62, 1),
        ("tremolo", 4.25, 60, 0),
        ("tremolo", 4.25, 61, 1),
        ("", 4.25, 60, 1),
    ],
)
def test_only_what_an_ornament_sign_asks_for_is_forgiven(
    sign: str, beat: float, pitch: int, n_extra: int
) -> None:
    accuracy = rate_note_accuracy(alignment(extra=((beat, pitch),), articulation={4: sign}))
    assert accuracy.n_extra == n_extra
    assert accuracy.n_events == 10 + n_extra


def test_an_alignment_without_its_performance_is_refused() -> None:
    bare = replace(alignment(), performance_pitch=np.zeros(0, dtype=int))
    with pytest.raises(InputError, match="does not carry the performance"):
        rate_note_accuracy(bare)


@given(n=st.integers(1, 3000), share=st.floats(0, 1))
def test_the_interval_holds_the_share_and_narrows_with_more_notes(n: int, share: float) -> None:
    right = round(share * n)
    low, high = jeffreys_interval(right, n)
    assert 0 <= low <= 100 * right / n <= high <= 100
    more_low, more_high = jeffreys_interval(4 * right, 4 * n)
    assert more_high - more_low <= high - low + 1e-9


def test_the_interval_holds_ninety_percent_of_the_beta_density() -> None:
    low, high = jeffreys_interval(37, 45)
    inside, _ = quad(beta(37.5, 8.5).pdf, low / 100, high / 100)
    assert inside == pytest.approx(0.9, abs=1e-6)


def test_the_interval_covers_the_truth_about_nine_times_in_ten() -> None:
    """Exact coverage: the sum of binomial probabilities of the counts whose interval holds the truth.

    Known from the source: near 90 % on average, never far below, for shares away from 0 and 1.
    """
    from scipy.stats import binom

    truths = np.linspace(0.6, 0.95, 40)
    intervals = np.array([jeffreys_interval(k, 200) for k in range(201)]) / 100
    coverage = [
        binom.pmf(np.flatnonzero((intervals[:, 0] <= p) & (p <= intervals[:, 1])), 200, p).sum()
        for p in truths
    ]
    assert np.mean(coverage) == pytest.approx(0.9, abs=0.01)
    assert min(coverage) > 0.86


def test_components_enter_the_rating_with_these_weights_and_shapes() -> None:
    """Weight, which way is better, how the value is bent, and what is added before a logarithm."""
    entering = {c.name: (c.weight, c.better, c.shape, c.from_value) for c in COMPONENTS if c.weight > 0.0}
    assert entering == {
        "weighted_error": (1.0, "less", "root", 1.0),
    }
    assert [c.name for c in COMPONENTS if c.weight == 0.0] == [
        "wrong_share",
        "missing_share",
        "extra_share",
        "skipped_share",
        "restart_rate",
        "repeated_errors",
    ]
