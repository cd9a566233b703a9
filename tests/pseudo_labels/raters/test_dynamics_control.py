"""Dynamics control: planted levels, lines, spikes and hairpins come out as they were put in."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from rater_etude import play, study_score
from tocco.music.notation import Mark
from tocco.music.score import Score
from tocco.pseudo_labels.norms.accents import expected_accents
from tocco.pseudo_labels.norms.level import expected_dynamics_contour
from tocco.pseudo_labels.observed.evidence import NO_SCORE, Evidence
from tocco.pseudo_labels.raters import dynamics_control
from tocco.pseudo_labels.raters.dynamics_control import (
    COMPONENTS,
    measure_dynamics_control,
    read_levels,
)
from tocco.units import FloatArray

SCORE = study_score()
UPPER = SCORE.staff == 1


def evidence(velocity: FloatArray, marks: tuple[Mark, ...] = ()) -> Evidence:
    return Evidence(*play(study_score(marks=marks), velocity=velocity))


def values(given: Evidence, span_sec: tuple[float, float] | None = None) -> dict[str, float]:
    return {name: c.value for name, c in measure_dynamics_control(given, span_sec).components.items()}


def swell() -> FloatArray:
    """From 40 to 90 and back over the sixteen bars."""
    return 90.0 - 50.0 * np.abs(SCORE.onset_beat - 32.0) / 32.0


def test_one_level_has_no_range() -> None:
    label = measure_dynamics_control(evidence(np.full(len(SCORE), 64.0)))
    assert label.components["level_range"].value == 0.0
    assert label.components["level"].value == 64.0
    assert label.components["shaping"].value == pytest.approx(0.0, abs=1e-9)
    assert label.components["accentuation"].value == pytest.approx(0.0, abs=1e-9)
    assert label.missing["unevenness"] == "the level of the whole performance is constant"
    assert label.missing["hairpin_change"] == "no hairpin is marked here"


def test_the_range_of_a_swell() -> None:
    got = values(evidence(swell()))
    assert got["level_range"] == pytest.approx(0.9 * 50.0, abs=2.0)
    assert got["unevenness"] < 0.1


def test_the_melody_above_the_accompaniment() -> None:
    assert values(evidence(np.where(UPPER, 78.0, 61.0)))["melody_above_accompaniment"] == 17.0


def test_louder_as_the_line_rises_is_shaping() -> None:
    """Eight times the expected contour, but for its quickest changes, which three seconds leave out."""
    course = expected_dynamics_contour(evidence(np.full(len(SCORE), 64.0)))
    at_note = course[np.round(2 * SCORE.onset_beat).astype(int)]
    follows = values(evidence(64.0 + 8.0 * at_note))["shaping"]
    against = values(evidence(64.0 - 8.0 * at_note))["shaping"]
    assert 0.4 * 8.0 * course.std() < follows < 8.0 * course.std()
    assert against == pytest.approx(-follows, rel=0.05)


def test_who_brings_out_what_the_music_does_follows_its_accents() -> None:
    """Three times what is suggested, three times its spread; turned round, the same below nothing."""
    flat = evidence(np.full(len(SCORE), 64.0))
    suggested = expected_accents(flat)
    assert flat.written is not None
    at_note = np.zeros(len(SCORE))
    at_note[flat.written.note] = suggested
    follows = values(evidence(64.0 + 3.0 * at_note))["accentuation"]
    against = values(evidence(64.0 - 3.0 * at_note))["accentuation"]
    assert follows == pytest.approx(3.0 * np.sqrt(np.mean(suggested**2)), rel=0.05)
    assert against == pytest.approx(-follows, rel=0.05)
    softer = values(evidence(64.0 + 1.5 * at_note))["accentuation"]
    assert softer == pytest.approx(0.5 * follows, rel=0.05)


def test_unevenness_is_against_level_and_voices_and_not_against_the_spikes(rng: np.random.Generator) -> None:
    """Two voices twenty steps apart, and a level that stays: ten on either side of the middle."""
    voiced = np.where(UPPER, 74.0, 54.0)
    spikes = np.where(rng.random(len(SCORE)) < 0.1, 20.0, 0.0) * UPPER
    label = measure_dynamics_control(evidence(voiced + spikes))
    # Between the beats the one note that is struck is the highest and the lowest, and counts in both lines.
    times = 1 + (SCORE.onset_beat[UPPER] % 1.0 != 0.0)
    off = float(np.sum(spikes[UPPER] * times)) / 256
    assert label.components["unevenness"].value == pytest.approx(off / 10.0, rel=0.1)
    twice = values(evidence(voiced + 2.0 * spikes))["unevenness"]
    assert twice == pytest.approx(2.0 * label.components["unevenness"].value, rel=0.2)


def test_spikes_raise_unevenness_and_are_named(rng: np.random.Generator) -> None:
    spike = rng.normal(0.0, 1.0, len(SCORE))
    got = [values(evidence(swell() + s * spike))["unevenness"] for s in (0.0, 4.0, 8.0, 16.0)]
    assert got == sorted(got)
    one = swell()
    at = int(np.flatnonzero(UPPER & (SCORE.onset_beat == 21.5))[0])
    one[at] += 30.0
    label = measure_dynamics_control(evidence(one))
    assert (
        label.causes[0].text
        == "bar 6, beat 2.5: one note is louder than its line (by 30 of 127 steps of velocity)"
    )


def test_flattening_lowers_range_and_shaping_and_leaves_evenness(rng: np.random.Generator) -> None:
    noisy = swell() + 0.5 * SCORE.pitch + rng.normal(0.0, 3.0, len(SCORE))
    got = [values(evidence(64.0 + s * (noisy - noisy.mean()))) for s in (1.0, 0.7, 0.4)]
    assert got[0]["level_range"] > got[1]["level_range"] > got[2]["level_range"]
    assert got[0]["shaping"] > got[1]["shaping"] > got[2]["shaping"]
    assert got[0]["accentuation"] > got[1]["accentuation"] > got[2]["accentuation"] > 0.0
    assert got[2]["unevenness"] == pytest.approx(got[0]["unevenness"], rel=0.15)


def test_hairpins_played_and_not_played() -> None:
    marks = (Mark("crescendo", "cresc.", 0.0, 31.0), Mark("diminuendo", "dim.", 33.0, 63.0))
    got = values(evidence(swell(), marks))["hairpin_change"]
    assert got == pytest.approx(0.5 * (50.0 * 31 / 32 + 50.0 * 30 / 32), abs=3.0)
    against = measure_dynamics_control(evidence(130.0 - swell(), marks))
    assert against.components["hairpin_change"].value == pytest.approx(-got, abs=3.0)
    assert "bar 1, beat 1: the crescendo is not played" in {c.text.split(" (")[0] for c in against.causes}


AT = (SCORE.onset_beat == 21.0) & UPPER
ACCENTED = replace(SCORE, articulation=tuple("accent" if one else "" for one in AT))
PLAIN = np.where(UPPER, 70.0, 60.0)


def accents(velocity: FloatArray, score: Score = ACCENTED, span_sec: tuple[float, float] | None = None):
    """The causes of a label that are accents, and its performance."""
    performance, alignment = play(score, velocity=velocity)
    label = measure_dynamics_control(Evidence(performance, alignment), span_sec)
    return [cause for cause in label.causes if cause.kind == "accent"], performance


def test_an_accent_that_is_softer_than_what_is_near_is_named() -> None:
    """The note that bears it alone, whatever the others of its onset do."""
    (cause,), performance = accents(np.where(AT, 60.0, PLAIN) + 9.0 * ((SCORE.onset_beat == 21.0) & ~UPPER))
    assert cause.text.startswith("bar 6, beat 2: the accent is not played (velocity -")
    (note,) = cause.performance_notes
    assert (performance.pitch[note], performance.velocity[note]) == (SCORE.pitch[AT][0], 60)
    assert cause.start_sec == cause.end_sec == pytest.approx(performance.onset_sec[note])
    assert cause.size == pytest.approx(10.0, abs=2.0)


def test_an_accent_that_is_played_is_neither_lost_nor_uneven() -> None:
    loud = np.where(AT, 95.0, PLAIN)
    assert accents(loud)[0] == []
    assert measure_dynamics_control(Evidence(*play(ACCENTED, velocity=loud))).causes == ()
    assert [c.kind for c in measure_dynamics_control(evidence(loud)).causes] == ["uneven"]
    dropped = measure_dynamics_control(Evidence(*play(ACCENTED, velocity=np.where(AT, 40.0, PLAIN))))
    assert {cause.kind for cause in dropped.causes} == {"uneven", "accent"}


def test_where_all_is_accented_or_nothing_is_near_no_accent_is_lost(rng: np.random.Generator) -> None:
    everywhere = replace(SCORE, articulation=tuple("accent" if up else "" for up in UPPER))
    assert accents(PLAIN + rng.normal(0.0, 1.5, len(SCORE)), everywhere)[0] == []
    performance, alignment = play(everywhere, sec_of_beat=lambda beat: 2.6 * beat, velocity=PLAIN)
    assert measure_dynamics_control(Evidence(performance, alignment)).causes == ()


def test_a_sign_asks_the_whole_onset_and_a_span_names_its_own() -> None:
    sign = study_score(marks=(Mark("dynamics", "sfz", 21.0, 21.0),))
    soft = np.where(SCORE.onset_beat == 21.0, PLAIN - 12.0, PLAIN)
    (cause,), performance = accents(soft, sign)
    assert sorted(performance.pitch[list(cause.performance_notes)]) == sorted(
        SCORE.pitch[SCORE.onset_beat == 21.0]
    )
    at_sec = cause.start_sec
    assert len(accents(soft, sign, (at_sec - 4.0, at_sec + 4.0))[0]) == 1
    assert accents(soft, sign, (at_sec + 1.0, at_sec + 9.0))[0] == []


def test_accents_of_a_span_are_those_of_its_notes() -> None:
    """Followed in the first half alone; shaping looks five seconds further, accents do not."""
    flat = evidence(np.full(len(SCORE), 64.0))
    assert flat.written is not None
    at_note = np.zeros(len(SCORE))
    at_note[flat.written.note] = expected_accents(flat)
    half = evidence(64.0 + 3.0 * np.where(SCORE.onset_beat < 32.0, at_note, 0.0))
    middle = float(half.onset_groups.onset_sec[half.written.onset_beat == 32.0][0])  # type: ignore[union-attr]
    first, second = values(half, (0.0, middle)), values(half, (middle + 1.0, 99.0))
    assert first["accentuation"] > 2.5
    assert second["accentuation"] == pytest.approx(0.0, abs=0.3)


def test_shaping_looks_five_seconds_further_than_its_span(rng: np.random.Generator) -> None:
    given = evidence(60.0 + 0.5 * (SCORE.pitch - 60) + rng.normal(0.0, 8.0, len(SCORE)))
    levels, at_sec = read_levels(given), given.onset_groups.onset_sec
    wide = (at_sec >= 10.0) & (at_sec < 28.0)
    course, swelling = levels.expected_contour[wide], levels.relative_contour[wide]
    expected = np.mean(course * swelling) / np.sqrt(np.mean(course**2))
    assert values(given, (15.0, 23.0))["shaping"] == pytest.approx(expected)


def test_one_key_again_and_again_suggests_no_accents() -> None:
    """Nothing moves, but for the rounding of seconds that have no end in binary."""
    n = 60
    performance, _ = play(SCORE)
    onset_sec = 1.0 + 0.3 * np.arange(n)
    again = replace(
        performance.only(np.arange(n)),
        onset_sec=onset_sec,
        offset_sec=onset_sec + 0.2,
        pitch=np.full(n, 60),
        velocity=50 + np.arange(n) % 7,
    )
    label = measure_dynamics_control(Evidence(again), (6.0, 16.0))
    assert label.missing["accentuation"] == "no accents are expected here, or the notes have no neighbours"


def test_who_plays_in_single_notes_far_apart_has_no_accents() -> None:
    alone = SCORE.staff == 1
    keep = np.flatnonzero(alone & (SCORE.onset_beat % 1.0 == 0.0))
    performance, _ = play(SCORE, sec_of_beat=lambda beat: 2.6 * beat)
    of_order = np.lexsort((SCORE.pitch, SCORE.onset_beat))
    kept = performance.only(np.flatnonzero(np.isin(of_order, keep)))
    label = measure_dynamics_control(Evidence(kept))
    assert label.missing["accentuation"] == "no accents are expected here, or the notes have no neighbours"


def test_marked_levels_are_followed_or_turned_round() -> None:
    marks = (Mark("dynamics", "p", 0.0, 0.0), Mark("dynamics", "ff", 32.0, 32.0))
    level = np.where(SCORE.onset_beat < 32.0, 50.0, 85.0)
    assert values(evidence(level, marks))["marked_levels"] > 0.95
    assert values(evidence(135.0 - level, marks))["marked_levels"] < -0.95


def test_timing_does_not_enter(rng: np.random.Generator) -> None:
    velocity = swell() + rng.normal(0.0, 4.0, len(SCORE))
    straight = values(Evidence(*play(SCORE, velocity=velocity)))
    late = 0.05 * rng.random(len(SCORE))
    jittered = values(Evidence(*play(SCORE, velocity=velocity, late_sec=late)))
    # What is near changes a little; of a swell that moves by 15 velocity steps (standard deviation).
    assert jittered.pop("shaping") == pytest.approx(straight.pop("shaping"), abs=1.0)
    assert jittered.pop("level_range") == pytest.approx(straight.pop("level_range"), abs=1.0)
    assert jittered.pop("accentuation") == pytest.approx(straight.pop("accentuation"), abs=0.2)
    assert jittered.pop("unevenness") == pytest.approx(straight.pop("unevenness"), rel=0.05)
    assert jittered == straight


def test_spans_differ() -> None:
    got = evidence(np.where(SCORE.onset_beat < 32.0, 60.0, swell()))
    assert values(got, (0.0, 6.0))["level_range"] == pytest.approx(0.0, abs=0.1)
    assert values(got, (24.0, 34.0))["level_range"] > 10.0


def test_without_a_score_the_marks_are_missing() -> None:
    performance, alignment = play(SCORE, velocity=swell())
    label = measure_dynamics_control(Evidence(performance))
    assert label.missing == {"hairpin_change": NO_SCORE, "marked_levels": NO_SCORE}
    assert set(label.components) >= {
        "level_range",
        "unevenness",
        "shaping",
        "accentuation",
        "melody_above_accompaniment",
    }
    with_score = values(Evidence(performance, alignment))
    assert label.components["level_range"].value == pytest.approx(with_score["level_range"], abs=2.0)


def test_an_empty_span_has_reasons() -> None:
    label = measure_dynamics_control(evidence(swell()), (500.0, 510.0))
    assert label.components == {}
    assert label.confidence == 0.0
    assert label.missing["dynamics_control"].startswith("fewer than 8 notes in this span")


def test_the_performance_is_not_written_to() -> None:
    performance, alignment = play(SCORE, velocity=swell())
    before = replace(performance, velocity=performance.velocity.copy())
    measure_dynamics_control(Evidence(performance, alignment))
    np.testing.assert_array_equal(performance.velocity, before.velocity)


def test_notes_that_sound_on_from_before_do_not_shift_what_is_named() -> None:
    """An excerpt begins within its first chord: those notes are held, and not struck in it."""
    performance, alignment = play(ACCENTED, velocity=np.where(AT, 60.0, PLAIN))
    by_sec = float(performance.onset_sec[2]) + 0.05
    moved = performance.shifted(-by_sec)
    aligned = replace(
        alignment,
        anchor_sec=alignment.anchor_sec - by_sec,
        performance_onset_sec=alignment.performance_onset_sec - by_sec,
    )
    given = Evidence(moved, aligned)
    assert given.playing.index[0] == 3
    (cause,) = [one for one in measure_dynamics_control(given).causes if one.kind == "accent"]
    (note,) = cause.performance_notes
    assert (moved.pitch[note], moved.velocity[note]) == (SCORE.pitch[AT][0], 60)


def test_components_enter_the_rating_with_these_weights_and_shapes() -> None:
    """Weight, which way is better, how the value is bent, and what is added before a logarithm."""
    entering = {c.name: (c.weight, c.better, c.shape, c.from_value) for c in COMPONENTS if c.weight > 0.0}
    assert entering == {
        "shaping": (0.34, "more", "plain", 1.0),
        "level_range": (0.1, "more", "log", 2.0),
        "unevenness": (0.25, "less", "log", 0.05),
        "accentuation": (0.1, "more", "plain", 1.0),
        "melody_above_accompaniment": (0.04, "more", "plain", 1.0),
        "hairpin_change": (0.085, "more", "plain", 1.0),
        "marked_levels": (0.085, "more", "plain", 1.0),
    }
    assert [c.name for c in COMPONENTS if c.weight == 0.0] == ["level"]


def test_thresholds_are_the_stated_ones() -> None:
    """The tests above take them as they are; here they are held to what their reasons say."""
    assert dynamics_control.FEWEST == 8
    assert dynamics_control.LINE_NOTES == 5
    assert dynamics_control.SMOOTH_ONSETS == 5
    assert dynamics_control.CONTEXT_SEC == 5.0


@pytest.mark.parametrize(("off", "is_named"), [(22.0, True), (18.0, False), (-22.0, True), (-18.0, False)])
def test_a_note_twenty_off_its_line_sticks_out(off: float, is_named: bool) -> None:
    velocity = np.where(UPPER, 70.0, 60.0)
    velocity[(SCORE.onset_beat == 21.5) & UPPER] += off
    found = [c.kind for c in measure_dynamics_control(evidence(velocity)).causes]
    assert found == (["uneven"] if is_named else [])


@pytest.mark.parametrize(("below", "is_lost"), [(6.0, True), (5.0, False)])
def test_an_accent_five_below_what_is_near_is_lost(below: float, is_lost: bool) -> None:
    assert bool(accents(np.where(AT, 70.0 - below, PLAIN))[0]) == is_lost


@pytest.mark.parametrize(("size", "is_marked"), [(0.22, False), (0.28, True)])
def test_what_asks_for_less_than_a_quarter_of_a_step_asks_for_nothing(size: float, is_marked: bool) -> None:
    suggested = size * np.array([1.0, -1.0, 1.0, -1.0])
    followed = dynamics_control._agreement(suggested, 3.0 * suggested)
    assert np.isfinite(followed) == is_marked
    if is_marked:
        assert followed == pytest.approx(3.0 * size)


def test_the_range_is_from_the_5th_to_the_95th_percentile() -> None:
    given = evidence(swell())
    near = given.once(read_levels).contour
    low, high = np.percentile(near, [5.0, 95.0])
    assert values(given)["level_range"] == pytest.approx(high - low)
    assert values(given)["level"] == pytest.approx(np.median(np.round(swell())))


def test_eight_notes_are_enough_for_a_range() -> None:
    """Bars begin with three notes on the beat, then one a quaver and three a beat."""
    given = evidence(swell())
    assert "level_range" in values(given, (1.0, 1.0 + 3.9 * 0.3))  # 3 + 1 + 3 + 1
    label = measure_dynamics_control(given, (1.0, 1.0 + 2.9 * 0.3))
    assert label.missing["level_range"] == "fewer than 8 notes in this span"


def test_unevenness_is_the_distance_from_the_median_of_five_over_the_spread() -> None:
    """Every tenth upper note is 9 louder than its line."""
    velocity = swell() + 0.0
    at = np.flatnonzero(UPPER)[5::10]
    velocity[at] += 9.0
    given = evidence(velocity)
    levels = given.once(read_levels)
    assert values(given)["unevenness"] == pytest.approx(np.abs(levels.line_off).mean() / levels.spread)
    smooth = evidence(swell()).once(read_levels)
    assert np.abs(smooth.line_off).max() <= 2.0
    assert np.sort(np.abs(levels.line_off))[-len(at) :].min() >= 7.0


def test_a_hairpin_needs_three_onsets() -> None:
    def change(end_beat: float) -> dict[str, float]:
        return values(evidence(swell(), (Mark("crescendo", "cresc.", 8.0, end_beat),)))

    assert "hairpin_change" in change(9.0)
    assert "hairpin_change" not in change(8.5)
    assert change(24.0)["hairpin_change"] == pytest.approx(50.0 * 16.0 / 32.0, abs=2.0)


def test_hairpins_count_where_a_span_touches_them() -> None:
    """From beat 8 to 15.5; quavers of 0.3 s from 1 s on."""
    given = evidence(swell(), (Mark("crescendo", "cresc.", 8.0, 15.5),))

    def touched(first_beat: float, last_beat: float) -> bool:
        start, end = (1.0 + 0.6 * beat for beat in (first_beat - 0.1, last_beat + 0.1))
        return "hairpin_change" in values(given, (start, end))

    assert touched(4.0, 8.0)
    assert not touched(4.0, 7.5)
    assert touched(15.5, 20.0)
    assert not touched(16.0, 20.0)


def test_a_span_without_a_written_onset_says_so() -> None:
    label = measure_dynamics_control(
        evidence(swell(), (Mark("crescendo", "cresc.", 8.0, 15.5),)), (100.0, 110.0)
    )
    assert label.missing["hairpin_change"] == "no written onset is in this span"
