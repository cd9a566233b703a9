from pathlib import Path

import numpy as np
import pytest

from assessment_example import example
from tocco.errors import InputError
from tocco.evaluation.benchmark import ratings
from tocco.evaluation.benchmark.other_predictions import (
    predictions_of_assessments,
    predictions_of_shallow_model,
)
from tocco.evaluation.cross_validation.baselines import feature_matrix, ridge10
from tocco.inference.assessment import Rating, write_assessment_file
from tocco.music.midi import load_midi, ridge_features


def test_a_shallow_model_is_fitted_to_the_training_part_of_each_fold(tiny_labels: Path) -> None:
    benchmark = ratings(tiny_labels)
    made = predictions_of_shallow_model(benchmark, "ridge, 10 features", ["clusters", "both"])
    assert {protocol: len(by_segment) for protocol, by_segment in made.of.items()} == {
        "clusters": 20,
        "both": 20,
    }
    features = feature_matrix([ridge_features(load_midi(Path(str(r.midi_path)))) for r in benchmark.records])
    labels = benchmark.labels(["phrasing"])
    for protocol in ("clusters", "both"):
        for fold in benchmark.folds(protocol):
            expected = ridge10(features[fold.train], labels[fold.train], features[fold.test])[:, 0]
            said = [made.of[protocol][benchmark.segment_ids[i]] for i in fold.test]
            assert {one.fold for one in said} == {fold.name}
            np.testing.assert_allclose(
                [one.rating["phrasing"] for one in said], expected.clip(0.0, 100.0), atol=1e-4
            )
    with pytest.raises(InputError, match="is 'luck'"):
        predictions_of_shallow_model(benchmark, "luck")


def test_an_assessment_is_a_prediction_without_what_it_lacks(tmp_path: Path) -> None:
    said = example()
    ratings_of = dict(said.ratings) | {"phrasing": Rating.missing("too short")}
    write_assessment_file(said.model_copy(update={"ratings": ratings_of}), tmp_path / "take1.json")
    made = predictions_of_assessments(tmp_path)
    one = made.of[""]["take1"]
    assert one.fold == ""
    assert "phrasing" not in one.rating
    given = said.ratings["musicality"]
    assert (one.rating["musicality"], one.sd["musicality"]) == (given.value, given.sigma)
    assert set(one.sd) <= set(one.rating)
