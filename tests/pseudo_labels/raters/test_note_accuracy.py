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

from rater_etude import play, study_score
from tocco.errors import InputError
from tocco.music.alignment import Alignment
from tocco.music.matching.spans import RetriedSpan, SkippedSpan
from tocco.music.score import Score
from tocco.pseudo_labels.observed.evidence import NO_SCORE, Evidence
from tocco.pseudo_labels.pseudo_label import Cause
from tocco.pseudo_labels.raters.note_accuracy import (
    COMPONENTS,
    jeffreys_interval,
    measure_note_accuracy,
    rate_note_accuracy,
)
from tocco.pseudo_labels.raters.note_errors import find_note_errors
from tocco.pseudo_labels.raters.salience import written_salience

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


STUDY = study_score()


def errors_everywhere() -> Evidence:
    """One error of each kind, placed by hand.

    The upper notes of beats 9.5 and 33.5 are missing, that of 28.5 is wrong, one more key is struck at 30
    seconds, bars 5 and 6 are skipped, and eleven notes from beat 8 are attempted twice.
    """
    performance, alignment = play(STUDY)
    upper = {
        beat: int(np.flatnonzero((STUDY.onset_beat == beat) & (STUDY.staff == 1))[0])
        for beat in (9.5, 28.5, 33.5)
    }
    skipped = np.flatnonzero((STUDY.onset_beat >= 16.0) & (STUDY.onset_beat < 24.0))
    gone = np.isin(alignment.match[:, 0], [*upper.values(), *skipped])
    match = alignment.match[~gone]
    wrong = alignment.match[upper[28.5]]
    added = int(np.argmin(np.abs(performance.onset_sec - 30.0)))
    match = match[match[:, 1] != added]
    return Evidence(
        performance,
        replace(
            alignment,
            match=match,
            deletion=np.sort(list(upper.values())),
            insertion=np.sort([wrong[1], added]),
            substitution=wrong[None],
            unplayed=skipped,
            skips=(SkippedSpan(10.0, 16.0, 23.5),),
            retries=(RetriedSpan(40, 50, 6.0, 8.5, 8.0, 10.0),),
            confidence=np.ones(len(match)),
        ),
    )


def test_each_kind_of_error_is_counted_and_weighed() -> None:
    given = errors_everywhere()
    assert given.alignment is not None
    label = measure_note_accuracy(given)
    found = {name: part.value for name, part in label.components.items()}
    n_right, n_skipped = len(given.alignment.match), 32
    n_events = n_right + 1 + 2 + 1 + n_skipped
    assert found["wrong_share"] == pytest.approx(1 / n_events)
    assert found["missing_share"] == pytest.approx(2 / n_events)
    assert found["extra_share"] == pytest.approx(1 / n_events)
    assert found["skipped_share"] == pytest.approx(n_skipped / n_events)
    assert found["restart_rate"] == pytest.approx(60.0 / given.performance.duration_sec)
    assert found["repeated_errors"] == 0.0
    errors = given.once(find_note_errors)
    weight, good = errors.error_weight.sum(), errors.right_weight.sum()
    assert found["weighted_error"] == pytest.approx(weight / (weight + good))
    kinds = [cause.kind for cause in label.causes]
    assert sorted(kinds) == ["extra", "missing", "missing", "restart", "skipped", "wrong"]


def test_each_cause_says_where_and_names_its_notes() -> None:
    given = errors_everywhere()
    assert given.alignment is not None
    causes: dict[str, list[Cause]] = {}
    for cause in measure_note_accuracy(given).causes:
        causes.setdefault(cause.kind, []).append(cause)
    (skipped,), (restart,), (wrong,), (extra,) = (causes[k] for k in ("skipped", "restart", "wrong", "extra"))
    assert skipped.text.startswith("bars 5–6: 32 notes ")
    assert (skipped.start_sec, skipped.end_sec) == (10.0, 10.0)
    assert (len(skipped.score_notes), skipped.performance_notes) == (32, ())
    assert restart.text.startswith("bar 3, beat 1: ")
    assert (restart.start_sec, restart.end_sec) == (6.0, 8.5)
    assert (restart.performance_notes, restart.score_notes) == (tuple(range(40, 51)), ())
    assert wrong.text.startswith("bar 8, beat 1.5: ")
    assert " instead of " in wrong.text
    assert (len(wrong.performance_notes), len(wrong.score_notes)) == (1, 1)
    assert extra.text.endswith(" is added")
    assert (len(extra.performance_notes), extra.score_notes) == (1, ())
    first, second = sorted(causes["missing"], key=lambda cause: cause.start_sec)
    assert first.text == "bar 3, beat 2.5: A5 is missing"
    assert second.text.startswith("bar 9, beat 2.5: ")
    assert (first.performance_notes, len(first.score_notes)) == ((), 1)
    salience = written_salience(STUDY)
    assert first.size == pytest.approx(salience[first.score_notes[0]])
    assert skipped.size == pytest.approx(salience[list(skipped.score_notes)].sum())
    assert restart.size == pytest.approx(6.0 * salience.mean())


def test_a_single_skipped_bar_is_named_alone() -> None:
    given = errors_everywhere()
    assert given.alignment is not None
    skipped = np.flatnonzero((STUDY.onset_beat >= 16.0) & (STUDY.onset_beat < 20.0))
    one = replace(given.alignment, skips=(SkippedSpan(10.0, 16.0, 19.5),), unplayed=skipped)
    texts = [cause.text for cause in measure_note_accuracy(Evidence(given.performance, one)).causes]
    assert any(text.startswith("bar 5: 16 notes ") for text in texts)


def test_errors_count_in_the_span_where_they_were_made() -> None:
    given = errors_everywhere()
    before = measure_note_accuracy(given, (0.0, 8.0)).components
    around = measure_note_accuracy(given, (8.0, 12.0)).components
    assert before["restart_rate"].value == 0.0
    assert before["missing_share"].value > 0.0
    assert before["skipped_share"].value == 0.0
    assert around["restart_rate"].value == pytest.approx(60.0 / 4.0)
    assert around["skipped_share"].value > 0.5
    empty = measure_note_accuracy(given, (500.0, 510.0))
    assert empty.missing["weighted_error"] == "no note was played or due in this span"
    assert measure_note_accuracy(Evidence(given.performance)).missing["note_accuracy"] == NO_SCORE


def test_the_very_first_notes_have_names_too() -> None:
    """The first written note is missing; then the first played key is one in place of another."""
    performance, alignment = play(STUDY)
    omitted = replace(
        alignment,
        match=alignment.match[1:],
        deletion=np.array([0]),
        insertion=np.array([0]),
        confidence=np.ones(255),
    )
    assert alignment.match[0].tolist() == [0, 0]
    texts = {c.kind: c.text for c in measure_note_accuracy(Evidence(performance, omitted)).causes}
    assert texts == {"missing": "bar 1, beat 1: C2 is missing", "extra": "bar 1, beat 1: C2 is added"}
    wrong = replace(omitted, substitution=np.array([[0, 0]]))
    (cause,) = measure_note_accuracy(Evidence(performance, wrong)).causes
    assert cause.text == "bar 1, beat 1: C2 instead of C2"
    assert (cause.performance_notes, cause.score_notes) == ((0,), (0,))


def test_a_skip_is_named_from_its_first_note_on() -> None:
    """The last note of bar 4 and the first onset of bar 5."""
    performance, alignment = play(STUDY)
    skipped = np.flatnonzero((STUDY.onset_beat >= 15.5) & (STUDY.onset_beat < 16.5))
    one = replace(
        alignment,
        match=alignment.match[~np.isin(alignment.match[:, 0], skipped)],
        unplayed=skipped,
        skips=(SkippedSpan(10.0, 15.5, 16.0),),
    )
    (cause,) = measure_note_accuracy(Evidence(performance, one)).causes
    assert cause.text.startswith("bars 4–5: 4 notes ")
