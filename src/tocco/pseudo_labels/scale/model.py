"""The reference scale: from measured components to ratings, learned from competent performances.

Each component is bent to a symmetric shape, freed of what the written music explains (a linear fit
over the pool), and standardised. A dimension is the weighted mean of the components that could be
measured, brought to unit spread by their correlations in the pool, so that a missing one does not
change the width of the scale: that is where a span stands. Percentiles of the pool then set the rating: see
`RATING_AT`. What other pianists of the same piece reach can be taken off as well: see `peers`.

There are two scales of the same performances: of what the keys sent, and of what a transcriber hears of it.
Loud and soft are told flatter by ear, and evenness and voicing carry the transcriber's own errors; 50 is the
median on either, of the segments that could be measured.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Annotated, Final, Literal

import numpy as np
from pydantic import Field, field_validator

from tocco.errors import InputError
from tocco.music.transcriber_noise import TranscriberNoise
from tocco.pseudo_labels.pool import Count, PoolFacts
from tocco.pseudo_labels.pseudo_label import ComponentKind, PseudoLabel
from tocco.pseudo_labels.raters.registry import RATERS
from tocco.schema import StrictModel
from tocco.units import FloatArray

SCALE_FORMAT: Final = 3

RATING_AT: Final[Mapping[float, float]] = {
    2.5: 20.0,
    10.0: 31.0,
    25.0: 40.0,
    50.0: 50.0,
    75.0: 60.0,
    90.0: 69.0,
    97.5: 80.0,
}
"""Percentile of the pool -> rating. The middle 95 % of competent players fill 20 to 80, spaced like a
normal distribution of 15 points; the fifths outside are for playing that none of them shows. There the
scale goes on smoothly (straight in the log odds of the rating), so that 0 and 100 are limits that nothing
reaches and nothing is clipped to."""

LEAST_WEIGHT: Final = 0.35
"""A dimension is rated where so much of its weight could be measured."""

FARTHEST_DEMAND: Final = 3.0
"""Music beyond three spreads of the pool's is taken for that."""

_FARTHEST_ODDS: Final = 30.0
"""A rating's log odds beyond which no number tells it from 0 or 100."""

_Number = Annotated[float, Field(allow_inf_nan=False)]
_Positive = Annotated[float, Field(gt=0.0, allow_inf_nan=False)]


class Pool(PoolFacts):
    """Which performances the scale was fitted on, and what was measured of them."""

    n_segments: Count
    """Segments measured."""

    n_rendered: Count
    """Performances that were rendered to sound; components from audio rest on these alone."""

    segment_sec: _Positive
    """Length of a segment."""

    overlap: _Number
    """Share of a segment that the next one repeats."""

    noise: dict[str, _Number] | None = None
    """Sizes of the noise of the transcriber that the performances were heard through, all of
    `TranscriberNoise`; absent where the keys were measured."""

    @field_validator("noise")
    @classmethod
    def _is_of_a_transcriber(cls, noise: dict[str, float] | None) -> dict[str, float] | None:
        if noise is not None:
            wanted = {size.name for size in fields(TranscriberNoise)}
            if set(noise) != wanted:
                raise ValueError(
                    f"has other sizes than a transcriber's: {', '.join(sorted(wanted ^ set(noise)))}"
                )
            try:
                TranscriberNoise(**noise)
            except InputError as error:
                raise ValueError(str(error).rstrip(".")) from error
        return noise


class ComponentScale(StrictModel):
    """How one component is standardised."""

    weight: _Positive
    """Its weight as it was fitted."""

    centre: _Number
    """Mean of the bent values, at the pool's usual music."""

    spread: _Positive
    """Standard deviation that is left once the music is accounted for."""

    demand: tuple[_Number, ...]
    """Change for one spread of each demand."""

    n_segments: Count
    """Segments of the pool in which it could be measured."""


class DimensionScale(StrictModel):
    """How one dimension is rated."""

    components: dict[str, ComponentScale]
    """By name, in any order."""

    correlation: tuple[tuple[_Number, ...], ...]
    """Of the standardised components over the pool, each turned so that more is better; in the order in
    which the rater lists those that have a weight."""

    knots: tuple[_Number, ...]
    """Where the percentiles of `RATING_AT` lie, ascending."""

    ratings: tuple[_Number, ...]
    """The rating at each knot, ascending."""

    centre: _Number
    """Mean standing of the pool's performances, every piece counting once."""

    between_players: _Positive
    """Variance of the mean standing between pianists of one piece."""

    between_pieces: Annotated[float, Field(ge=0.0, allow_inf_nan=False)]
    """Variance of the mean standing between pieces, which is no matter of playing."""

    def standing_of(self, rating: float) -> float:
        """Where a rating stands on the scale, in spreads of the pool: `rating_of` turned round."""
        return standing_of(rating, self)

    def expected(self, peers: FloatArray) -> float:
        """What is to be expected above the middle of the pool where peers reach so much.

        The mean of `n` peers tells the piece's own part of it with the share B / (B + W / n), where B is
        the variance between pieces and W that between pianists.

        Parameters
        ----------
        peers : (n,) mean standing of each, n >= 1
        """
        share = self.between_pieces / (self.between_pieces + self.between_players / len(peers))
        return share * (float(np.mean(peers)) - self.centre)


class ReferenceScale(StrictModel):
    """Components to ratings, for the six technical dimensions."""

    format: Literal[3] = SCALE_FORMAT
    """Version of this file's layout."""

    pool: Pool
    """What it was fitted on."""

    norms_sha256: str
    """Of the norms that its components were measured with (`norms.Norms.sha256`)."""

    demand_centre: tuple[_Number, ...]
    """Of `DEMANDS` over the pool."""

    demand_spread: tuple[_Positive, ...]
    """Of `DEMANDS` over the pool."""

    dimensions: dict[str, DimensionScale]
    """By name."""

    @property
    def is_transcribed(self) -> bool:
        """Whether it is for what a transcriber heard, and not for what the keys sent."""
        return self.pool.noise is not None

    def rated(self, label: PseudoLabel, demand: FloatArray) -> PseudoLabel:
        """The pseudo-label with its rating, or with the reason why it has none.

        Parameters
        ----------
        label : as a rater measured it
        demand : (Q,) of the same span
        """
        kinds = {kind.name: kind for kind in RATERS[label.dimension].scaled}
        scale = self.dimensions[label.dimension]
        known = [name for name in kinds if name in label.components]
        share = sum(kinds[name].weight for name in known)
        reason = None
        if label.dimension in label.missing:
            return label
        if not np.all(np.isfinite(demand)):
            reason = "fewer than five onsets in this span"
        elif share < LEAST_WEIGHT:
            reason = f"only {share:.0%} of what it rests on could be measured"
        if reason is not None:
            return replace(label, confidence=0.0, missing={**label.missing, label.dimension: reason})
        values = {name: label.components[name].value for name in known}
        return replace(label, rating=rating_of(self._standing(scale, kinds, values, demand), scale))

    def compared(self, dimension: str, rating: float, expected: float) -> float:
        """A rating with what its peers let expect taken off: above 50 for who plays better than they do.

        Parameters
        ----------
        dimension
        rating : 0..100, not yet compared
        expected : spreads of the pool, of `DimensionScale.expected`
        """
        scale = self.dimensions[dimension]
        return rating_of(scale.standing_of(rating) - expected, scale)

    def _standing(
        self,
        scale: DimensionScale,
        kinds: Mapping[str, ComponentKind],
        values: Mapping[str, float],
        demand: FloatArray,
    ) -> float:
        asked = (demand - np.array(self.demand_centre)) / np.array(self.demand_spread)
        asked = np.clip(asked, -FARTHEST_DEMAND, FARTHEST_DEMAND)
        names = list(kinds)
        standard = np.array([standardised(kinds[name], scale.components[name], value, asked)
                             for name, value in values.items()])  # fmt: skip
        index = [names.index(name) for name in values]
        weight = np.array([kinds[name].weight for name in values])
        return combined(standard, weight, np.array(scale.correlation)[np.ix_(index, index)])


def bent(kind: ComponentKind, value: FloatArray | float) -> FloatArray:
    """A component's value in the shape in which it is standardised, any shape of array."""
    x = np.asarray(value, dtype=float)
    if kind.shape == "root":
        return np.sqrt(np.maximum(x, 0.0))
    if kind.shape == "log":
        return np.log(np.maximum(x, 0.0) + kind.from_value)
    return x


def standardised(kind: ComponentKind, scale: ComponentScale, value: float, asked: FloatArray) -> float:
    """Spreads above the pool's mean for such music; above 0 is better."""
    expected = scale.centre + float(np.dot(scale.demand, asked))
    above = (float(bent(kind, value)) - expected) / scale.spread
    return above if kind.better == "more" else -above


def combined(standard: FloatArray, weight: FloatArray, correlation: FloatArray) -> float:
    """Weighted sum of standardised components, divided by its spread in the pool.

    The spread of `sum w z` is `sqrt(w' R w)`; were the components independent it would be at least half
    of what strongly related ones give, which bounds it from below.
    """
    variance = float(weight @ correlation @ weight)
    return float(weight @ standard) / np.sqrt(max(variance, 0.5 * float(weight @ weight)))


def rating_of(standing: float, scale: DimensionScale) -> float:
    """Rating at a place of the scale, 0..100: straight between the knots, and in its log odds beyond them."""
    knots, ratings = np.array(scale.knots), np.array(scale.ratings)
    if knots[0] <= standing <= knots[-1]:
        return float(np.interp(standing, knots, ratings))
    end = 0 if standing < knots[0] else -1
    odds = _odds(ratings[end]) + (standing - knots[end]) * _odds_slope(knots, ratings, end)
    return float(100.0 / (1.0 + np.exp(-np.clip(odds, -_FARTHEST_ODDS, _FARTHEST_ODDS))))


def standing_of(rating: float, scale: DimensionScale) -> float:
    """Place of the scale that has a rating: the reverse of `rating_of`."""
    knots, ratings = np.array(scale.knots), np.array(scale.ratings)
    if ratings[0] <= rating <= ratings[-1]:
        return float(np.interp(rating, ratings, knots))
    end = 0 if rating < ratings[0] else -1
    odds = float(np.clip(_odds(rating), -_FARTHEST_ODDS, _FARTHEST_ODDS))
    return float(knots[end] + (odds - _odds(ratings[end])) / _odds_slope(knots, ratings, end))


def _odds(rating: float) -> float:
    """Logarithm of the odds of a rating; without end at 0 and 100."""
    share = rating / 100.0
    if share <= 0.0 or share >= 1.0:
        return -np.inf if share <= 0.0 else np.inf
    return float(np.log(share / (1.0 - share)))


def _odds_slope(knots: FloatArray, ratings: FloatArray, end: int) -> float:
    """Log odds for one step of the scale beyond its last knot, where the slope goes on unbroken.

    d rating / d odds = 100 share (1 - share).
    """
    inner = 1 if end == 0 else -2
    slope = (ratings[end] - ratings[inner]) / (knots[end] - knots[inner])
    share = ratings[end] / 100.0
    return float(slope / (100.0 * share * (1.0 - share)))
