import numpy as np

from tocco.rubrics import TARGETS
from tocco.training.outputs import columns_of, rated_targets


def test_what_is_rated_has_labels_and_is_an_output() -> None:
    label = np.full((3, len(TARGETS)), np.nan)
    label[1, 2] = label[2, 6] = 40.0
    assert rated_targets(TARGETS, label).tolist() == [2, 6]
    assert rated_targets(["phrasing", "musicality"], label).tolist() == [6]
    assert rated_targets(["musicality"], label).tolist() == []


def test_columns_follow_the_names() -> None:
    assert [TARGETS[d] for d in columns_of(TARGETS[3:7])] == list(TARGETS[3:7])
