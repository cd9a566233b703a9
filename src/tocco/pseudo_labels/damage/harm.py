"""Harm: each measure of damage between the anchors of competent play and of heavy damage."""

from __future__ import annotations

import math
from typing import Final

from tocco.pseudo_labels.damage.anchors import Anchor, DamageAnchors
from tocco.pseudo_labels.damage.catalogue import MEASURES
from tocco.pseudo_labels.damage.measure import Damage

SOFT_START: Final = 0.3
"""Up to here harm grows by the square, beyond it in a straight line: there is no kink at 0."""

_SMALLEST: Final = 1e-9


def harm(damage: Damage, anchors: DamageAnchors) -> dict[str, float]:
    """Each measure on one scale.

    Parameters
    ----------
    damage
    anchors

    Returns
    -------
    measure -> 0 or more
        0 up to where competent pianists are, 1 at heavy damage, growing without limit beyond. Only the
        measures that `damage` has.
    """
    of_origin = anchors.of(damage.origin)
    return {name: harm_of(name, value, of_origin[name]) for name, value in damage.values.items()}


def harm_of(name: str, value: float, anchor: Anchor) -> float:
    """One measure on the scale of `harm`.

    Parameters
    ----------
    name : of the measure
    value : in its unit
    anchor
    """
    least = MEASURES[name].least
    good, bad = math.log(anchor.good + least), math.log(anchor.bad + least)
    return _soft_start((math.log(max(value + least, _SMALLEST)) - good) / (bad - good))


def _soft_start(share: float) -> float:
    """0 below 0, 1 at 1, a straight line from `SOFT_START` on and a parabola before it.

    Examples
    --------
    >>> [round(_soft_start(share), 3) for share in (-1.0, 0.0, 0.15, 0.3, 1.0, 2.0)]
    [0.0, 0.0, 0.044, 0.176, 1.0, 2.176]
    """
    if share <= 0.0:
        return 0.0
    bent = share**2 / (2.0 * SOFT_START) if share < SOFT_START else share - SOFT_START / 2.0
    return bent / (1.0 - SOFT_START / 2.0)
