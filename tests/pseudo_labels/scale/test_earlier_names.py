"""Scale files of earlier releases are read, and a renamed field changes no hash."""

from __future__ import annotations

import json

import pytest

from origins import ORIGIN
from tocco.data.pseudo_labelling import source_of
from tocco.errors import InputError
from tocco.pseudo_labels.scale.earlier_names import with_earlier_names, with_present_names
from tocco.pseudo_labels.scale.files import read_scale, reference_scale


@pytest.mark.parametrize(
    ("is_transcribed", "source"),
    [(False, "pseudo-label-6+a184c68e0526"), (True, "pseudo-label-6+07a5e2c5d5b5")],
)
def test_the_source_of_labels_is_that_of_the_first_release(is_transcribed: bool, source: str) -> None:
    assert source_of(reference_scale(ORIGIN[is_transcribed])) == source


def test_a_scale_of_an_earlier_release_is_read() -> None:
    scale = reference_scale()
    earlier = with_earlier_names(scale.model_dump(mode="json", exclude_none=True))
    assert "demand_centre" in earlier
    assert "foot_distance" in earlier["dimensions"]["pedaling_technique"]["components"]
    assert read_scale(json.dumps(earlier), "earlier.json") == scale


def test_names_of_corpora_are_left_alone() -> None:
    scale = {"pool": {"corpora": {"demand": 3}}, "demand_centre": [1.0]}
    assert with_present_names(scale) == {"pool": {"corpora": {"demand": 3}}, "covariate_centre": [1.0]}


def test_a_scale_with_both_names_is_refused() -> None:
    both = reference_scale().model_dump(mode="json", exclude_none=True)
    both["demand_centre"] = both["covariate_centre"]
    with pytest.raises(InputError, match="'demand_centre' is unknown"):
        read_scale(json.dumps(both), "both.json")
