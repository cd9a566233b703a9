"""Alignment on small pieces with planted mistakes, and on the Vienna 4x22 corpus against its matches."""

from __future__ import annotations

import logging
import time
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alignment_etude import BEAT_SEC, check_is_partition, performance_of, piece, play, score_of, without
from tocco.errors import InputError, MismatchError
from tocco.music.alignment import MIN_MATCH_RATE, _belongs, align_performance_to_score
from tocco.music.matching.chords import WrittenNotes, group_onsets
from tocco.music.matching.matcher import NoteMatching
from tocco.music.matching.tempo_map import TempoMap
from tocco.music.midi import load_midi
from tocco.music.partitura_import import import_notation_library
from tocco.music.performance import Performance
from tocco.music.score import Score, load_score


def test_a_perfect_performance_matches_note_for_note() -> None:
    score = piece()
    performance = play(score)
    alignment = align_performance_to_score(performance, score)
    check_is_partition(alignment, len(performance))
    assert alignment.n_match == len(score)
    assert alignment.match_rate == 1.0
    written, played = alignment.match.T
    np.testing.assert_array_equal(score.pitch[written], performance.pitch[played])
    np.testing.assert_array_equal(alignment.performance_beat[played], score.onset_beat[written])
    np.testing.assert_allclose(alignment.sec_at(score.onset_beat), 1 + score.onset_beat / 2, atol=0.031)


def test_beats_and_seconds_map_to_each_other_and_go_on_beyond_the_ends() -> None:
    alignment = align_performance_to_score(play(piece(), jitter_sec=0.0), piece())
    np.testing.assert_allclose(alignment.sec_at(np.array([-2.0, 0.0, 10.25, 70.0])), [0, 1, 6.125, 36])
    np.testing.assert_allclose(alignment.beat_at(np.array([0.0, 1.0, 6.125, 36.0])), [-2, 0, 10.25, 70])
    assert alignment.bar_at(0) == "1"
    assert alignment.bar_at(7.99) == "2"
    assert alignment.bar_at(8) == "3"


@settings(max_examples=15, deadline=None)
@given(
    note=st.integers(20, 120),
    kind=st.sampled_from(["wrong", "missing", "extra"]),
    by=st.sampled_from([-2, -1, 1]),
)
def test_one_planted_mistake_is_found_and_no_other(note: int, kind: str, by: int) -> None:
    score = piece()
    performance = play(score)
    if kind == "wrong":
        pitch = performance.pitch.copy()
        pitch[note] += by
        performance = replace(performance, pitch=pitch)
    elif kind == "missing":
        performance = without(performance, note)
    else:
        onset = np.append(performance.onset_sec, performance.onset_sec[note] + 0.12)
        performance = performance_of(onset, np.append(performance.pitch, 108))
    alignment = align_performance_to_score(performance, score)
    check_is_partition(alignment, len(performance))
    counts = {"wrong": alignment.n_wrong, "missing": alignment.n_missing, "extra": alignment.n_extra}
    assert counts == {"wrong": 0, "missing": 0, "extra": 0} | {kind: 1}


def test_a_slip_of_an_octave_is_one_wrong_note() -> None:
    score = piece()
    performance = play(score)
    pitch = performance.pitch.copy()
    pitch[50] += 12 if pitch[50] < 70 else -12
    alignment = align_performance_to_score(replace(performance, pitch=pitch), score)
    assert (alignment.n_wrong, alignment.n_missing, alignment.n_extra) == (1, 0, 0)


def test_wrong_notes_pair_with_the_nearest_written_ones() -> None:
    """Two wrong notes in one chord: the pairing that is closest in all, each note once."""
    onset = np.repeat(np.arange(12.0), 2)
    pitch = np.tile([48, 72], 12) + np.repeat([0, 2, 4, 5, 7, 9, 11, 12, 9, 7, 4, 0], 2)
    score = score_of(onset, pitch)
    played = score.pitch.copy()
    played[[10, 11]] += [1, -1]
    alignment = align_performance_to_score(performance_of(1 + score.onset_beat, played), score)
    np.testing.assert_array_equal(alignment.substitution, [[10, 10], [11, 11]])


def test_the_same_input_gives_the_same_alignment() -> None:
    score, performance = piece(), play(piece(), jitter_sec=0.03)
    first, second = (align_performance_to_score(performance, score) for _ in range(2))
    np.testing.assert_array_equal(first.match, second.match)
    np.testing.assert_array_equal(first.anchor_sec, second.anchor_sec)


def test_it_says_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    align_performance_to_score(play(piece()), piece())
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("shift_sec", [-30.0, 100.0])
def test_alignment_does_not_depend_on_when_the_recording_starts(shift_sec: float) -> None:
    score, performance = piece(), play(piece())
    here = align_performance_to_score(performance, score)
    there = align_performance_to_score(performance.shifted(shift_sec), score)
    np.testing.assert_array_equal(here.match, there.match)
    np.testing.assert_allclose(there.anchor_sec, here.anchor_sec + shift_sec)


@pytest.mark.parametrize("bars", [(0, 8), (8, 16), (4, 12)])
def test_an_excerpt_leaves_the_rest_of_the_score_unplayed(bars: tuple[int, int]) -> None:
    score = piece()
    inside = (score.bar >= bars[0]) & (score.bar < bars[1])
    whole = play(score)
    order = np.argsort(score.onset_beat, kind="stable")
    cut = inside[order]
    performance = performance_of(whole.onset_sec[cut], score.pitch[order][cut])
    alignment = align_performance_to_score(performance, score)
    assert alignment.match_rate > 0.99
    assert alignment.n_missing <= 1
    assert abs(len(alignment.unplayed) - int((~inside).sum())) <= 1


def test_a_short_last_bar_left_out_counts_as_missing() -> None:
    score = piece()
    performance = play(score)
    keep = performance.onset_sec < performance.onset_sec[-1] - 0.8
    alignment = align_performance_to_score(
        performance_of(performance.onset_sec[keep], performance.pitch[keep]), score
    )
    assert alignment.n_missing == int((~keep).sum())
    assert len(alignment.unplayed) == 0


def test_the_reading_that_was_played_is_found() -> None:
    one = piece(n_bars=8)
    beats = 32.0
    twice = score_of(
        np.concatenate((one.onset_beat, one.onset_beat + beats)), np.concatenate((one.pitch, one.pitch))
    )
    for played, name in ((one, "no repeats"), (twice, "all repeats")):
        readings = [replace(twice, repeats="all repeats"), replace(one, repeats="no repeats")]
        alignment = align_performance_to_score(play(played), readings)
        assert alignment.score.repeats == name
        assert alignment.match_rate == 1.0


def test_two_voices_on_one_key_ask_for_one_stroke() -> None:
    score = piece()
    double = score_of(
        np.append(score.onset_beat, 8.0), np.append(score.pitch, score.pitch[score.onset_beat == 8][0])
    )
    alignment = align_performance_to_score(play(score), double)
    assert alignment.n_missing == 0
    assert len(alignment.unplayed) == 1
    check_is_partition(alignment, len(score))


def test_a_beginner_with_a_mistake_in_every_fifth_note_is_accepted(rng: np.random.Generator) -> None:
    score = piece()
    performance = play(score)
    fate = rng.random(len(performance))
    pitch = performance.pitch + np.where(fate < 0.1, rng.choice([-2, -1, 1, 2], len(performance)), 0)
    keep = fate < 0.9
    alignment = align_performance_to_score(performance_of(performance.onset_sec[keep], pitch[keep]), score)
    assert alignment.match_rate > 0.75
    assert alignment.n_match == pytest.approx(0.8 * len(score), rel=0.1)


def test_a_poor_performance_in_tempo_is_none_of_another_piece(rng: np.random.Generator) -> None:
    score = piece()
    performance = play(score)
    wrong = rng.random(len(performance)) < 0.55
    pitch = performance.pitch + np.where(wrong, rng.choice([-3, -2, -1, 1, 2, 3], len(performance)), 0)
    alignment = align_performance_to_score(performance_of(performance.onset_sec, pitch), score)
    assert 0.4 < alignment.overall_confidence < MIN_MATCH_RATE
    assert alignment.differs_much
    assert not align_performance_to_score(performance, score).differs_much


def matching(overall: float, beat_sec: list[float], n_retried: int = 0) -> NoteMatching:
    sec = np.concatenate([[0.0], np.cumsum(beat_sec)])
    return NoteMatching(
        match=np.zeros((0, 2), dtype=int),
        confidence=np.zeros(0),
        overall=overall,
        is_performed=np.zeros(0, dtype=bool),
        is_retried=np.arange(20) < n_retried,
        tempo_map=TempoMap(np.arange(len(sec), dtype=float), sec),
        groups=group_onsets(
            WrittenNotes(
                np.zeros(1), np.ones(1), np.full(1, 60), np.zeros(1, dtype=bool), np.ones(1, dtype=int)
            )
        ),
        retries=(),
        skips=(),
    )


STEADY, JUMPY = [0.5] * 8, [0.5, 0.5 * np.exp(0.3)] * 4


@pytest.mark.parametrize(
    ("overall", "beat_sec", "belongs"),
    [
        (0.29, STEADY, True),
        (0.27, STEADY, False),
        (0.58, JUMPY, True),  # beats that change by a factor of exp(0.3) halve what the agreement counts for
        (0.54, JUMPY, False),
        (0.61, [0.1, 2.0] * 4, True),  # so much agrees by chance nowhere
        (0.59, [0.1, 2.0] * 4, False),
        (0.59, [0.5, 0.5], False),  # too little to have a tempo
    ],
)
def test_less_agreement_has_to_be_in_tempo(overall: float, beat_sec: list[float], belongs: bool) -> None:
    assert _belongs(matching(overall, beat_sec)) == belongs


@pytest.mark.parametrize(("n_retried", "belongs"), [(10, True), (11, False)])
def test_what_is_mostly_given_up_tries_does_not_belong_by_the_little_rest(
    n_retried: int, belongs: bool
) -> None:
    assert _belongs(matching(0.5, STEADY, n_retried)) == belongs
    assert _belongs(matching(0.61, STEADY, n_retried))


def test_the_unsteadiness_is_that_of_successive_beats() -> None:
    assert matching(1.0, STEADY).unsteadiness == pytest.approx(0.0, abs=1e-12)
    assert matching(1.0, JUMPY).unsteadiness == pytest.approx(0.3)
    assert matching(1.0, [0.5] * 4 + [3.0] + [0.5] * 8).unsteadiness == pytest.approx(
        0.0, abs=1e-12
    )  # a stop
    assert matching(1.0, [0.5, 0.5]).unsteadiness == np.inf


def test_another_piece_is_refused() -> None:
    with pytest.raises(
        MismatchError, match=r"take.mid: is not a performance of piece.musicxml: \d+ % of the"
    ):
        align_performance_to_score(play(piece(seed=3)), piece(seed=4))


@pytest.mark.parametrize(
    ("semitones", "said"),
    [
        (5, "stands 5 semitones above piece.musicxml .* Next: move the notes down by 5 semitones"),
        (-1, "stands 1 semitone below piece.musicxml .* Next: move the notes up by 1 semitone,"),
        (12, "stands an octave above piece.musicxml .* Next: move the notes down by an octave"),
        (-12, "stands an octave below piece.musicxml .* Next: move the notes up by an octave"),
    ],
)
def test_the_piece_in_another_key_is_told_by_how_much(semitones: int, said: str) -> None:
    performance = play(piece(seed=3))
    moved = replace(performance, pitch=performance.pitch + semitones)
    with pytest.raises(MismatchError, match=said):
        align_performance_to_score(moved, piece(seed=3))


def test_too_little_to_align_is_refused() -> None:
    with pytest.raises(InputError, match="has 1 notes"):
        align_performance_to_score(performance_of(np.array([1.0]), np.array([60])), piece())
    with pytest.raises(InputError, match="no reading"):
        align_performance_to_score(play(piece()), [])


def test_a_window_keeps_the_notes_and_the_mistakes_of_its_span() -> None:
    score = piece()
    performance = play(score)
    pitch = performance.pitch.copy()
    pitch[60] += 1
    mistaken = without(replace(performance, pitch=pitch), 90)
    whole = align_performance_to_score(mistaken, score)
    wrong_sec, missing_sec = mistaken.onset_sec[60], performance.onset_sec[90]
    start, end = wrong_sec - 2.0, wrong_sec + 2.0
    index = np.flatnonzero((mistaken.onset_sec >= start) & (mistaken.onset_sec < end))
    window = whole.window(start, end, index)
    check_is_partition(window, len(index))
    assert (window.n_wrong, window.n_missing, window.n_extra) == (1, 0, 0)
    np.testing.assert_array_equal(score.pitch[window.match[:, 0]], mistaken.pitch[index][window.match[:, 1]])
    inside_beat = whole.beat_at(np.linspace(start, end, 9))
    np.testing.assert_allclose(window.sec_at(inside_beat), np.linspace(0, end - start, 9), atol=1e-9)
    np.testing.assert_allclose(window.performance_beat, whole.performance_beat[index])
    np.testing.assert_allclose(window.performance_onset_sec, mistaken.onset_sec[index] - start)
    later = whole.window(missing_sec - 0.5, missing_sec + 0.5, np.zeros(0, dtype=int))
    assert (later.n_match, later.n_missing) == (0, 1)


@pytest.mark.parametrize("cut_sec", [3.0, 7.77, 20.0])
def test_two_windows_share_out_every_event(cut_sec: float) -> None:
    score = piece()
    performance = without(play(score), 77)
    whole = align_performance_to_score(performance, score)
    first = np.flatnonzero(performance.onset_sec < cut_sec)
    second = np.flatnonzero(performance.onset_sec >= cut_sec)
    left = whole.window(-100.0, cut_sec, first)
    right = whole.window(cut_sec, 1000.0, second)
    for count in ("n_match", "n_missing", "n_wrong", "n_extra"):
        assert getattr(left, count) + getattr(right, count) == getattr(whole, count)


def test_a_slow_written_out_arpeggio_at_the_end_is_matched() -> None:
    """The last chord, spread over many times its written length."""
    score = piece()
    chord = score_of(
        np.concatenate((score.onset_beat, np.full(5, 64.0))),
        np.concatenate((score.pitch, [40, 47, 52, 56, 59])),
    )
    onset = np.concatenate((1 + score.onset_beat * BEAT_SEC, 35.0 + np.arange(5) * 0.8))
    performance = performance_of(onset, np.concatenate((score.pitch, [40, 47, 52, 56, 59])))
    alignment = align_performance_to_score(performance, chord)
    assert alignment.n_match == len(chord)


def vienna_truth(match_file: Path, performance: Performance, score: Score) -> set[tuple[float, int, int]]:
    """The corpus' own matches as (beat, pitch, performance index).

    By beat and pitch, not by id: of two voices on one key either may be named.
    """
    partitura = import_notation_library("partitura")
    with warnings.catch_warnings():
        # partitura comments on details of the match files' headers.
        warnings.simplefilter("ignore")
        performed, pairs = partitura.load_match(str(match_file))
    notes = performed.note_array()
    place: dict[str, int] = {}
    free = np.ones(len(performance), dtype=bool)
    for i in np.argsort(notes["onset_sec"], kind="stable"):
        near = np.abs(performance.onset_sec - notes["onset_sec"][i]) < 0.02
        found = np.flatnonzero(near & free & (performance.pitch == notes["pitch"][i]))
        if len(found):
            free[found[0]] = False
            place[str(notes["id"][i])] = int(found[0])
    written = {name: i for i, name in enumerate(score.note_id)}
    return {
        (round(float(score.onset_beat[i]), 4), int(score.pitch[i]), place[pair["performance_id"]])
        for pair in pairs
        if pair["label"] == "match"
        for i in [written[pair["score_id"]]]
    }


@pytest.mark.data
@pytest.mark.slow
def test_vienna_matches_are_found_again(corpus_dir: Path) -> None:
    folder = corpus_dir / "vienna4x22"
    scores = {path.stem: load_score(path) for path in sorted((folder / "musicxml").glob("*.musicxml"))}
    f1, seconds = [], []
    for match_file in sorted((folder / "match").glob("*.match")):
        score = scores[match_file.stem.rsplit("_", 1)[0]]
        performance = load_midi(folder / "midi" / f"{match_file.stem}.mid")
        truth = vienna_truth(match_file, performance, score)
        begin = time.process_time()
        alignment = align_performance_to_score(performance, score)
        seconds.append(time.process_time() - begin)
        found = {
            (round(float(score.onset_beat[i]), 4), int(score.pitch[i]), int(j)) for i, j in alignment.match
        }
        f1.append(2 * len(found & truth) / (len(found) + len(truth)))
    figures = {
        "files": len(f1),
        "f1_mean": float(np.mean(f1)),
        "f1_median": float(np.median(f1)),
        "f1_min": float(np.min(f1)),
        "cpu_sec_mean": float(np.mean(seconds)),
        "cpu_sec_max": float(np.max(seconds)),
    }
    logging.getLogger(__name__).info("Vienna 4x22: %s", figures)  # shown with --log-cli-level=INFO
    assert figures["files"] == 88
    assert figures["f1_mean"] > 0.997
    assert figures["f1_min"] > 0.98


@pytest.mark.data
@pytest.mark.slow
def test_vienna_pieces_are_told_apart(corpus_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tocco.music.alignment.MIN_MATCH_RATE", 0.0)
    folder = corpus_dir / "vienna4x22"
    scores = {path.stem: load_score(path) for path in sorted((folder / "musicxml").glob("*.musicxml"))}
    right, wrong = [], []
    for piece_name in scores:
        for pianist in (2, 11, 20):
            performance = load_midi(folder / "midi" / f"{piece_name}_p{pianist:02d}.mid")
            for name, score in scores.items():
                rate = align_performance_to_score(performance, score).match_rate
                (right if name == piece_name else wrong).append(rate)
    logging.getLogger(__name__).info("right %s, wrong %s", sorted(right), sorted(wrong))
    assert min(right) > 0.95
    assert max(wrong) < MIN_MATCH_RATE - 0.1
