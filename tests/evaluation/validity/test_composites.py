"""Composites do what they say: which notes, by how much, and nothing else."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from corruption_etude import BEAT_SEC, etude
from tocco.errors import InputError
from tocco.evaluation.validity.composites import (
    COMPOSITE_MAKERS,
    NEEDS_PEDAL_SHARE,
    Damaged,
    clusters,
    damaged_by,
    left_hand,
)
from tocco.evaluation.validity.kinds import COMPOSITES, DAMAGES
from tocco.music.alignment import Alignment
from tocco.music.corruption import CORRUPTIONS, HELD_OUT_KINDS
from tocco.music.corruption.context import read_context
from tocco.music.performance import PedalCurve, Performance

FULL = {one.name: one.doses[-1] for one in COMPOSITES}


@cache
def clean() -> tuple[Performance, Alignment]:
    return etude()


def made(name: str, dose: float | None = None, seed: int = 1) -> Damaged:
    played, alignment = clean()
    dose = FULL[name] if dose is None else dose
    return damaged_by(name, played, dose, np.random.default_rng(seed), alignment)


def old(damaged: Damaged) -> tuple[np.ndarray, np.ndarray]:
    """Index of the clean notes that are left, and of where they are."""
    kept = np.flatnonzero(damaged.new_of_old >= 0)
    return kept, damaged.new_of_old[kept]


def test_every_composite_has_a_maker_and_every_corruption_a_damage() -> None:
    assert list(COMPOSITE_MAKERS) == [one.name for one in COMPOSITES]
    assert set(DAMAGES) == {*CORRUPTIONS, *COMPOSITE_MAKERS}
    assert {name for name, one in DAMAGES.items() if one.group == "held_out"} == set(HELD_OUT_KINDS)
    assert len(HELD_OUT_KINDS) == 5


def test_doses_of_a_corruption_are_steps_one_three_and_five() -> None:
    assert DAMAGES["wrong_notes"].doses == (0.01, 0.04, 0.15)


@pytest.mark.parametrize("name", COMPOSITE_MAKERS)
def test_a_composite_is_a_valid_performance_and_repeatable(name: str) -> None:
    one, again = made(name), made(name)
    played = one.performance
    assert np.array_equal(played.onset_sec, again.performance.onset_sec)
    assert np.all(played.offset_sec > played.onset_sec)
    assert np.array_equal(np.lexsort((played.pitch, played.onset_sec)), np.arange(len(played)))
    kept, place = old(one)
    assert len(np.unique(place)) == len(kept)


def test_sustain_is_down_for_the_share_of_the_time() -> None:
    played, _ = clean()
    time = np.arange(0.0, played.duration_sec, 0.01)
    assert np.all(made("sustain_held").performance.sustain.at(time) == 127.0)
    half = made("sustain_held", 0.5).performance.sustain
    later = time > 0.5 * played.duration_sec + 0.01
    assert np.all(half.at(time[~later][:-2]) == 127.0)
    assert np.array_equal(half.at(time[later]), played.sustain.at(time[later]))


def test_no_pedal_leaves_none_and_refuses_music_that_needs_none() -> None:
    played, alignment = clean()
    assert len(made("no_pedal").performance.sustain) == 0
    part = made("no_pedal", 0.4).performance.sustain
    assert part.time_sec[0] >= 0.4 * played.duration_sec - 1e-9
    dry = Performance(
        **{**played.__dict__, "sustain": PedalCurve(np.array([0.0, 3.0]), np.array([127.0, 0.0]))}
    )
    with pytest.raises(InputError, match="sustaining pedal for"):
        damaged_by("no_pedal", dry, 1.0, np.random.default_rng(0), alignment)


@pytest.mark.parametrize(("factor", "is_needed"), [(0.95, False), (1.05, True)])
def test_music_needs_a_pedal_that_is_down_for_half_of_the_time(factor: float, is_needed: bool) -> None:
    played, alignment = clean()
    down = NEEDS_PEDAL_SHARE * factor * played.duration_sec
    pedal = PedalCurve(np.array([0.0, down]), np.array([127.0, 0.0]))
    held = Performance(**{**played.__dict__, "sustain": pedal})
    if is_needed:
        damaged_by("no_pedal", held, 1.0, np.random.default_rng(0), alignment)
        return
    with pytest.raises(InputError, match="at least 50%"):
        damaged_by("no_pedal", held, 1.0, np.random.default_rng(0), alignment)


def test_random_velocities_change_velocities_alone() -> None:
    played, _ = clean()
    worse = made("random_velocities").performance
    assert np.array_equal(worse.onset_sec, played.onset_sec)
    assert np.array_equal(worse.pitch, played.pitch)
    assert 20 <= worse.velocity.min() < 30
    assert 100 < worse.velocity.max() <= 110
    assert abs(np.corrcoef(worse.velocity, played.velocity)[0, 1]) < 0.2


def test_mess_has_a_quarter_of_wrong_notes_and_stops() -> None:
    played, _ = clean()
    worse = made("mess")
    kept, place = old(worse)
    wrong = np.mean(worse.performance.pitch[place] != played.pitch[kept])
    assert wrong == pytest.approx(0.25, abs=0.01)
    shift = worse.performance.onset_sec[place] - played.onset_sec[kept]
    n_stops = round(10.0 * (played.onset_sec[-1] - played.onset_sec[0]) / 60.0)
    assert len(np.unique(np.round(shift, 6))) - 1 == n_stops == 5
    assert 1.0 * n_stops <= shift.max() <= 3.0 * n_stops
    half = made("mess", 0.125)
    kept, place = old(half)
    assert np.mean(half.performance.pitch[place] != played.pitch[kept]) == pytest.approx(0.125, abs=0.01)


def test_jitter_scatters_by_its_dose() -> None:
    played, _ = clean()
    for dose in (50.0, 150.0):
        kept, place = old(made("jitter", dose))
        moved = made("jitter", dose).performance.onset_sec[place] - played.onset_sec[kept]
        assert np.std(moved) == pytest.approx(dose / 1000.0, rel=0.2)


def test_stops_put_in_so_many_pauses_a_minute() -> None:
    played, _ = clean()
    worse = made("stops", 12.0)
    kept, place = old(worse)
    shift = worse.performance.onset_sec[place] - played.onset_sec[kept]
    put_in = np.unique(np.round(np.diff(np.unique(np.round(shift, 6))), 3))
    minutes = (played.onset_sec[-1] - played.onset_sec[0]) / 60.0
    assert len(np.unique(np.round(shift, 6))) - 1 == round(12.0 * minutes)
    assert 1.0 <= put_in.min() <= put_in.max() <= 3.0


def test_the_left_hand_is_staff_two_or_below_middle_c() -> None:
    played, alignment = clean()
    staff = alignment.score.staff[alignment.match[np.argsort(alignment.match[:, 1]), 0]]
    assert np.array_equal(left_hand(read_context(played, alignment)), staff == 2)
    assert np.array_equal(left_hand(read_context(played, None)), played.pitch < 60)
    with pytest.raises(InputError, match="one hand alone"):
        left_hand(read_context(played.only(played.pitch > 71), None))


def test_one_hand_is_a_semitone_off() -> None:
    played, alignment = clean()
    left = left_hand(read_context(played, alignment))
    kept, place = old(made("hand_semitone_off"))
    difference = made("hand_semitone_off").performance.pitch[place] - played.pitch[kept]
    assert np.array_equal(difference, left[kept].astype(int))
    part = made("hand_semitone_off", 0.35)
    kept, place = old(part)
    off = part.performance.pitch[place] != played.pitch[kept]
    assert played.onset_sec[kept][off].max() < 0.35 * played.duration_sec


def test_hands_are_apart_by_the_dose() -> None:
    played, alignment = clean()
    left = left_hand(read_context(played, alignment))
    worse = made("hands_apart")
    kept, place = old(worse)
    late = worse.performance.onset_sec[place] - played.onset_sec[kept]
    assert np.allclose(late, 0.2 * left[kept])


def test_bars_are_shuffled_whole_and_none_stays() -> None:
    played, alignment = clean()
    worse = made("bars_shuffled")
    kept, place = old(worse)
    shift = worse.performance.onset_sec[place] - played.onset_sec[kept]
    bar = alignment.score.bar[alignment.match[np.argsort(alignment.match[:, 1]), 0]][kept]
    per_bar = [np.unique(np.round(shift[bar == b], 6)) for b in np.unique(bar)]
    assert all(len(one) == 1 for one in per_bar)
    assert all(abs(float(one[0])) >= 4 * BEAT_SEC - 1.0 for one in per_bar)
    assert np.array_equal(np.sort(worse.performance.pitch), np.sort(played.pitch[kept]))
    assert len(kept) > 0.99 * len(played)
    few = made("bars_shuffled", 0.35)
    kept, place = old(few)
    moved = few.performance.onset_sec[place] - played.onset_sec[kept]
    bars_moved = {int(b) for b, s in zip(alignment.score.bar, moved, strict=False) if abs(s) > 0.6}
    assert 4 <= len(bars_moved) <= 16


def test_the_pedal_goes_with_its_bar() -> None:
    played, _ = clean()
    worse = made("bars_shuffled")
    kept, place = old(worse)
    middle = played.onset_sec[kept] + 0.3
    shift = worse.performance.onset_sec[place] - played.onset_sec[kept]
    inside = np.mod(played.onset_sec[kept] - 0.5, 4 * BEAT_SEC) < 4 * BEAT_SEC - 0.31
    assert np.array_equal(
        worse.performance.sustain.at((middle + shift)[inside]), played.sustain.at(middle[inside])
    )


@pytest.mark.parametrize("dose", [1.0, 4.0])
def test_legatissimo_holds_each_key_over_the_next_chords(dose: float) -> None:
    played, alignment = clean()
    context = read_context(played, alignment)
    worse = made("legatissimo", dose)
    kept, place = old(worse)
    after = context.group_sec[np.minimum(context.group_of[kept] + int(dose), context.n_groups - 1)]
    struck_again = np.array(
        [
            np.any((played.pitch == p) & (played.onset_sec > s))
            for p, s in zip(played.pitch, played.onset_sec, strict=True)
        ]
    )[kept]
    held = worse.performance.offset_sec[place]
    assert np.all(held[~struck_again] >= after[~struck_again])
    assert np.array_equal(worse.performance.onset_sec, played.onset_sec)


def test_mashing_leaves_no_note_of_its_share() -> None:
    played, _ = clean()
    assert np.all(made("mashing").new_of_old == -1)
    part = made("mashing", 0.35)
    assert np.array_equal(part.new_of_old >= 0, played.onset_sec >= 0.35 * played.duration_sec)


def test_clusters_are_neighbouring_keys_eight_a_second() -> None:
    onset, offset, pitch, velocity = clusters(10.0, np.random.default_rng(0))
    start, size = np.unique(onset, return_counts=True)
    assert len(start) == 80
    assert set(size.tolist()) <= {4, 5, 6}
    assert all(np.ptp(pitch[onset == s]) == np.sum(onset == s) - 1 for s in start)
    assert velocity.min() >= 70
    assert velocity.max() <= 120
    assert 0.08 <= (offset - onset).min() <= (offset - onset).max() <= 0.2


def test_wrong_notes_are_the_share_of_the_dose() -> None:
    played, _ = clean()
    kept, place = old(made("wrong_notes_40"))
    wrong = made("wrong_notes_40").performance.pitch[place] != played.pitch[kept]
    assert wrong.mean() == pytest.approx(0.4, abs=0.02)
