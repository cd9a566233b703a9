"""Anchors with round numbers, and damages with known values."""

from __future__ import annotations

from collections.abc import Mapping

from tocco.music.performance import Origin
from tocco.pseudo_labels.damage.anchors import ANCHORS_FORMAT, Anchor, DamageAnchors
from tocco.pseudo_labels.damage.catalogue import MEASURES
from tocco.pseudo_labels.damage.measure import Damage
from tocco.pseudo_labels.pool import PoolFacts


def anchor(good: float = 0.1, bad: float = 1.0) -> Anchor:
    return Anchor(good=good, bad=bad, good_percentile=75.0, bad_percentile=50.0, n_good=10, n_bad=10)


def anchors(keys: Anchor | None = None, transcribed: Anchor | None = None) -> DamageAnchors:
    """The same anchor for every measure of one origin."""
    return DamageAnchors(
        format=ANCHORS_FORMAT,
        window_sec=25.0,
        pool=PoolFacts(
            corpora={"made up": 1},
            n_performances=1,
            seed=0,
            pieces=("piece",),
            labels_sha256="0",
            content_sha256="0",
        ),
        keys=dict.fromkeys(MEASURES, keys or anchor()),
        transcribed=dict.fromkeys(MEASURES, transcribed or anchor(0.2, 2.0)),
    )


def damage(values: Mapping[str, float], origin: Origin = "keys") -> Damage:
    return Damage(origin, dict(values), {}, {})
