"""Versions of the assessment's file format, and how an older file is read."""

from __future__ import annotations

from typing import Any, Final

SCHEMA_VERSION: Final = "2.3"
READABLE_VERSIONS: Final = ("1.0", "1.1", "2.0", "2.1", "2.2", SCHEMA_VERSION)


def upgraded(fields: dict[str, Any]) -> dict[str, Any]:
    """The fields of an assessment as the present version has them.

    Version 2.3 added the network's attention, and the marks of a person and of a marking scheme; version 2.2
    the transcriber of a recording that came without MIDI; version 2.1 findings and the tempo, and size, bar
    and usual range of what was measured. An older file has none of them. Version 1 named the rubric in the
    aggregate, called a rating by rule "pseudo-label", and left it to "given" and "derived" to say where notes
    and sound come from. A field that is not where version 1 had it is left for the validation to refuse.

    Parameters
    ----------
    fields : of a file whose version is readable
    """
    if fields["schema_version"] == SCHEMA_VERSION:
        return fields
    new = dict(fields) | {"schema_version": SCHEMA_VERSION}
    if not fields["schema_version"].startswith("1."):
        return new
    if isinstance(aggregate := fields.get("aggregate"), dict):
        new["aggregate"] = _aggregate(aggregate, fields.get("ratings"))
        new |= {"rubric": aggregate["rubric"]} if "rubric" in aggregate else {}
    for table in ("ratings", "descriptors"):
        if isinstance(rated := fields.get(table), dict):
            new[table] = {name: _rating(rating) for name, rating in rated.items()}
    if isinstance(inputs := fields.get("inputs"), dict):
        new["inputs"] = inputs | {
            "notes": "transcribed" if _is_derived(inputs, "midi") else "keys",
            "sound": "rendered" if _is_derived(inputs, "audio") else "recorded",
        }
    return new


def _aggregate(aggregate: dict[str, Any], ratings: Any) -> dict[str, Any]:
    """With its parts: version 1 gave an aggregate where every dimension was rated, or none."""
    new = {key: value for key, value in aggregate.items() if key != "rubric"}
    weights = aggregate.get("weights")
    if aggregate.get("value") is None or not isinstance(weights, dict) or not isinstance(ratings, dict):
        return new
    parts = [
        {"dimension": name, "value": rating.get("value"), "weight": weights[name]}
        for name, rating in ratings.items()
        if name in weights and isinstance(rating, dict)
    ]
    return new | {"parts": parts}


def _rating(rating: Any) -> Any:
    is_rule = isinstance(rating, dict) and rating.get("source") == "pseudo-label"
    return rating | {"source": "rule"} if is_rule else rating


def _is_derived(inputs: dict[str, Any], file: str) -> bool:
    described = inputs.get(file)
    return isinstance(described, dict) and described.get("origin") == "derived"
