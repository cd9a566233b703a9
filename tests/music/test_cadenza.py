"""Cadenzas in small notes: their order, their room, and what is reported of them when they are played."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from alignment_etude import check_is_partition, performance_of, piece, without
from tocco.errors import MismatchError
from tocco.evaluation.pseudo_labels.measures import stretch
from tocco.inference.note_report import alignment_report
from tocco.music.alignment import Alignment, align_performance_to_score
from tocco.music.cadenza import MIN_RUN, STEP_BEAT, course_of
from tocco.music.performance import Performance
from tocco.music.score import Score
from tocco.units import FloatArray

# Small notes that come back again and again: only their order tells which is which.
RUN = (72, 74, 76, 74, 72, 74, 76, 79, 76, 74, 76, 79, 84, 79, 76, 79)
AT_BEAT = 16.0
SMALL_SEC = 0.11


def with_cadenza(run: tuple[int, ...] = RUN) -> Score:
    """A piece of which one note has a run of small notes before it, sorted as scores are."""
    plain = piece()
    n = len(run)
    onset = np.concatenate((plain.onset_beat, np.full(n, AT_BEAT)))
    pitch = np.concatenate((plain.pitch, run))
    lead = np.concatenate((np.zeros(len(plain), dtype=int), np.arange(n, 0, -1)))
    order = np.lexsort((pitch, onset))

    def sorted_with(values: object, small: object) -> np.ndarray:
        return np.concatenate((np.asarray(values), np.full(n, small)))[order]

    return replace(
        plain,
        note_id=tuple(f"n{k}" for k in range(len(order))),
        onset_beat=onset[order],
        duration_beat=sorted_with(plain.duration_beat, 0.0),
        pitch=pitch[order],
        voice=sorted_with(plain.voice, 1),
        staff=sorted_with(plain.staff, 1),
        is_grace=sorted_with(plain.is_grace, True),
        articulation=("",) * len(order),
        velocity=sorted_with(plain.velocity, 0),
        bar=sorted_with(plain.bar, int(AT_BEAT // 4)),
        grace_lead=tuple(lead[order].tolist()),
    )


def seconds(score: Score) -> FloatArray:
    """Half a second a beat; the cadenza in even steps, while the beat waits."""
    lead = np.array(score.grace_lead)
    room_sec = SMALL_SEC * lead.max()
    return (
        1.0 + score.onset_beat / 2 + np.where(score.onset_beat >= AT_BEAT, room_sec, 0.0) - SMALL_SEC * lead
    )


def played(score: Score) -> tuple[Performance, Alignment]:
    performance = performance_of(seconds(score), score.pitch)
    return performance, align_performance_to_score(performance, score)


@pytest.fixture(scope="module")
def score() -> Score:
    return with_cadenza()


def test_each_small_note_is_the_stroke_that_its_place_says(score: Score) -> None:
    performance, alignment = played(score)
    check_is_partition(alignment, len(performance))
    assert alignment.n_match == len(score)
    written, stroke = alignment.match.T
    np.testing.assert_allclose(performance.onset_sec[stroke], seconds(score)[written], atol=1e-9)
    assert (np.diff(written) > 0).all()
    assert alignment.retries == ()
    assert alignment.skips == ()


def test_the_clock_of_the_page_stands_still_in_a_cadenza(score: Score) -> None:
    _, alignment = played(score)
    room_sec = SMALL_SEC * len(RUN)
    expected = [1.0 + AT_BEAT / 2 - 0.25, 1.0 + AT_BEAT / 2 + room_sec]
    np.testing.assert_allclose(alignment.sec_at(np.array([AT_BEAT - 0.5, AT_BEAT])), expected, atol=1e-6)
    small = np.flatnonzero(score.is_grace)
    np.testing.assert_allclose(alignment.due_sec(small), seconds(score)[small], atol=1e-6)


@pytest.mark.parametrize("lead", [16, 11, 6, 2])
def test_a_small_note_that_is_missing_is_named_and_due_between_its_neighbours(
    score: Score, lead: int
) -> None:
    note = score.grace_lead.index(lead)
    performance, _ = played(score)
    stroke = int(np.argmin(np.abs(performance.onset_sec - seconds(score)[note])))
    alignment = align_performance_to_score(without(performance, stroke), score)
    assert alignment.deletion.tolist() == [note]
    assert len(alignment.insertion) == 0
    assert alignment.due_sec(np.array([note]))[0] == pytest.approx(seconds(score)[note], abs=SMALL_SEC)


def test_a_wrong_small_note_is_paired_with_the_key_struck_for_it(score: Score) -> None:
    note = score.grace_lead.index(9)
    performance, _ = played(score)
    stroke = int(np.argmin(np.abs(performance.onset_sec - seconds(score)[note])))
    pitch = performance.pitch.copy()
    pitch[stroke] += 1
    alignment = align_performance_to_score(performance_of(performance.onset_sec, pitch), score)
    assert alignment.substitution.tolist() == [[note, stroke]]
    assert alignment.performance_beat[stroke] == AT_BEAT


def test_a_cadenza_begun_twice_is_a_retry_in_its_bar(score: Score) -> None:
    performance, _ = played(score)
    start_sec = 1.0 + AT_BEAT / 2
    again = (performance.onset_sec >= start_sec - 1e-6) & (
        performance.onset_sec < start_sec + 8 * SMALL_SEC - 1e-6
    )
    later_sec = 8 * SMALL_SEC + 1.0
    onset = np.where(
        performance.onset_sec >= start_sec - 1e-6, performance.onset_sec + later_sec, performance.onset_sec
    )
    twice = performance_of(
        np.concatenate((onset, performance.onset_sec[again])),
        np.concatenate((performance.pitch, performance.pitch[again])),
    )
    alignment = align_performance_to_score(twice, score)
    assert len(alignment.retries) == 1
    assert (alignment.retries[0].start_beat, alignment.retries[0].end_beat) == (AT_BEAT, AT_BEAT)
    assert alignment.n_match == len(score)


def test_a_cadenza_left_out_is_a_skip_and_no_mistake(score: Score) -> None:
    lead = np.array(score.grace_lead)
    main = lead == 0
    performance = performance_of(1.0 + score.onset_beat[main] / 2, score.pitch[main])
    alignment = align_performance_to_score(performance, score)
    assert alignment.n_match == main.sum()
    assert len(alignment.insertion) == 0


def test_a_segment_keeps_the_times_of_its_small_notes(score: Score) -> None:
    performance, alignment = played(score)
    low, high = 9.0, 10.0
    inside = np.flatnonzero((performance.onset_sec >= low) & (performance.onset_sec < high))
    segment = alignment.window(low, high, inside)
    small = segment.match[score.is_grace[segment.match[:, 0]]]
    assert len(small) == 10
    np.testing.assert_allclose(
        segment.due_sec(small[:, 0]), performance.onset_sec[inside[small[:, 1]]] - low, atol=1e-6
    )


@pytest.mark.parametrize("n_small", [7, 12, 16])
def test_a_bass_may_sound_with_the_first_small_note(n_small: int) -> None:
    score = with_cadenza(RUN[:n_small])
    bass = int(np.flatnonzero((score.onset_beat == AT_BEAT) & (score.staff == 2))[0])
    sec = seconds(score)
    sec[bass] -= SMALL_SEC * n_small
    performance = performance_of(sec, score.pitch)
    alignment = align_performance_to_score(performance, score)
    check_is_partition(alignment, len(performance))
    assert alignment.n_match == len(score)
    written, stroke = alignment.match.T
    np.testing.assert_allclose(performance.onset_sec[stroke], sec[written], atol=1e-9)
    wait_sec = 0.0 if n_small < MIN_RUN else SMALL_SEC * n_small
    main_sec = 1.0 + AT_BEAT / 2 + wait_sec
    assert n_small < MIN_RUN or float(alignment.sec_at(AT_BEAT)) == pytest.approx(main_sec, abs=1e-6)


def test_nothing_but_a_cadenza_has_no_place_on_the_page(score: Score) -> None:
    performance, _ = played(score)
    inside = (performance.onset_sec >= 8.9) & (performance.onset_sec < 9.8)
    small = performance_of(performance.onset_sec[inside], performance.pitch[inside])
    with pytest.raises(MismatchError, match="little more than a cadenza"):
        align_performance_to_score(small, score)


@pytest.mark.parametrize(("from_sec", "until_sec"), [(0.0, 9.8), (8.95, 20.0), (9.5, 12.0)])
def test_an_excerpt_may_start_or_end_in_a_cadenza(score: Score, from_sec: float, until_sec: float) -> None:
    performance, _ = played(score)
    inside = (performance.onset_sec >= from_sec) & (performance.onset_sec < until_sec)
    part = performance_of(performance.onset_sec[inside], performance.pitch[inside])
    alignment = align_performance_to_score(part, score)
    check_is_partition(alignment, len(part))
    assert alignment.n_match == len(part)
    seconds_of = seconds(score)
    np.testing.assert_allclose(
        part.onset_sec[alignment.match[:, 1]], seconds_of[alignment.match[:, 0]], atol=1e-9
    )


def test_a_mistake_in_a_cadenza_is_told_in_its_bar_and_at_its_time(score: Score) -> None:
    performance, alignment = played(score)
    small_sec = 1.0 + AT_BEAT / 2 + SMALL_SEC * np.arange(len(RUN))
    np.testing.assert_allclose(alignment.beat_at(small_sec), AT_BEAT, atol=1e-3)
    note = score.grace_lead.index(len(RUN) - 1)
    stroke = int(np.argmin(np.abs(performance.onset_sec - seconds(score)[note])))
    missing = align_performance_to_score(without(performance, stroke), score)
    (found,) = alignment_report(missing, without(performance, stroke)).deletion
    assert (found.bar, found.beat) == (score.bar_name[score.bar_index_at(AT_BEAT)], 1.0)
    assert found.time_sec == pytest.approx(seconds(score)[note], abs=SMALL_SEC)


def test_an_excerpt_of_the_page_holds_what_is_due_in_it(score: Score) -> None:
    _, alignment = played(score)
    page = stretch(alignment, 9.05, 9.95)
    assert sorted(page.grace_lead) == list(range(8, 16))


def test_short_runs_have_no_room_of_their_own() -> None:
    lead = np.concatenate([[0], np.arange(MIN_RUN - 1, -1, -1), [0]])
    onset = np.repeat([0.0, 1.0, 2.0], [1, MIN_RUN, 1])
    course = course_of(onset, lead)
    np.testing.assert_array_equal(course.onset_beat, onset)
    assert not course.is_placed.any()
    np.testing.assert_array_equal(course.printed_beat(np.array([0.5, 1.0, 9.0])), [0.5, 1.0, 9.0])
    assert (course.room_at(np.array([0.5, 1.0, 9.0])) == -1).all()


def test_long_runs_put_room_into_the_course() -> None:
    # Two cadenzas, of ten and of twelve places; beside the second one a short run in the other hand.
    onset = np.repeat([0.0, 1.0, 2.0, 3.0], [1, 11, 15, 1])
    down = np.arange(12, 0, -1)
    lead = np.concatenate([[0], down[2:], [0], down, [2, 1], [0, 0]])
    course = course_of(onset, lead)
    first, second = 10 * STEP_BEAT, 12 * STEP_BEAT
    np.testing.assert_allclose(course.onset_beat[:12], np.append(0.0, 1.0 + STEP_BEAT * np.arange(11)))
    np.testing.assert_allclose(course.onset_beat[12:24], 2.0 + first + STEP_BEAT * np.arange(12))
    np.testing.assert_allclose(course.onset_beat[24:26], 2.0 + first + second - STEP_BEAT * np.array([2, 1]))
    np.testing.assert_allclose(course.onset_beat[26:], [2.0 + first + second, 3.0 + first + second])
    np.testing.assert_allclose(course.early_beat[[0, 11, 26, 27]], [0.0, first, second, 0.0])
    assert not course.early_beat[lead > 0].any()
    np.testing.assert_array_equal(course.is_placed, lead > 0)
    np.testing.assert_allclose(course.printed_beat(course.onset_beat), onset)
    np.testing.assert_allclose(course.printed_beat(np.array([0.5, 1.0 + first + 0.5])), [0.5, 1.5])
    room = np.repeat([-1, 0, -1, 1, -1], [1, 10, 1, 14, 2])
    np.testing.assert_array_equal(course.room_at(course.onset_beat), room)
