"""The rater of note accuracy: planted mistakes are found, weighed, and named with their bars."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from origins import ORIGIN
from rater_etude import BEAT_SEC, play, study_score, without
from tocco.music.alignment import align_performance_to_score
from tocco.music.matching.spans import RetriedSpan, SkippedSpan
from tocco.pseudo_labels.observed.evidence import NO_SCORE, Evidence
from tocco.pseudo_labels.raters import note_errors
from tocco.pseudo_labels.raters.note_accuracy import measure_note_accuracy
from tocco.pseudo_labels.raters.note_errors import (
    REPEATED_WEIGHT,
    RESTART_NOTES,
    find_note_errors,
    realises_ornament,
)
from tocco.pseudo_labels.raters.salience import outer_voices, played_salience, written_salience

SCORE = study_score()


def values(given: Evidence, span_sec: tuple[float, float] | None = None) -> dict[str, float]:
    return {name: c.value for name, c in measure_note_accuracy(given, span_sec).components.items()}


def with_deleted(notes: list[int]) -> Evidence:
    """The study with some written notes left out, aligned by hand."""
    performance, alignment = play(SCORE)
    played = alignment.match[notes, 1]
    kept = np.setdiff1d(np.arange(len(performance)), played)
    place = np.full(len(performance), -1)
    place[kept] = np.arange(len(kept))
    match = np.delete(alignment.match, notes, axis=0)
    return Evidence(
        without(performance, played.tolist()),
        replace(
            alignment,
            match=np.column_stack([match[:, 0], place[match[:, 1]]]),
            deletion=np.array(notes),
            performance_beat=alignment.performance_beat[kept],
            performance_onset_sec=alignment.performance_onset_sec[kept],
            performance_pitch=alignment.performance_pitch[kept],
        ),
    )


def note_at(beat: float, staff: int) -> int:
    return int(np.flatnonzero((SCORE.onset_beat == beat) & (SCORE.staff == staff))[0])


def test_a_clean_performance_has_no_errors() -> None:
    label = measure_note_accuracy(Evidence(*play(SCORE)))
    assert set(label.components) == {
        "weighted_error", "wrong_share", "missing_share", "extra_share", "skipped_share", "restart_rate",
        "repeated_errors",
    }  # fmt: skip
    assert all(component.value == 0.0 for component in label.components.values())
    assert label.causes == ()
    assert label.confidence == 1.0


def test_missing_notes_weigh_by_voice() -> None:
    """A quaver of the melody on a beat: 1 + 1 (top). The third above the bass is long for it."""
    top, inner = note_at(8.0, 1), int(np.flatnonzero((SCORE.onset_beat == 8.0) & (SCORE.staff == 2))[1])
    weight = written_salience(SCORE)
    long = 0.5 * np.log2(1.0 / np.median(SCORE.duration_beat)) / 2.0
    assert weight[inner] == pytest.approx(1.0 + long)
    assert weight[top] == pytest.approx(2.0)
    given = with_deleted([top])
    assert values(given)["weighted_error"] == pytest.approx(2.0 / weight.sum())
    assert values(given)["missing_share"] == pytest.approx(1 / 256)
    assert values(with_deleted([inner]))["weighted_error"] == pytest.approx(weight[inner] / weight.sum())


def test_a_missing_note_is_named_with_bar_and_beat() -> None:
    label = measure_note_accuracy(with_deleted([note_at(9.5, 1)]))
    assert [c.text for c in label.causes] == ["bar 3, beat 2.5: A5 is missing"]
    assert label.causes[0].start_sec == pytest.approx(1.0 + 9.5 * BEAT_SEC)


def test_errors_count_in_their_own_span() -> None:
    given = with_deleted([note_at(9.5, 1)])
    assert values(given, (0.0, 6.0))["weighted_error"] == 0.0
    assert values(given, (5.0, 15.0))["missing_share"] > 0.0


def test_wrong_and_added_notes_found_by_the_aligner() -> None:
    performance, _ = play(SCORE)
    wrong, beside = 100, 150
    pitch = performance.pitch.copy()
    pitch[wrong] += 1
    changed = replace(performance, pitch=pitch)
    added = {
        "onset_sec": np.append(changed.onset_sec, changed.onset_sec[beside] + 0.02),
        "offset_sec": np.append(changed.offset_sec, changed.offset_sec[beside]),
        "pitch": np.append(changed.pitch, changed.pitch[beside] + 1),
        "velocity": np.append(changed.velocity, 30),
    }
    order = np.lexsort((added["pitch"], added["onset_sec"]))
    changed = replace(changed, **{name: column[order] for name, column in added.items()})
    label = measure_note_accuracy(Evidence(changed, align_performance_to_score(changed, SCORE)))
    assert sorted(c.kind for c in label.causes) == ["extra", "wrong"]
    assert label.components["wrong_share"].value == pytest.approx(1 / 257)
    assert label.components["extra_share"].value == pytest.approx(1 / 257)
    extra = next(c for c in label.causes if c.kind == "extra")
    assert extra.size == pytest.approx(played_salience(changed)[extra.performance_notes[0]])
    assert extra.size < 0.6


@pytest.mark.parametrize(("late_sec", "level", "is_extra"), [(0.02, 30, True), (0.1, 30, False)])
def test_a_key_brushed_along_is_no_note_of_a_trill(late_sec: float, level: int, is_extra: bool) -> None:
    """Beside a note under a trill sign: caught with it a mistake, struck after it the trill."""
    score = study_score("trill-mark")
    performance, _ = play(score)
    main = int(np.argmin(np.abs(performance.onset_sec - 1.0 - 9.5 * BEAT_SEC)))
    added = {
        "onset_sec": np.append(performance.onset_sec, performance.onset_sec[main] + late_sec),
        "offset_sec": np.append(performance.offset_sec, performance.offset_sec[main]),
        "pitch": np.append(performance.pitch, performance.pitch[main] + 1),
        "velocity": np.append(performance.velocity, level),
    }
    order = np.lexsort((added["pitch"], added["onset_sec"]))
    changed = replace(performance, **{name: column[order] for name, column in added.items()})
    alignment = align_performance_to_score(changed, score)
    alignment = replace(alignment, ornaments=())
    kinds = find_note_errors(Evidence(changed, alignment)).kind
    assert kinds == (("extra",) if is_extra else ())


def test_a_restart_is_one_mistake_of_its_own() -> None:
    performance, alignment = play(SCORE)
    retry = RetriedSpan(40, 50, 6.0, 8.5, 8.0, 10.0)
    given = Evidence(performance, replace(alignment, retries=(retry,)))
    label = measure_note_accuracy(given)
    weight = written_salience(SCORE)
    error = RESTART_NOTES * weight.mean()
    assert label.components["weighted_error"].value == pytest.approx(error / (error + weight.sum()))
    assert label.components["restart_rate"].value == pytest.approx(60.0 / performance.duration_sec)
    assert label.causes[0].text == "bar 3, beat 1: stopped and restarted"
    assert label.causes[0].performance_notes == tuple(range(40, 51))


def test_a_skipped_bar_is_missing_as_a_whole() -> None:
    performance, alignment = play(SCORE)
    left = np.flatnonzero((SCORE.onset_beat >= 16.0) & (SCORE.onset_beat < 20.0))
    gone = np.isin(alignment.match[:, 0], left)
    given = Evidence(
        performance,
        replace(
            alignment,
            match=alignment.match[~gone],
            insertion=np.zeros(0, dtype=int),
            unplayed=left,
            skips=(SkippedSpan(10.0, 16.0, 19.5),),
        ),
    )
    label = measure_note_accuracy(given)
    assert label.components["skipped_share"].value == pytest.approx(16 / 256)
    assert [c.text for c in label.causes] == ["bar 5: 16 notes were skipped"]


def test_the_same_mistake_in_both_passes_weighs_more() -> None:
    """Bars 1 and 2 printed twice: the same key at the same place is missing both times."""
    twice = replace(SCORE, bar_name=tuple("12" * 8))
    first, second, other = note_at(1.5, 1), note_at(9.5, 1), note_at(4.5, 1)
    twice = replace(twice, pitch=np.where(np.arange(len(twice)) == second, twice.pitch[first], twice.pitch))
    given = with_deleted([first, second, other])
    assert given.alignment is not None
    errors = find_note_errors(Evidence(given.performance, replace(given.alignment, score=twice)))
    assert errors.repeated.tolist() == [w in (first, second) for w in errors.written]
    weight = written_salience(twice)
    assert errors.error_weight[errors.written == first] == pytest.approx(REPEATED_WEIGHT * weight[first])
    assert errors.error_weight[errors.written == other] == pytest.approx(weight[other])


def test_outer_voices_leave_grace_notes_out() -> None:
    score = replace(SCORE, is_grace=SCORE.pitch == 72)
    is_top, is_bottom = outer_voices(score)
    assert not is_top[score.is_grace].any()
    assert is_top.sum() == len(np.unique(score.onset_beat[~score.is_grace]))
    assert is_bottom.sum() == is_top.sum()
    assert written_salience(score)[score.is_grace].tolist() == [0.5] * int(score.is_grace.sum())


def test_without_a_score_nothing_is_said() -> None:
    label = measure_note_accuracy(Evidence(play(SCORE)[0]))
    assert label.components == {}
    assert label.rating is None
    assert label.missing["note_accuracy"] == NO_SCORE


def test_an_empty_span_has_a_reason() -> None:
    label = measure_note_accuracy(Evidence(*play(SCORE)), (500.0, 510.0))
    assert label.missing["weighted_error"] == "no note was played or due in this span"
    assert label.confidence == 0.0


@pytest.mark.parametrize(("level", "counts"), [(90, 1.0), (25, 0.05)])
def test_from_transcription_a_note_missing_among_soft_ones_hardly_counts(level: int, counts: float) -> None:
    given = with_deleted([note_at(8.0, 1)])
    soft = replace(given.performance, velocity=np.full(len(given.performance), level))
    by_keys, from_transcription = (
        find_note_errors(Evidence(replace(soft, origin=ORIGIN[heard]), given.alignment)).error_weight
        for heard in (False, True)
    )
    assert from_transcription[0] / by_keys[0] == pytest.approx(counts, abs=0.05)
    heard = measure_note_accuracy(Evidence(replace(soft, origin="transcribed"), given.alignment))
    said = "is missing" if counts == 1.0 else "is missing or too soft to be detected"
    assert heard.causes[0].text.endswith(said)


def test_from_transcription_added_and_wrong_notes_count_in_full() -> None:
    performance, alignment = play(SCORE)
    soft = replace(performance, velocity=np.full(len(performance), 25))
    note = note_at(8.0, 1)
    wrong = replace(
        alignment,
        match=np.delete(alignment.match, note, axis=0),
        deletion=np.array([note]),
        insertion=alignment.match[[note], 1],
        substitution=alignment.match[[note]],
    )
    by_keys, from_transcription = (
        find_note_errors(Evidence(replace(soft, origin=ORIGIN[heard]), wrong)) for heard in (False, True)
    )
    assert from_transcription.kind == ("wrong",)
    np.testing.assert_array_equal(from_transcription.error_weight, by_keys.error_weight)


def test_thresholds_are_the_stated_ones() -> None:
    """The tests above take them as they are; here they are held to what their reasons say."""
    assert note_errors.RESTART_NOTES == 6.0
    assert note_errors.REPEATED_WEIGHT == 1.5


@pytest.mark.parametrize(
    ("beat", "step", "sign", "realises"),
    [
        (8.0, 2, "trill-mark", True),
        (8.0, -2, "trill-mark", True),
        (8.0, 3, "trill-mark", False),
        (7.78, 1, "turn", True),
        (7.7, 1, "turn", False),
        (8.49, 1, "mordent", True),
        (8.5, 1, "mordent", False),
        (8.0, 0, "tremolo", True),
        (8.0, 1, "tremolo", False),
        (8.0, 1, "staccato", False),
    ],
)
def test_a_key_near_a_sign_realises_it(beat: float, step: int, sign: str, realises: bool) -> None:
    """Within a tone of the written quaver, from a quarter of a beat before it until its end."""
    main = note_at(8.0, 1)
    score = replace(SCORE, articulation=tuple(sign if k == main else "" for k in range(len(SCORE))))
    _, alignment = play(score)
    alignment = replace(
        alignment,
        performance_beat=np.append(alignment.performance_beat, beat),
        performance_pitch=np.append(alignment.performance_pitch, score.pitch[main] + step),
    )
    assert realises_ornament(alignment, np.array([len(score)])).tolist() == [realises]


def test_a_restart_weighs_as_six_notes_and_a_repeated_mistake_half_as_much_again() -> None:
    performance, alignment = play(SCORE)
    retry = RetriedSpan(40, 50, 6.0, 8.5, 8.0, 10.0)
    errors = find_note_errors(Evidence(performance, replace(alignment, retries=(retry,))))
    assert errors.error_weight.tolist() == [pytest.approx(6.0 * written_salience(SCORE).mean())]
    assert (errors.error_sec.tolist(), errors.played.tolist(), errors.kind) == ([8.5], [40], ("restart",))
    twice = replace(SCORE, bar_name=tuple("12" * 8))
    first, second = note_at(1.5, 1), note_at(9.5, 1)
    twice = replace(twice, pitch=np.where(np.arange(len(twice)) == second, twice.pitch[first], twice.pitch))
    given = with_deleted([first, second])
    assert given.alignment is not None
    found = find_note_errors(Evidence(given.performance, replace(given.alignment, score=twice)))
    assert found.error_weight == pytest.approx(1.5 * written_salience(twice)[[first, second]])


def test_each_skip_counts_its_own_notes_where_it_was_made() -> None:
    performance, alignment = play(SCORE)
    first = np.flatnonzero((SCORE.onset_beat >= 16.0) & (SCORE.onset_beat < 17.0))
    second = np.flatnonzero((SCORE.onset_beat >= 40.0) & (SCORE.onset_beat < 42.0))
    gone = np.concatenate([first, second])
    both = replace(
        alignment,
        match=alignment.match[~np.isin(alignment.match[:, 0], gone)],
        unplayed=gone,
        skips=(SkippedSpan(10.0, 16.0, 16.5), SkippedSpan(24.0, 40.0, 41.5)),
    )
    errors = find_note_errors(Evidence(performance, both))
    assert errors.kind == ("skipped",) * len(gone)
    assert errors.written.tolist() == gone.tolist()
    assert errors.error_sec.tolist() == [10.0] * len(first) + [24.0] * len(second)


def test_a_wrong_note_counts_when_it_was_played() -> None:
    """Of a chord whose keys the player struck in the other order, so that indices differ."""
    performance, alignment = play(SCORE, late_sec=np.where(SCORE.staff == 1, -0.05, 0.0))
    note = note_at(8.0, 1)
    played = int(alignment.match[note, 1])
    assert played != note
    wrong = replace(
        alignment,
        match=np.delete(alignment.match, note, axis=0),
        deletion=np.array([note]),
        insertion=np.array([played]),
        substitution=np.array([[note, played]]),
    )
    errors = find_note_errors(Evidence(performance, wrong))
    assert errors.error_sec.tolist() == [performance.onset_sec[played]]
    assert (errors.written.tolist(), errors.played.tolist()) == ([note], [played])
    assert errors.error_weight == pytest.approx([written_salience(SCORE)[note]])
