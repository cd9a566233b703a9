"""Settings of the kernel: inner folds of whole groups, and the setting that rates them best."""

from __future__ import annotations

import numpy as np
import pytest

from tocco.errors import InputError
from tocco.evaluation.cross_validation.kernel_settings import (
    CANDIDATES,
    choose_kernel_settings,
    group_folds,
)
from tocco.models.norm_kernel import KernelSettings

NAN = float("nan")


def test_inner_folds_never_divide_a_group_and_are_about_equal() -> None:
    groups = np.repeat([f"g{k}" for k in range(20)], np.arange(1, 21))
    folds = group_folds(groups, 4, np.random.default_rng(0))
    tested = np.concatenate([test for _, test in folds])
    assert sorted(tested.tolist()) == list(range(len(groups)))
    for train, test in folds:
        assert not set(groups[train]) & set(groups[test])
        assert len(train) + len(test) == len(groups)
        assert 0.2 * len(groups) < len(test) < 0.3 * len(groups)
    again = group_folds(groups, 4, np.random.default_rng(0))
    assert all(np.array_equal(a[1], b[1]) for a, b in zip(folds, again, strict=True))
    with pytest.raises(ValueError, match="3 groups cannot be divided into 4 folds"):
        group_folds(np.array(["a", "b", "c"]), 4, np.random.default_rng(0))


def data(noise: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(4)
    x = rng.normal(0, 1, (160, 6))
    y = 50 + 8 * x[:, :2] + noise * rng.normal(0, 1, (160, 2))
    y[:40, 1] = NAN
    return x, y, np.repeat(np.arange(16), 10)


def test_noisy_labels_take_a_stronger_ridge() -> None:
    candidates = (KernelSettings(alpha=0.01), KernelSettings(alpha=3.0))
    chosen = [
        choose_kernel_settings(*data(noise), np.random.default_rng(0), candidates) for noise in (0.1, 20.0)
    ]
    assert [one.alpha for one in chosen] == [0.01, 3.0]


def test_one_group_cannot_be_divided_and_two_can() -> None:
    x, y, groups = data(1.0)
    with pytest.raises(InputError, match="have 1 group to divide"):
        choose_kernel_settings(x, y, np.zeros(len(x)), np.random.default_rng(0))
    two = choose_kernel_settings(x, y, groups % 2, np.random.default_rng(0), CANDIDATES[:2])
    assert two in CANDIDATES[:2]


def test_the_candidates_hold_the_defaults_and_agree_in_the_shared_weight() -> None:
    assert KernelSettings() in CANDIDATES
    assert len({one.shared for one in CANDIDATES}) == 1
    assert len(set(CANDIDATES)) == len(CANDIDATES) == 18
