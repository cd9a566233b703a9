"""Attention of overlapping windows on one axis of time."""

from __future__ import annotations

import json

import numpy as np
import pytest
from pydantic import ValidationError

from attention_example import attended, attention
from tocco.inference.assessment import Assessment, read_assessment, write_assessment_file
from tocco.inference.attention import (
    Attention,
    WindowAttention,
    attention_over_time,
    evenness,
    window_attention,
)
from tocco.inference.windows import centre_weighted_merge
from tocco.models.predictor import FrameAttention

BOUNDS = np.array([[3.0, 13.0], [8.0, 18.0], [13.0, 23.0]])
HEARD = np.array([True, True, True])
FRAMES = np.arange(0.125, 10.0, 0.25)


def window(*peaks: float, n_heads: int = 1) -> WindowAttention:
    """Even attention, ten times as much in the seconds from the start of the window that are named."""
    weight = np.where(np.isin(np.floor(FRAMES), peaks), 10.0, 1.0)
    return WindowAttention(np.tile(weight / weight.sum(), (n_heads, 1)), FRAMES)


def test_even_attention_is_1_at_every_point() -> None:
    merge = centre_weighted_merge(BOUNDS, HEARD)
    found = attention_over_time([window()] * 3, merge, 0.25)
    assert found is not None
    assert found.curve == (1.0,) * 20
    assert found.heads == (found.curve,)
    assert (found.evenness, found.window_sec, found.network_share) == (1.0, 10.0, 0.25)


def test_a_peak_is_where_it_was_on_the_clock_of_the_performance() -> None:
    merge = centre_weighted_merge(BOUNDS, HEARD)
    found = attention_over_time([window(), window(6.0), window()], merge, 0.0)
    assert found is not None
    curve = np.array(found.curve, dtype=float)
    at = int(np.argmax(curve))
    assert merge.time_sec[at] == 14.5  # 8 s, the start of its window, and 6.5 s
    # There the second window has the weight 0.7 and the third 0.3; a peak is 10 / 1.9 times an even share.
    inside, beside = 10.0 / 1.9, 1.0 / 1.9
    of_second = {14.5: 0.7 * inside + 0.3, 15.5: 0.5 * beside + 0.5}
    assert curve[at] / curve[at + 1] == pytest.approx(of_second[14.5] / of_second[15.5], rel=1e-3)
    assert curve.mean() == pytest.approx(1.0, abs=1e-3)


def test_windows_that_were_not_heard_do_not_count() -> None:
    heard = np.array([True, False, True])
    merge = centre_weighted_merge(BOUNDS, heard)
    found = attention_over_time([window(), window(6.0), window()], merge, 0.0)
    assert found is not None
    assert set(found.curve) == {1.0}
    assert found.evenness == 1.0


def test_heads_are_merged_one_by_one_and_their_mean_is_the_curve() -> None:
    merge = centre_weighted_merge(BOUNDS[:1], HEARD[:1])
    both = np.vstack([window(2.0).weight, window(7.0).weight])
    found = attention_over_time([WindowAttention(both, FRAMES)], merge, 0.0)
    assert found is not None
    assert [int(np.argmax(head)) for head in found.heads] == [2, 7]
    assert np.array(found.curve) == pytest.approx(np.mean(found.heads, axis=0), abs=1e-3)


def test_a_point_without_frames_has_none() -> None:
    merge = centre_weighted_merge(BOUNDS[:1], HEARD[:1])
    short = FRAMES[FRAMES < 8.0]
    found = attention_over_time(
        [WindowAttention(np.full((1, len(short)), 1 / len(short)), short)], merge, 0.0
    )
    assert found is not None
    assert found.curve == (1.0,) * 8 + (None, None)


def test_padding_is_left_out_and_what_has_no_attention_has_none() -> None:
    weight = np.array([[[0.5, 0.5, 0.0]], [[0.2, 0.3, 0.5]]])
    time_sec = np.array([[0.0, 1.0, np.nan], [0.0, 1.0, 2.0]])
    short, full = window_attention(FrameAttention(weight, time_sec))
    assert short.weight.tolist() == [[0.5, 0.5]]
    assert full.time_sec.tolist() == [0.0, 1.0, 2.0]
    assert window_attention(None) == []
    assert attention_over_time([], centre_weighted_merge(BOUNDS, HEARD), 0.0) is None


def test_evenness_counts_the_frames_that_carry_the_attention() -> None:
    assert evenness(np.full(8, 1 / 8)) == pytest.approx(1.0)
    assert evenness(np.array([1.0, 0.0, 0.0, 0.0])) == pytest.approx(0.25)


def test_it_is_read_back_and_an_older_file_has_none(tmp_path) -> None:
    made = attended(at5=3.0)
    write_assessment_file(made, tmp_path / "a.json")
    assert read_assessment(tmp_path / "a.json") == made
    fields = made.model_dump(mode="json") | {"schema_version": "2.2"}
    del fields["attention"]
    (tmp_path / "old.json").write_text(json.dumps(fields))
    old = read_assessment(tmp_path / "old.json")
    assert old.attention is None
    assert old.ratings == made.ratings


def test_attention_that_fits_neither_the_curve_nor_its_heads_is_refused() -> None:
    fields = attended().model_dump()
    with pytest.raises(ValidationError, match="attention has 65 points, the curve 66"):
        Assessment.model_validate(fields | {"attention": attention(65).model_dump()})
    with pytest.raises(ValidationError, match="one of its heads has not"):
        Attention.model_validate(attention().model_dump() | {"heads": [[1.0]]})
