"""Rhythmic precision: planted jitter, unevenness, waits and tempi come out as they were put in."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from rater_etude import BEAT_SEC, play, study_score
from tocco.pseudo_labels.observed.evidence import NO_SCORE, Evidence
from tocco.pseudo_labels.raters import rhythmic_precision
from tocco.pseudo_labels.raters.rhythmic_precision import (
    COMPONENTS,
    measure_rhythmic_precision,
)
from tocco.units import FloatArray

SCORE = study_score()


def values(evidence: Evidence, span_sec: tuple[float, float] | None = None) -> dict[str, float]:
    return {name: c.value for name, c in measure_rhythmic_precision(evidence, span_sec).components.items()}


def by_onset(late_sec: FloatArray) -> FloatArray:
    """One displacement for each written onset, given to all its notes."""
    return late_sec[np.round(2 * SCORE.onset_beat).astype(int)]


def test_a_machine_is_perfectly_steady() -> None:
    label = measure_rhythmic_precision(Evidence(*play(SCORE)))
    got = {name: c.value for name, c in label.components.items()}
    steady = ("onset_deviation", "run_unevenness", "hesitation", "tempo_wander", "chord_asynchrony")
    assert {name: round(got[name], 6) for name in steady} == dict.fromkeys(steady, 0.0)
    assert label.causes == ()
    assert label.missing == {}
    assert label.confidence == 1.0
    assert label.rating is None


def test_rubato_is_no_error() -> None:
    """A phrase that broadens by a third over eight bars bends the line, and no onset leaves it."""
    slowing = play(SCORE, sec_of_beat=lambda beat: BEAT_SEC * (beat + beat**2 / 400.0))
    got = values(Evidence(*slowing))
    assert got["onset_deviation"] < 5.0
    assert got["hesitation"] == 0.0
    assert got["tempo_trend"] < -0.2


def test_alternate_onsets_late_by_forty_milliseconds() -> None:
    """Long, short, long, short: (300 + 40) / (300 - 40) from one time to the next."""
    late = by_onset(np.tile([0.0, 0.04], 64))
    got = values(Evidence(*play(SCORE, late_sec=late)))
    assert got["run_unevenness"] == pytest.approx(np.log(0.34 / 0.26), abs=1e-3)
    # 20 ms from the middle, and the nearest neighbours, which are off the other way, draw the line.
    assert 20.0 < got["onset_deviation"] < 28.0


def test_more_jitter_never_measures_less(rng: np.random.Generator) -> None:
    wobble = rng.normal(0.0, 1.0, 128)
    got = [values(Evidence(*play(SCORE, late_sec=by_onset(s * wobble)))) for s in (0.0, 0.01, 0.02, 0.04)]
    for name in ("onset_deviation", "run_unevenness"):
        sizes = [one[name] for one in got]
        assert sizes == sorted(sizes)
        assert sizes[-1] > sizes[1] > sizes[0]


def test_a_wait_is_a_hesitation_with_its_bar() -> None:
    wait = np.where(SCORE.onset_beat >= 10.0, 0.7, 0.0)
    label = measure_rhythmic_precision(Evidence(*play(SCORE, late_sec=wait)))
    minutes = (BEAT_SEC * 63.5 + 0.7) / 60.0
    assert label.components["hesitation"].value == pytest.approx(0.7 / minutes, rel=0.02)
    cause = next(c for c in label.causes if c.kind == "hesitation")
    assert cause.text == "bar 3, beat 3: comes 0.7 s late"
    assert cause.end_sec == pytest.approx(1.0 + 6.0 + 0.7)
    assert {SCORE.onset_beat[k] for k in cause.score_notes} == {10.0}


def test_a_fermata_is_no_hesitation() -> None:
    signs = tuple("fermata" if beat == 9.5 else "" for beat in SCORE.onset_beat)
    score = study_score()
    held = type(score)(**{**score.__dict__, "articulation": signs})
    wait = np.where(SCORE.onset_beat >= 10.0, 0.7, 0.0)
    assert values(Evidence(*play(held, late_sec=wait)))["hesitation"] == 0.0


def test_hands_apart_are_an_asynchrony() -> None:
    late = np.where(SCORE.staff == 2, 0.02, 0.0)
    got = values(Evidence(*play(SCORE, late_sec=late)))
    assert got["chord_asynchrony"] == pytest.approx(1000 * 0.02 / 3, rel=0.01)
    assert got["onset_deviation"] < 15.0


def test_a_rolled_chord_is_not_asynchronous() -> None:
    late = np.where(SCORE.staff == 2, 0.2, 0.0)
    label = measure_rhythmic_precision(Evidence(*play(SCORE, late_sec=late)))
    assert label.missing["chord_asynchrony"] == "fewer than five chord notes"


def test_a_span_sees_its_own_part_alone() -> None:
    unsteady = by_onset(np.where(np.arange(128) < 64, 0.0, np.tile([0.0, 0.05], 64)))
    evidence = Evidence(*play(SCORE, late_sec=unsteady))
    first, second = values(evidence, (1.0, 11.0)), values(evidence, (22.0, 32.0))
    assert first["run_unevenness"] == pytest.approx(0.0, abs=1e-6)
    assert second["run_unevenness"] > 0.3


@pytest.mark.parametrize("beat_sec", [0.3, 0.6, 1.2])
def test_a_tempo_that_jumps_every_four_seconds_is_a_lurch_at_any_speed(beat_sec: float) -> None:
    """Four seconds at the beat, four a fifth slower: where the tempo changes, the log ratio is log 1.2."""
    period = 4.0 / beat_sec

    def sec_of_beat(beat: FloatArray) -> FloatArray:
        pair, within = np.divmod(beat, 2.0 * period)
        return beat_sec * (pair * 2.2 * period + within + 0.2 * np.maximum(within - period, 0.0))

    got = values(Evidence(*play(SCORE, sec_of_beat=sec_of_beat)))
    # The size rises to log 1.2 over two seconds and falls again, without a rest: a triangle's mean square.
    assert got["tempo_lurch"] == pytest.approx(np.log(1.2) / np.sqrt(3.0), rel=0.15)
    assert got["tempo_wander"] == pytest.approx(np.log(1.2) / 2.0, rel=0.25)


def test_a_phrase_that_snaps_back_wanders_and_lurches_more_the_more_it_drags() -> None:
    def dragging(share: float) -> dict[str, float]:
        def sec_of_beat(beat: FloatArray) -> FloatArray:
            phrase, within = np.divmod(beat, 8.0)
            return BEAT_SEC * (phrase * 8.0 * (1.0 + share / 2.0) + within + share * within**2 / 16.0)

        return values(Evidence(*play(SCORE, sec_of_beat=sec_of_beat)))

    got = [dragging(share) for share in (0.0, 0.08, 0.25, 0.55)]
    for name in ("tempo_wander", "tempo_lurch"):
        sizes = [one[name] for one in got]
        assert all(one < other for one, other in pairwise(sizes))
    assert max(one["hesitation"] for one in got) == 0.0


def test_wrong_notes_do_not_move_it(rng: np.random.Generator) -> None:
    """Every seventh match taken away leaves the measures where they were."""
    performance, alignment = play(SCORE, late_sec=by_onset(rng.normal(0.0, 0.015, 128)))
    lost = np.arange(0, len(SCORE), 7)
    thinned = type(alignment)(
        **{
            **alignment.__dict__,
            "match": np.delete(alignment.match, lost, axis=0),
            "deletion": lost,
            "insertion": np.sort(alignment.match[lost, 1]),
        }
    )
    full, part = values(Evidence(performance, alignment)), values(Evidence(performance, thinned))
    for name in ("onset_deviation", "run_unevenness", "tempo_wander"):
        assert part[name] == pytest.approx(full[name], rel=0.2)


def test_without_a_score_only_the_spread_of_chords_is_reported() -> None:
    performance, _ = play(SCORE, late_sec=np.where(SCORE.staff == 2, 0.02, 0.0))
    label = measure_rhythmic_precision(Evidence(performance))
    assert set(label.components) == {"chord_spread"}
    assert label.components["chord_spread"].value == pytest.approx(20.0)
    assert label.missing["onset_deviation"] == NO_SCORE
    assert label.missing["rhythmic_precision"] == NO_SCORE
    assert label.confidence == 0.0


def test_components_enter_the_rating_with_these_weights_and_shapes() -> None:
    """Weight, which way is better, how the value is bent, and what is added before a logarithm."""
    entering = {c.name: (c.weight, c.better, c.shape, c.from_value) for c in COMPONENTS if c.weight > 0.0}
    assert entering == {
        "onset_deviation": (0.25, "less", "log", 2.0),
        "run_unevenness": (0.2, "less", "log", 0.01),
        "hesitation": (0.15, "less", "root", 1.0),
        "tempo_lurch": (0.15, "less", "log", 0.02),
        "tempo_wander": (0.2, "less", "log", 0.01),
        "chord_asynchrony": (0.05, "less", "log", 2.0),
    }
    assert [c.name for c in COMPONENTS if c.weight == 0.0] == ["tempo_trend", "chord_spread"]


def test_thresholds_are_the_stated_ones() -> None:
    """The tests above take them as they are; here they are held to what their reasons say."""
    assert rhythmic_precision.FEWEST == 5
    assert rhythmic_precision.TEMPO_SEC == 2.0
    assert rhythmic_precision.ROLLED_SEC == 0.08


@pytest.mark.parametrize(("late_sec", "kinds"), [(0.055, {"late"}), (-0.055, {"early"}), (0.045, set())])
def test_an_onset_50_ms_off_is_named(late_sec: float, kinds: set[str]) -> None:
    late = np.zeros(128)
    late[41] = late_sec
    label = measure_rhythmic_precision(Evidence(*play(SCORE, late_sec=by_onset(late))))
    assert {cause.kind for cause in label.causes} == kinds


@pytest.mark.parametrize(("spread_sec", "is_struck"), [(0.075, True), (0.085, False)])
def test_a_chord_spread_by_more_than_80_ms_was_rolled(spread_sec: float, is_struck: bool) -> None:
    got = values(Evidence(*play(SCORE, late_sec=np.where(SCORE.staff == 2, spread_sec, 0.0))))
    assert ("chord_asynchrony" in got) == is_struck


def test_five_onsets_are_enough() -> None:
    evidence = Evidence(*play(SCORE))
    quaver = 0.5 * BEAT_SEC
    begins = 1.0 + 20 * BEAT_SEC - 0.01
    assert "hesitation" in values(evidence, (begins, begins + 4.5 * quaver))
    label = measure_rhythmic_precision(evidence, (begins, begins + 3.5 * quaver))
    assert label.missing["hesitation"] == "fewer than five onsets"


def test_a_tempo_takes_two_seconds() -> None:
    evidence = Evidence(*play(SCORE))
    begins = 1.0 + 20 * BEAT_SEC - 0.01
    assert "tempo_wander" in values(evidence, (begins, begins + 2.2))
    assert "tempo_wander" not in values(evidence, (begins, begins + 1.9))


def test_a_hesitation_is_measured_against_the_tempo_around_it() -> None:
    """From beat 32 on the tempo is a quarter of what it was: every interval is long, and none is late."""
    slow = play(SCORE, sec_of_beat=lambda beat: 0.3 * (beat + 3.0 * np.maximum(beat - 32.0, 0.0)))
    assert values(Evidence(*slow), (1.0 + 0.3 * 32 + 5.0, 60.0))["hesitation"] == 0.0
