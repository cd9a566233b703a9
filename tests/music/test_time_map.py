"""Maps between a recording and its changed twin, against numpy's interpolation and hand-made cases."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocco.errors import InputError
from tocco.music.time_map import TimeMap

STEPS = st.lists(
    st.tuples(st.sampled_from([0.0, 0.25, 1.0, 3.0]), st.sampled_from([0.0, 0.5, 1.0])),
    min_size=1,
    max_size=6,
)


def from_steps(steps: list[tuple[float, float]]) -> TimeMap:
    moves = np.array(steps)
    return TimeMap(np.cumsum(moves[:, 0]), np.cumsum(moves[:, 1]))


def test_it_agrees_with_interpolation_where_nothing_jumps() -> None:
    old, new = np.array([0.0, 1.0, 4.0]), np.array([0.0, 3.0, 4.0])
    at = np.linspace(0.0, 4.0, 41)
    np.testing.assert_allclose(TimeMap(old, new)(at), np.interp(at, old, new), atol=1e-12)


def test_beyond_the_anchors_time_runs_on() -> None:
    np.testing.assert_allclose(TimeMap(np.array([1.0, 2.0]), np.array([3.0, 7.0]))([0.0, 5.0]), [2.0, 10.0])


def test_a_jump_takes_its_moment_along_and_is_listed() -> None:
    pause = TimeMap(np.array([0.0, 2.0, 2.0]), np.array([0.0, 2.0, 5.0]))
    np.testing.assert_allclose(pause([1.999, 2.0, 3.0]), [1.999, 5.0, 6.0])
    assert pause.jumps == ((2.0, 2.0, 5.0),)
    np.testing.assert_allclose(pause.inverse()([1.0, 3.0, 5.0, 6.0]), [1.0, 2.0, 2.0, 3.0])


def test_a_cut_maps_what_is_gone_to_the_seam() -> None:
    cut = TimeMap(np.array([2.0, 4.0]), np.array([2.0, 2.0]))
    np.testing.assert_allclose(cut([1.0, 2.0, 3.0, 4.0, 5.0]), [1.0, 2.0, 2.0, 2.0, 3.0])


@given(first=STEPS, second=STEPS, start=st.sampled_from([-2.0, 0.0, 0.5]))
def test_one_map_after_another_is_their_composition(first, second, start) -> None:
    one, two = from_steps(first), from_steps(second)
    two = TimeMap(two.old_sec + start, two.new_sec)
    at = np.arange(-5.0, 25.0, 0.125) + 0.01  # off the anchors: at a jump a side must be chosen
    np.testing.assert_allclose(one.then(two)(at), two(one(at)), atol=1e-9)


@given(STEPS)
def test_time_never_runs_backwards(steps) -> None:
    assert np.all(np.diff(from_steps(steps)(np.linspace(-3, 25, 300))) >= 0)


def test_only_a_map_that_moves_nothing_is_the_identity() -> None:
    assert TimeMap.identity().is_identity
    assert not TimeMap.linear(1.0, 0.1).is_identity


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [([1.0, 0.0], [0.0, 1.0], "backwards"), ([0.0], [np.nan], "no times"), ([0.0], [0.0, 1.0], "shapes")],
)
def test_what_is_no_map_is_refused(old, new, says) -> None:
    with pytest.raises(InputError, match=says):
        TimeMap(np.array(old), np.array(new))
