"""The rules that say which ratings survive a change."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocco.errors import InputError
from tocco.music.label_rules import LABEL_RULES, labels_touched, tempo_amount, valid_labels
from tocco.rubrics import DESCRIPTORS, DIMENSIONS_FROM_DESCRIPTORS, TARGETS, TOCCO10


@pytest.mark.parametrize("change", LABEL_RULES)
def test_every_rule_names_known_targets_and_has_an_ascending_ladder(change) -> None:
    rule = LABEL_RULES[change]
    amounts = [amount for amount, _ in rule.steps]
    assert rule.change == change
    assert amounts == sorted(set(amounts))
    assert set().union(*(targets for _, targets in rule.steps)) <= set(DESCRIPTORS)
    harmless = min(amounts + [d.touched_by[change] for d in TOCCO10.dimensions if change in d.touched_by])
    assert rule.touched(harmless) == frozenset()
    assert rule.touched(harmless + 1e-9)


def test_a_dimension_has_an_amount_of_its_own_beside_those_of_its_descriptors() -> None:
    assert labels_touched("notes", 0.04) == {"note_accuracy"}
    assert "phrasing" not in labels_touched("velocity", 8.0)
    assert "phrasing" in labels_touched("velocity", 9.0)  # "flat to spacious" keeps its labels
    assert "musicmaking_flat_spacious" not in labels_touched("velocity", 20.0)
    assert "musicality" in labels_touched("velocity", 17.0)


def test_the_rows_name_known_changes() -> None:
    assert {change for d in TOCCO10.dimensions for change in d.touched_by} <= set(LABEL_RULES)


@given(change=st.sampled_from(sorted(LABEL_RULES)), low=st.floats(-60, 60), more=st.floats(0, 60))
def test_more_never_touches_less(change, low, more) -> None:
    assert labels_touched(change, low) <= labels_touched(change, low + more)


@given(change=st.sampled_from(sorted(LABEL_RULES)), amount=st.floats(-60, 60))
def test_a_dimension_falls_with_the_descriptors_it_is_read_from(change, amount) -> None:
    touched = labels_touched(change, amount)
    for dimension, parts in DIMENSIONS_FROM_DESCRIPTORS.items():
        if touched & {name for name, _ in parts}:
            assert dimension in touched


def test_nothing_changed_keeps_all() -> None:
    assert valid_labels({}) == set(TARGETS)


def test_a_tempo_change_takes_the_tempo_and_rhythm_ratings_only() -> None:
    assert set(TARGETS) - valid_labels({"tempo": tempo_amount(0.95)}) == {
        "musicmaking_fast_slow",
        "mood_lowenergy_highenergy",
        "rhythmic_precision",
        "timing_stable_unstable",
    }


def test_several_changes_add_up() -> None:
    amounts = {"tempo": 0.05, "room": 1.0}
    assert valid_labels(amounts) == valid_labels({"tempo": 0.05}) & valid_labels({"room": 1.0})


def test_the_transcriber_that_findings_describe_touches_no_rating() -> None:
    assert valid_labels({"timing": 5.0, "notes": 0.03, "release": 40.0, "pedal": 0.5}) == set(TARGETS)


@given(st.floats(0.1, 10.0))
def test_a_tempo_ratio_and_its_inverse_are_as_far(ratio) -> None:
    assert tempo_amount(ratio) == pytest.approx(tempo_amount(1 / ratio))
    assert tempo_amount(ratio) >= 0


def test_what_is_no_amount_or_change_is_refused() -> None:
    with pytest.raises(InputError, match="not a number"):
        labels_touched("tempo", math.nan)
    with pytest.raises(InputError, match=r"'mood'.*tempo"):
        labels_touched("mood", 1.0)
    with pytest.raises(InputError, match="above 0"):
        tempo_amount(0.0)
