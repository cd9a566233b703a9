"""Names in scale files of earlier releases.

A scale is identified by the hash of its content, which is part of the `source` of every label. Renaming a
field changes neither the ratings nor, therefore, that hash: it is computed with the names of the first
release.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

PRESENT_NAMES: Final[Mapping[str, str]] = {
    "demand_centre": "covariate_centre",
    "demand_spread": "covariate_spread",
    "demand": "covariate_slope",
    "foot_distance": "pedal_distance",
}
"""Earlier name -> present name, of fields and of components."""

_EARLIER_NAMES: Final = {present: earlier for earlier, present in PRESENT_NAMES.items()}
_FREE_NAMES: Final = "pool"
"""Its keys are names of corpora and are never renamed."""


def with_present_names(scale: dict[str, Any]) -> dict[str, Any]:
    """The content of a scale file with the names of this release.

    Examples
    --------
    >>> with_present_names({"demand_centre": [1.0], "dimensions": {"x": {"demand": [2.0]}}})
    {'covariate_centre': [1.0], 'dimensions': {'x': {'covariate_slope': [2.0]}}}
    """
    return _renamed(scale, PRESENT_NAMES)


def with_earlier_names(scale: dict[str, Any]) -> dict[str, Any]:
    """The content of a scale file with the names that its hash is computed with."""
    return _renamed(scale, _EARLIER_NAMES)


def _renamed(value: dict[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    # Where both names are there, neither is renamed: the strict schema then refuses the earlier one.
    here = {old: new for old, new in names.items() if new not in value}
    return {
        here.get(key, key): _renamed(part, names) if isinstance(part, dict) and key != _FREE_NAMES else part
        for key, part in value.items()
    }
