"""The file of the norms: what ships is sound, what is not is refused, and the scale knows its norms."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pseudo_example import made_up_scale
from tocco.errors import InputError
from tocco.pseudo_labels.norms.model import Norms, read_norms, reference_norms
from tocco.pseudo_labels.scale.files import read_scale, reference_scale


def fields() -> dict[str, Any]:
    return json.loads(reference_norms().model_dump_json())


def read(changed: dict[str, Any]) -> Norms:
    return read_norms(json.dumps(changed), "norms.json")


def test_what_ships_is_said_of_the_pool() -> None:
    """The figures that design and docstrings rest on."""
    norms = reference_norms()
    pool, touch, level, pedal = norms.pool, norms.touch, norms.level, norms.pedal
    assert (pool.n_performances, len(pool.pieces), sum(pool.corpora.values())) == (235, 104, 235)
    assert touch.n_notes == pytest.approx(502_313, rel=0.01)
    assert (touch.usual_quantile, touch.long_quantile) == (0.5, 0.8)
    assert touch.usual_share == pytest.approx(0.5, abs=0.01)
    assert touch.long_share == pytest.approx(0.8, abs=0.01)
    assert touch.piece_spread_log == pytest.approx(0.18, abs=0.01)
    assert touch.printed_spread_log == pytest.approx(0.26, abs=0.01)
    assert level.correlation == pytest.approx(0.587, abs=0.005)
    assert level.correlation_without_soft_pedal == pytest.approx(0.517, abs=0.005)
    assert level.correlation_without_signs == pytest.approx(0.545, abs=0.005)
    assert norms.accents.correlation == pytest.approx(0.35, abs=0.01)
    assert norms.accents.n_notes == pytest.approx(529_197, rel=0.01)
    assert -0.05 < pedal.lift.lag_sec["25"] < 0.04 < pedal.lift.lag_sec["75"] < 0.11
    assert pedal.press.lag_sec["50"] == pytest.approx(0.06, abs=0.02)


def test_the_scale_that_ships_was_fitted_with_the_norms_that_ship() -> None:
    assert reference_scale().norms_sha256 == reference_norms().sha256()
    assert set(reference_norms().pool.pieces) == set(reference_scale().pool.pieces)
    assert reference_norms().pool.labels_sha256 == reference_scale().pool.labels_sha256


def test_it_is_read_once() -> None:
    assert reference_norms() is reference_norms()


def test_the_hash_is_that_of_what_ratings_rest_on() -> None:
    norms, told = reference_norms(), fields()
    told["pool"]["seed"] += 1
    told["pedal"]["lift"]["n_moves"] += 1
    assert read(told).sha256() == norms.sha256()
    for part in (("touch", "usual", "octave"), ("touch", "long", "doubling"), ("level", "velocity", "mark"),
                 ("accents", "velocity", "beat")):  # fmt: skip
        other = fields()
        inner = other[part[0]][part[1]]
        inner[part[2]] += 0.01
        assert read(other).sha256() != norms.sha256()


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        (("format",), 9, r"norms.json: has the format 9 \(allowed: 2\). Next: fit the norms again with"),
        (("touch", "usual", "plain"), [0.1], "touch: plain has not one number for each of value_sec"),
        (("touch", "value_sec"), [0.1, 0.1, 0.2, 0.3, 0.4, 0.5], "touch: value_sec is not ascending"),
        (("level", "velocity", "hairpins"), 1.0, "'hairpins' is unknown, did you mean 'hairpin'"),
        (("level", "correlation"), 2.0, "level.correlation: .*less than or equal to 1"),
    ],
)
def test_what_cannot_be_is_refused(path: tuple[str, ...], value: object, said: str) -> None:
    changed = fields()
    place = changed
    for name in path[:-1]:
        place = place[name]
    place[path[-1]] = value
    with pytest.raises(InputError, match=said):
        read(changed)


def test_norms_of_an_earlier_release_are_read() -> None:
    """Their parts were called "course" and "foot"."""
    norms = reference_norms()
    earlier = norms.model_dump()
    earlier["course"], earlier["foot"] = earlier.pop("level"), earlier.pop("pedal")
    assert read_norms(json.dumps(earlier), "earlier.json") == norms


def test_a_part_that_is_missing_is_named() -> None:
    changed = fields()
    del changed["touch"]
    with pytest.raises(InputError, match=r"has no 'touch' \(key-down durations\)"):
        read(changed)
    changed = fields()
    del changed["level"]["n_folds"]
    with pytest.raises(
        InputError, match=r"^norms\.json: has no 'level\.n_folds'\. Next: fit the norms again"
    ):
        read(changed)
    with pytest.raises(InputError, match="is not valid JSON"):
        read_norms("{", "norms.json")


def test_a_scale_of_other_norms_is_refused() -> None:
    told = made_up_scale().model_dump()
    assert told["norms_sha256"] == reference_norms().sha256()
    told["norms_sha256"] = "0123456789abcdef"
    with pytest.raises(InputError) as caught:
        read_scale(json.dumps(told), "old.json")
    assert str(caught.value) == (
        f"old.json: was fitted with other norms (0123456789ab; those in use are "
        f"{reference_norms().sha256()[:12]}). Next: fit the scale with `tocco pseudo-label fit-scale`."
    )
    del told["norms_sha256"]
    with pytest.raises(InputError, match=r"has no 'norms_sha256' \(a string: of the norms that its"):
        read_scale(json.dumps(told), "old.json")
