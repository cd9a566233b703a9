"""The raters are those of the technical dimensions, in the order of the rubric."""

from __future__ import annotations

from rater_etude import play, study_score
from tocco.pseudo_labels.observed.evidence import Evidence
from tocco.pseudo_labels.raters.registry import RATERS, measure_technique
from tocco.rubrics import TOCCO10


def test_there_is_one_rater_a_technical_dimension() -> None:
    technical = [d.name for d in TOCCO10.dimensions if d.family == "technical"]
    assert list(RATERS) == technical
    assert [rater.dimension for rater in RATERS.values()] == technical


def test_a_rater_measures_what_it_says_it_may() -> None:
    found = measure_technique(Evidence(*play(study_score())))
    assert list(found) == list(RATERS)
    for name, label in found.items():
        assert label.dimension == name
        may = {kind.name for kind in RATERS[name].components}
        assert label.components.keys() <= may
        assert label.components.keys() | label.missing.keys()


def test_only_components_with_a_weight_are_scaled() -> None:
    for rater in RATERS.values():
        assert [kind.weight > 0.0 for kind in rater.scaled] == [True] * len(rater.scaled)
        left_out = set(rater.components) - set(rater.scaled)
        assert all(kind.weight == 0.0 for kind in left_out)
        assert rater.scaled
    assert any(kind.weight == 0.0 for rater in RATERS.values() for kind in rater.components)


def test_a_span_is_measured_by_itself() -> None:
    evidence = Evidence(*play(study_score()))
    whole, part = measure_technique(evidence), measure_technique(evidence, (5.0, 15.0))
    for name, rater in RATERS.items():
        assert part[name] == rater.measure(evidence, (5.0, 15.0))
    assert part["dynamics_control"] != whole["dynamics_control"]
