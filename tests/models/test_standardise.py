import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tocco.models.standardise import Standardiser

NAN = float("nan")


def test_known_answer():
    scale = Standardiser(2)
    scale.fit(torch.tensor([[1.0, 10.0], [3.0, NAN], [NAN, 30.0]]))
    torch.testing.assert_close(scale.mean, torch.tensor([2.0, 20.0]))
    torch.testing.assert_close(scale.sd, torch.tensor([1.0, 10.0]))
    out = scale(torch.tensor([[3.0, NAN], [1000.0, -1000.0]]))
    torch.testing.assert_close(out, torch.tensor([[1.0, 0.0, 0.0, 1.0], [5.0, -5.0, 0.0, 0.0]]))


def test_fit_equals_numpy(rng):
    values = rng.normal(3.0, 7.0, (4, 50, 3))
    values[rng.random(values.shape) < 0.2] = np.nan
    scale = Standardiser(3)
    scale.fit(torch.tensor(values))
    np.testing.assert_allclose(scale.mean.numpy(), np.nanmean(values, axis=(0, 1)), rtol=1e-6)
    np.testing.assert_allclose(scale.sd.numpy(), np.nanstd(values, axis=(0, 1)), rtol=1e-6)


def test_what_was_not_learned_from_stays_silent():
    scale = Standardiser(3)
    scale.fit(torch.tensor([[1e6, NAN, 1.0], [1e6, NAN, 3.0]]))
    out = scale(torch.tensor([[7.0, 7.0, 3.0], [NAN, NAN, NAN]]))
    # Never varied: its usual value, and a gap is still a gap. Never seen: a gap whatever comes.
    assert out.tolist() == [[0.0, 0.0, 1.0, 0.0, 1.0, 0.0], [0.0, 0.0, 0.0, 1.0, 1.0, 1.0]]


@given(st.lists(st.floats(-1e6, 1e6, width=32) | st.just(NAN), min_size=1, max_size=20))
def test_output_is_finite_and_bounded(values: list[float]):
    scale = Standardiser(1)
    column = torch.tensor(values)[:, None]
    scale.fit(column)
    out = scale(column)
    assert out.shape == (len(values), 2)
    assert torch.isfinite(out).all()
    assert out[:, 0].abs().max() <= 5.0
    assert out[:, 1].bool().tolist() == torch.isnan(column[:, 0]).tolist()


def test_refuses_infinite_and_other_widths():
    scale = Standardiser(2)
    with pytest.raises(ValueError, match=r"infinite values in columns \[1\]"):
        scale.fit(torch.tensor([[0.0, float("inf")]]))
    with pytest.raises(ValueError, match="3 quantities given to a standardiser of 2"):
        scale.fit(torch.zeros(4, 3))


def test_values_are_held_within_five_standard_deviations():
    scale = Standardiser(1)
    scale.fit(torch.tensor([[-1.0], [1.0]]))
    assert scale(torch.tensor([[4.9], [5.1], [-7.0]]))[:, 0].tolist() == pytest.approx([4.9, 5.0, -5.0])
    assert scale.output_size == 2


def test_rounding_is_no_variation_and_a_small_one_is():
    """A spread below a millionth of the value is what float32 makes of a constant."""
    scale = Standardiser(4)
    rows = torch.tensor([[1000.0, 1000.0, 1e-9, 0.0]], dtype=torch.float64).repeat(2, 1)
    rows[0] += torch.tensor([9e-4, 2e-3, 3e-12, 3e-12])
    rows[1] -= torch.tensor([9e-4, 2e-3, 3e-12, 3e-12])
    scale.fit(rows)
    assert (scale.sd > 0).tolist() == [False, True, True, True]
    rows[:, 2:] = torch.tensor([[1e-9 + 9e-13, 9e-13], [1e-9 - 9e-13, -9e-13]])
    scale.fit(rows)
    assert (scale.sd > 0).tolist() == [False, True, False, False]


def test_before_it_is_fitted_values_pass():
    assert Standardiser(2)(torch.tensor([[3.0, NAN]])).tolist() == [[3.0, 0.0, 0.0, 1.0]]
