"""A predictor that is asked about some of its targets."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tocco.models.predictor import PredictorInput, StatisticsTable
from tocco.models.restricted import Restricted
from tocco.models.statistics_models import fit_ridge_statistics


def test_it_rates_its_targets_as_the_whole_does(rng: np.random.Generator, tmp_path: Path) -> None:
    inputs, labels = rng.normal(size=(30, 2)), rng.normal(50.0, 10.0, size=(30, 3))
    whole = fit_ridge_statistics(("a", "b", "c"), ("x", "y"), inputs, labels)
    part = Restricted(whole, ("c", "a"))
    rows = PredictorInput(statistics=StatisticsTable(("x", "y"), inputs))
    expected = whole.predict(rows)
    found = part.predict(rows)
    np.testing.assert_array_equal(found.rating, expected.rating[:, [2, 0]])
    np.testing.assert_array_equal(found.sd, expected.sd[:, [2, 0]])
    assert part.statistics == ("x", "y")
    with pytest.raises(ValueError, match="store the whole one"):
        part.save(tmp_path)
    with pytest.raises(ValueError, match="is stored in"):
        Restricted.load(tmp_path)
