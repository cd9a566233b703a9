"""Excerpts: what they hold, on which clock, and what a flat rendering plays."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from statistics_etude import BEAT_SEC, N_BEATS, etude, etude_score
from tocco.music.alignment import Alignment, align_performance_to_score
from tocco.music.excerpt import (
    flat_rendering,
    half_bounds,
    performance_excerpt,
    performed_part,
    score_excerpt,
)
from tocco.music.performance import PedalCurve


def test_an_excerpt_holds_what_is_struck_in_it_and_not_what_rings_into_it() -> None:
    pedal = PedalCurve(np.array([2.0, 9.0]), np.array([127.0, 0.0]))
    performance, alignment = etude(pedal=pedal)
    start, end = 1.0 + 3 * BEAT_SEC, 1.0 + 7 * BEAT_SEC
    part, aligned = performance_excerpt(performance, alignment, start - 1e-6, end - 1e-6)
    struck = (performance.onset_sec >= start - 1e-6) & (performance.onset_sec < end - 1e-6)
    assert len(part) == struck.sum() == 4 + 4
    assert part.onset_sec == pytest.approx(performance.onset_sec[struck] - start, abs=1e-5)
    assert part.onset_sec.min() == pytest.approx(0.0, abs=1e-5)
    assert part.duration_sec == pytest.approx(4 * BEAT_SEC)
    assert part.sustain.value.tolist() == [127.0]
    assert part.sustain.time_sec[0] == 0.0
    assert aligned is not None
    assert aligned.n_match == 8
    assert performance_excerpt(performance, None, start, end)[1] is None


def test_the_halves_are_the_first_the_middle_and_the_last() -> None:
    bounds = half_bounds(np.array([3.0, 1.0, 9.0]))
    assert bounds == pytest.approx(np.array([[1.0, 5.0], [3.0, 7.0], [5.0, 9.0]]))
    assert bounds[-1, 1] > 9.0


def test_bars_of_a_score_are_a_score_from_beat_0() -> None:
    score = etude_score()
    part = score_excerpt(score, 8.0, 20.0)
    inside = (score.onset_beat >= 8.0) & (score.onset_beat < 20.0)
    assert part.onset_beat.tolist() == (score.onset_beat[inside] - 8.0).tolist()
    assert part.pitch.tolist() == score.pitch[inside].tolist()
    assert part.bar_onset_beat.tolist() == [0.0, 4.0, 8.0]
    assert part.bar_beats.tolist() == [4.0, 4.0, 4.0]
    assert part.bar_name == ("3", "4", "5")
    assert part.bar.tolist() == (part.onset_beat // 4).astype(int).tolist()
    assert len(part.note_id) == len(part.articulation) == len(part.velocity) == len(part)


def test_a_cut_inside_a_bar_keeps_the_rest_of_it() -> None:
    part = score_excerpt(etude_score(), 6.0, 12.0)
    assert part.bar_onset_beat.tolist() == [0.0, 2.0]
    assert part.bar_beats.tolist() == [2.0, 4.0]
    assert part.bar_name == ("2", "3")


def test_a_note_just_before_its_bar_line_belongs_to_the_bar() -> None:
    score = etude_score()
    early = replace(score, onset_beat=np.where(score.onset_beat == 8.0, 7.99, score.onset_beat))
    assert score_excerpt(early, 8.0, 12.0).onset_beat.min() == 0.0
    assert len(score_excerpt(early, 8.0, 12.0)) == len(score_excerpt(score, 8.0, 12.0))
    assert len(score_excerpt(early, 4.0, 8.0)) == len(score_excerpt(score, 4.0, 8.0))


def test_the_performed_part_of_a_score_is_what_was_played_or_is_missing() -> None:
    performance, whole = etude()
    assert performed_part(whole) is whole.score
    end = 1.0 + 16 * BEAT_SEC - 1e-6
    first_half, part = performance_excerpt(performance, whole, 0.0, end)
    assert part is not None
    played = performed_part(part)
    assert played.onset_beat.max() == 15.0
    assert len(played) == 32
    missing = align_performance_to_score(first_half.only(np.arange(4, 28)), whole.score)
    assert performed_part(missing).onset_beat.max() <= 15.0
    none = replace(whole, match=np.zeros((0, 2), dtype=int))
    assert performed_part(none) is whole.score


def test_a_flat_rendering_has_one_loudness_no_pedal_and_the_stated_tempo() -> None:
    score = etude_score()
    flat = flat_rendering(score)
    assert set(flat.velocity.tolist()) == {64}
    assert len(flat.sustain) == 0
    assert flat.onset_sec == pytest.approx(np.sort(score.onset_beat) * 0.6)
    assert (flat.offset_sec - flat.onset_sec).min() == pytest.approx(0.95 * 0.6)
    assert flat.duration_sec == pytest.approx(float(flat.offset_sec.max()))
    unknown = flat_rendering(replace(score, tempo_bpm=0.0))
    assert unknown.onset_sec == pytest.approx(flat.onset_sec)  # 100 per minute, as the etude states
    faster = flat_rendering(replace(score, tempo_bpm=200.0))
    assert faster.onset_sec.max() == pytest.approx((N_BEATS - 1) * 0.3)


def test_a_grace_note_of_a_flat_rendering_sounds() -> None:
    score = etude_score()
    grace = np.arange(len(score)) == 0
    flat = flat_rendering(
        replace(score, is_grace=grace, duration_beat=np.where(grace, 0.0, score.duration_beat))
    )
    assert float((flat.offset_sec - flat.onset_sec)[0]) == pytest.approx(0.1)


def test_an_excerpt_without_notes_is_empty() -> None:
    performance, alignment = etude()
    part, aligned = performance_excerpt(performance, alignment, 0.2, 0.4)
    assert len(part) == 0
    assert isinstance(aligned, Alignment)
    assert part.duration_sec == pytest.approx(0.2)
