from pathlib import Path

import numpy as np
import pytest

from tocco.evaluation.cross_validation.protocols import HeldOutRatings, averaged
from tocco.training.config_file import load_config
from tocco.training.members import member_folders, members

TINY = Path(__file__).parents[2] / "configs" / "tiny.yaml"


def test_members_differ_by_their_seed_alone() -> None:
    config = load_config(TINY, {"training.members": "3", "training.seed": "7"})
    found = members(config, Path("run"))
    assert [one.training.seed for one, _ in found] == [7, 8, 9]
    assert [folder for _, folder in found] == [Path("run/member0"), Path("run/member1"), Path("run/member2")]
    alone = load_config(TINY, {"training.seed": "8"})
    assert found[1][0] == alone


def test_one_network_is_its_own_run(tmp_path: Path) -> None:
    config = load_config(TINY)
    assert members(config, tmp_path) == [(config, tmp_path)]
    assert member_folders(tmp_path) == [tmp_path]
    for k in range(2):
        (tmp_path / f"member{k}").mkdir()
    assert member_folders(tmp_path) == [tmp_path / "member0", tmp_path / "member1"]


def test_the_variance_of_an_ensemble_is_that_of_the_mixture() -> None:
    """Two normal distributions, 40 +- 3 and 50 +- 4: mean 45, variance 12.5 + 25."""
    fold = np.array([0])
    both = [
        HeldOutRatings(fold, np.array([[40.0, np.nan]]), np.array([[3.0, np.nan]])),
        HeldOutRatings(fold, np.array([[50.0, np.nan]]), np.array([[4.0, np.nan]])),
    ]
    one = averaged(both)
    assert one.rating[0, 0] == 45.0
    assert one.sd[0, 0] == pytest.approx(np.sqrt(12.5 + 25.0))
    assert np.isnan(one.rating[0, 1])
    assert averaged(both[:1]).sd[0, 0] == 3.0
