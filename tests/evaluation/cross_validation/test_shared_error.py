import numpy as np
import pytest

from tocco.evaluation.cross_validation.shared_error import shared_error_share


@pytest.mark.parametrize("share", [0.0, 0.3, 0.8])
def test_the_planted_share_is_found(share):
    rng = np.random.default_rng(0)
    take = np.repeat(np.arange(800), 5).astype(str)
    common = np.repeat(rng.normal(size=800), 5)
    error = np.sqrt(share) * common + np.sqrt(1 - share) * rng.normal(size=4000)
    assert shared_error_share(7.0 * error, take) == pytest.approx(share, abs=0.04)


def test_excerpts_that_are_alone_do_not_count():
    assert shared_error_share(np.array([2.0, 1.0, 90.0]), np.array(["a", "a", "b"])) == pytest.approx(0.8)
    with pytest.raises(ValueError, match="no performance has two excerpts"):
        shared_error_share(np.array([1.0, 2.0]), np.array(["a", "b"]))
