"""Articulation: planted lengths come out as logarithms of the share that was held, against the usual one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import origins
from rater_etude import BEAT_SEC, UP, play, study_score
from tocco.music.corruption import CORRUPTIONS, corrupt
from tocco.music.performance import PedalCurve
from tocco.music.score import Score
from tocco.pseudo_labels.norms.touch import read_touch_norm
from tocco.pseudo_labels.observed.evidence import HIDDEN_TOUCH, NO_AUDIO, NO_SCORE, Evidence
from tocco.pseudo_labels.raters import articulation_quality
from tocco.pseudo_labels.raters.articulation_quality import (
    COMPONENTS,
    LONGEST_LOG,
    LONGEST_OVERLAP,
    measure_articulation_quality,
    read_touch,
)
from tocco.units import FloatArray

SCORE = study_score()
UPPER = SCORE.staff == 1


def values(given: Evidence, span_sec: tuple[float, float] | None = None) -> dict[str, float]:
    return {name: c.value for name, c in measure_articulation_quality(given, span_sec).components.items()}


def held(share: FloatArray | float) -> Evidence:
    return Evidence(*play(SCORE, held=share))


def usual_share(score: Score = SCORE) -> FloatArray:
    """(S,) what competent players hold of each written length."""
    given = Evidence(*play(score))
    assert given.written is not None
    return np.exp(read_touch_norm(given.written, score).usual_log)


def test_the_usual_touch_is_neither_short_nor_long() -> None:
    label = measure_articulation_quality(held(usual_share()))
    got = {name: c.value for name, c in label.components.items()}
    assert got["cut_short"] == pytest.approx(0.0, abs=1e-3)
    assert got["held_over"] == 0.0
    assert got["step_overlap"] == 0.0
    assert label.causes == ()
    assert label.missing["attack_clarity"] == NO_AUDIO
    assert label.missing["staccato_contrast"].startswith("fewer than three notes")


@pytest.mark.parametrize("share", [0.8, 0.5, 0.25])
def test_cut_short_is_the_logarithm_of_what_is_held_of_the_usual(share: float) -> None:
    got = values(held(share * usual_share()))
    # Every key is taken to be 5 ms longer, which tells on the shortest.
    assert got["cut_short"] == pytest.approx(-np.log(share), abs=0.08)
    assert got["held_over"] == 0.0


def test_held_over_counts_from_what_four_in_five_hold() -> None:
    """Once all keys are beyond it, a longer touch counts by its logarithm, up to keys that are kept down."""
    some, more, held_down = (values(held(share))["held_over"] for share in (1.5, 2.0, 9.0))
    assert more - some == pytest.approx(np.log(2.0 / 1.5), abs=0.01)
    assert held_down == pytest.approx(LONGEST_LOG, abs=1e-9)
    assert values(held(1.0))["held_over"] < 0.05


def test_step_overlap_is_what_lies_under_the_next_note_of_the_scale() -> None:
    """Upper quavers and, of four bass chords, the one that goes on by a tone: 5 notes in 8."""
    assert values(held(1.4))["step_overlap"] == pytest.approx(0.4 * 5.0 / 8.0, abs=0.01)
    assert values(held(1.0))["step_overlap"] == pytest.approx(0.0, abs=1e-9)


def test_fingers_left_on_a_broken_chord_are_no_step_overlap() -> None:
    pitch = SCORE.pitch.copy()
    pitch[UPPER] = np.resize([72, 76, 79, 84], UPPER.sum())
    chords = replace(SCORE, pitch=pitch)
    upper = Evidence(*play(chords, held=np.where(UPPER, 2.0, 0.9)))
    touch = upper.once(read_touch)
    assert touch is not None
    assert touch.step_overlap.max() == 0.0
    assert values(upper)["held_over"] > 0.1


def test_step_overlap_is_bounded() -> None:
    touch = held(40.0).once(read_touch)
    assert touch is not None
    assert touch.step_overlap.max() == LONGEST_OVERLAP


def test_a_written_dissonance_is_no_step_overlap() -> None:
    """A long note under which the scale moves, held for just what is written."""
    duration = SCORE.duration_beat.copy()
    first = int(np.flatnonzero(UPPER)[0])
    duration[first] = 3.0
    touch = Evidence(*play(replace(SCORE, duration_beat=duration), held=1.0)).once(read_touch)
    assert touch is not None
    assert touch.step_overlap[first] == pytest.approx(0.0, abs=1e-9)


def test_unlike_neighbours_are_inconsistent() -> None:
    """Every other upper note at 60 %: a change of log(.6) from each upper note to the next."""
    share = np.where(UPPER & (np.round(2 * SCORE.onset_beat) % 2 == 1), 0.6, 1.0)
    assert values(held(share))["inconsistency"] == pytest.approx(-np.log(0.6), abs=0.02)
    assert values(held(1.0))["inconsistency"] == pytest.approx(0.0, abs=1e-9)


def test_staccato_is_no_cut_and_legato_staccato_is_held_over() -> None:
    signs = study_score("staccato")
    usual = usual_share(signs)
    short = np.where(UPPER, 0.4, usual)
    crisp = values(Evidence(*play(signs, held=short)))
    broad = values(Evidence(*play(signs, held=1.0)))
    assert crisp["cut_short"] == pytest.approx(0.0, abs=1e-3)
    assert crisp["held_over"] == 0.0
    below = float(np.median(np.log(usual[~UPPER])))
    assert crisp["staccato_contrast"] == pytest.approx(below - np.log(0.4), abs=0.05)
    assert broad["staccato_contrast"] == pytest.approx(0.0, abs=0.02)
    # Above, all keys are beyond the -0.4 that four in five stay under; below, hardly any.
    assert 0.15 < broad["held_over"] < 0.3


def test_lengths_follow_the_local_tempo() -> None:
    slowing = Evidence(*play(SCORE, sec_of_beat=lambda beat: BEAT_SEC * (beat + beat**2 / 100.0), held=0.3))
    touch = slowing.once(read_touch)
    assert touch is not None
    assert touch.held_log == pytest.approx(np.log(0.3), abs=0.07)


def test_jitter_hardly_moves_it(rng: np.random.Generator) -> None:
    steady = values(held(0.5))["cut_short"]
    performance = play(SCORE, held=0.5, late_sec=rng.normal(0.0, 0.02, len(SCORE)))
    assert values(Evidence(*performance))["cut_short"] == pytest.approx(steady, abs=0.05)
    legato = play(SCORE, held=1.0, late_sec=rng.normal(0.0, 0.03, len(SCORE)))
    assert values(Evidence(*legato))["step_overlap"] < 0.02


@pytest.mark.parametrize(
    ("kind", "component"),
    [
        ("clipped_articulation", "cut_short"),
        ("smeared_articulation", "held_over"),
        ("smeared_articulation", "step_overlap"),
    ],
)
def test_the_worse_the_touch_the_more_is_measured(
    kind: str, component: str, rng: np.random.Generator
) -> None:
    share = usual_share() * np.exp(rng.normal(0.0, 0.3, len(SCORE)))
    clean, alignment = play(SCORE, held=share)
    got = [values(Evidence(clean, alignment))[component]]
    for severity in CORRUPTIONS[kind].ladder:
        worse = corrupt(clean, kind, severity, rng, alignment=alignment).performance
        got.append(values(Evidence(worse, alignment))[component])
    assert np.all(np.diff(got) > 0.0)


def test_keys_held_through_a_hesitation_do_not_count() -> None:
    wait = np.where(SCORE.onset_beat >= 10.0, 1.5, 0.0)
    score = study_score()
    share = np.where((SCORE.onset_beat >= 9.0) & (SCORE.onset_beat < 10.0), 4.0, 0.9)
    got = values(Evidence(*play(score, late_sec=wait, held=share)))
    assert got["held_over"] < 0.05
    assert got["step_overlap"] < 0.01


def test_the_worst_notes_are_named() -> None:
    share = usual_share()
    share[(SCORE.onset_beat == 12.5) & UPPER] = 0.2
    label = measure_articulation_quality(held(share))
    assert [c.kind for c in label.causes] == ["cut short"]
    assert label.causes[0].text.startswith("bar 4, beat 1.5: ")
    # 0.2 and the 5 ms by which every key is taken to be longer, of 0.3 s; a plain quaver of a scale.
    assert label.causes[0].text.endswith("is cut short (22 % of its written duration, 95 % is usual)")


def test_spans_differ() -> None:
    share = np.where(SCORE.onset_beat < 32.0, 1.0, 0.5) * usual_share()
    given = held(share)
    assert values(given, (1.0, 11.0))["cut_short"] < 0.01
    assert values(given, (24.0, 34.0))["cut_short"] == pytest.approx(np.log(2.0), abs=0.05)


def test_without_a_score_only_the_overlap_is_reported() -> None:
    performance, _ = play(SCORE, held=0.9)
    label = measure_articulation_quality(Evidence(performance))
    assert set(label.components) == {"overlap"}
    assert label.missing["cut_short"] == NO_SCORE
    assert label.confidence == 0.0


def transcribed(share: FloatArray | float, sustain: PedalCurve = UP) -> Evidence:
    return origins.transcribed(Evidence(*play(SCORE, held=share, sustain=sustain)))


def pedal_over(bars: int) -> PedalCurve:
    """Down from the start for some bars."""
    return PedalCurve(np.array([0.5, 1.0 + 4 * BEAT_SEC * bars]), np.array([127.0, 0.0]))


def test_a_transcriber_hears_the_keys_of_a_dry_performance() -> None:
    share = 0.5 * usual_share()
    assert values(transcribed(share)) == values(held(share))


def test_keys_held_over_under_the_pedal_are_not_reported_from_the_pedal() -> None:
    """Held as usual, and three times as long in the four bars with the pedal."""
    share = usual_share() * np.where(SCORE.onset_beat < 16.0, 3.0, 1.0)
    by_keys = values(Evidence(*play(SCORE, held=share, sustain=pedal_over(4))))
    assert by_keys["held_over"] > 0.1
    from_transcription = values(transcribed(share, pedal_over(4)))
    assert from_transcription["held_over"] == pytest.approx(0.0, abs=1e-9)
    assert from_transcription["cut_short"] == pytest.approx(by_keys["cut_short"], abs=1e-9)


def test_keys_cut_short_are_reported_even_under_the_pedal() -> None:
    share = 0.4 * usual_share()
    assert values(transcribed(share, pedal_over(4)))["cut_short"] == pytest.approx(-np.log(0.4), abs=0.08)


def test_where_the_pedal_hides_more_than_a_third_of_the_ends_nothing_is_reported() -> None:
    assert "cut_short" in values(transcribed(usual_share(), pedal_over(5)))
    label = measure_articulation_quality(transcribed(usual_share(), pedal_over(6)))
    assert "cut_short" not in label.components
    assert label.missing["cut_short"] == HIDDEN_TOUCH
    assert "cut_short" in values(Evidence(*play(SCORE, held=usual_share(), sustain=pedal_over(6))))


def test_a_span_under_the_pedal_is_not_rated_by_what_cannot_be_heard_there() -> None:
    """Four of sixteen bars are pedalled: the whole can be rated, these bars cannot."""
    given = transcribed(usual_share(), pedal_over(4))
    under = measure_articulation_quality(given, (1.0, 1.0 + 14 * BEAT_SEC))
    assert under.components == {}
    assert under.missing["held_over"] == HIDDEN_TOUCH
    beyond = (1.0 + 20 * BEAT_SEC, 1.0 + 40 * BEAT_SEC)
    assert values(given, beyond)["cut_short"] == pytest.approx(0.0, abs=1e-3)


def test_no_note_is_said_to_be_held_over_whose_end_cannot_be_heard() -> None:
    share = usual_share() * np.where(SCORE.onset_beat < 16.0, 3.0, 1.0)
    by_keys = measure_articulation_quality(Evidence(*play(SCORE, held=share, sustain=pedal_over(5))))
    from_transcription = measure_articulation_quality(transcribed(share, pedal_over(5)))
    assert any("is held longer than usual" in cause.text for cause in by_keys.causes)
    assert from_transcription.causes == ()


def test_neighbours_of_which_one_is_hidden_tell_no_inconsistency() -> None:
    touch = read_touch(transcribed(usual_share(), pedal_over(4)))
    assert touch is not None
    written = Evidence(*play(SCORE)).written
    assert written is not None
    assert written.beat[touch.change_at].min() > 16.0


def test_components_enter_the_rating_with_these_weights_and_shapes() -> None:
    """Weight, which way is better, how the value is bent, and what is added before a logarithm."""
    entering = {c.name: (c.weight, c.better, c.shape, c.from_value) for c in COMPONENTS if c.weight > 0.0}
    assert entering == {
        "cut_short": (0.43, "less", "plain", 1.0),
        "held_over": (0.18, "less", "plain", 1.0),
        "step_overlap": (0.16, "less", "plain", 1.0),
        "inconsistency": (0.1, "less", "log", 0.15),
        "staccato_contrast": (0.08, "more", "plain", 1.0),
        "attack_clarity": (0.05, "more", "plain", 1.0),
    }
    assert [c.name for c in COMPONENTS if c.weight == 0.0] == ["overlap"]


def test_thresholds_are_the_stated_ones() -> None:
    """The tests above take them as they are; here they are held to what their reasons say."""
    assert articulation_quality.FEWEST == 8
    assert articulation_quality.FEWEST_SIGNS == 3
    assert articulation_quality.STEP_SEMITONES == (-2, -1, 1, 2)
    assert articulation_quality.LONGEST_LOG == 1.5
    assert articulation_quality.LONGEST_OVERLAP == 2.0
    assert articulation_quality.SHORTEST_WRITTEN_SEC == 0.05


@pytest.mark.parametrize(("share", "is_named"), [(0.45, True), (0.52, False), (2.2, True), (1.8, False)])
def test_half_or_double_the_usual_length_is_named(share: float, is_named: bool) -> None:
    """A quaver held for such a share of its usual time, and 5 ms: factors of .47 and .54, 2.2 and 1.8."""
    held_share = usual_share()
    odd = (SCORE.onset_beat == 12.5) & UPPER
    held_share[odd] *= share
    assert bool(measure_articulation_quality(held(held_share)).causes) == is_named


def test_a_key_held_down_is_no_more_wrong_for_being_longer_still() -> None:
    assert values(held(9.0))["held_over"] == pytest.approx(1.5, abs=1e-9)
    touch = held(40.0).once(read_touch)
    assert touch is not None
    assert touch.step_overlap.max() == 2.0


@pytest.mark.parametrize(("step", "overlaps"), [(-3, 0), (-2, 1), (-1, 1), (1, 1), (2, 1), (3, 0), (12, 0)])
def test_a_step_is_a_semitone_or_a_tone(step: int, overlaps: int) -> None:
    """Two notes in turn, each held half its length into the next."""
    pitch = np.where(UPPER, 80, SCORE.pitch)
    pitch[np.flatnonzero(UPPER)[1::2]] += step
    touch = Evidence(*play(replace(SCORE, pitch=pitch), held=np.where(UPPER, 1.5, 0.5))).once(read_touch)
    assert touch is not None
    assert touch.step_overlap.max() == pytest.approx(0.5 * overlaps, abs=0.02)


def test_the_shortest_written_time_is_50_ms() -> None:
    """Quavers of 30 ms held for twice as long lie 30 ms under the next note: 3 / 5 of that."""
    fast = Evidence(*play(SCORE, sec_of_beat=lambda beat: 0.06 * beat, held=np.where(UPPER, 2.0, 0.5)))
    touch = fast.once(read_touch)
    assert touch is not None
    assert np.median(touch.step_overlap[touch.step_overlap > 0.0]) == pytest.approx(0.6, abs=0.02)


def test_eight_notes_are_enough_for_a_mean() -> None:
    """Bars begin with three notes on the beat, then one a quaver and three a beat."""
    given = held(usual_share())
    quaver = 0.5 * BEAT_SEC
    assert "cut_short" in values(given, (1.0, 1.0 + 3.9 * quaver))  # 3 + 1 + 3 + 1
    label = measure_articulation_quality(given, (1.0, 1.0 + 2.9 * quaver))
    assert label.missing["cut_short"] == "fewer than 8 notes in this span"


def test_three_signs_are_enough_for_a_contrast() -> None:
    def contrast(n_signs: int) -> dict[str, float]:
        at = np.flatnonzero(UPPER)[8 : 8 + n_signs]
        signs = tuple("staccato" if k in at else "" for k in range(len(SCORE)))
        return values(Evidence(*play(replace(SCORE, articulation=signs), held=0.9)))

    assert "staccato_contrast" in contrast(3)
    assert "staccato_contrast" not in contrast(2)


def test_a_note_that_would_usually_end_under_the_pedal_counts_as_hidden() -> None:
    """Keys are let go at 4 tenths of each quaver; from 6 to 9.9 tenths the pedal is down, in some bars."""
    quaver = 0.5 * BEAT_SEC

    def pedal(bars: int) -> PedalCurve:
        at = 1.0 + quaver * np.arange(8 * bars)
        time = np.stack([at + 0.6 * quaver, at + 0.99 * quaver], axis=1).ravel()
        return PedalCurve(time, np.tile([127.0, 0.0], len(at)))

    share = np.where(UPPER, 0.4, 0.1)
    assert "held_over" in values(transcribed(share, pedal(2)))
    label = measure_articulation_quality(transcribed(share, pedal(12)))
    assert label.missing["held_over"] == HIDDEN_TOUCH
