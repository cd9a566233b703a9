"""The reference scale: from measured components to ratings, fitted to competent performances.

Each component is transformed to a symmetric distribution, adjusted for the difficulty of the music (linear
regression over the pool), and standardised. A dimension is the weighted mean of the components that could be
measured, scaled to unit variance by their correlations in the pool, so that a missing component does not
change the width of the scale: this is the standing of a span. Percentiles of the pool map standing to rating,
see `RATING_AT`. The standing expected from other pianists of the same piece can be subtracted, see `peers`.

There are two scales of the same performances: for recorded MIDI and for transcriptions. In transcriptions the
dynamic range is compressed, and evenness and voicing contain the transcriber's errors. On either scale 50 is
the median of the segments that could be measured.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Annotated, Final, Literal

import numpy as np
from pydantic import Field, field_validator

from tocco.errors import InputError
from tocco.music.performance import Origin
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
"""Percentile of the pool -> rating. The middle 95 % of competent pianists fill 20 to 80, spaced like a normal
distribution with a standard deviation of 15 points. Beyond, the rating is linear in its log odds, so that 0
and 100 are limits that are never reached and nothing is clipped."""

LEAST_WEIGHT: Final = 0.35
"""Smallest share of a dimension's weight that must be measured for a rating."""

LARGEST_COVARIATE: Final = 3.0
"""Standardised covariates are clipped to this size."""

_FARTHEST_ODDS: Final = 30.0
"""Log odds beyond which a rating is numerically 0 or 100."""

_Number = Annotated[float, Field(allow_inf_nan=False)]
_Positive = Annotated[float, Field(gt=0.0, allow_inf_nan=False)]


class Pool(PoolFacts):
    """The performances that the scale was fitted to, and how they were measured."""

    n_segments: Count
    """Number of segments."""

    n_rendered: Count
    """Number of performances rendered to audio; components from audio rest on these alone."""

    segment_sec: _Positive
    """Length of a segment."""

    overlap: _Number
    """Overlap of consecutive segments, as a share of a segment."""

    noise: dict[str, _Number] | None = None
    """Parameters of `TranscriberNoise` that simulated the transcription; absent for recorded MIDI."""

    @field_validator("noise")
    @classmethod
    def _is_of_a_transcriber(cls, noise: dict[str, float] | None) -> dict[str, float] | None:
        if noise is not None:
            wanted = {size.name for size in fields(TranscriberNoise)}
            if set(noise) != wanted:
                raise ValueError(
                    f"has other parameters than TranscriberNoise: {', '.join(sorted(wanted ^ set(noise)))}"
                )
            try:
                TranscriberNoise(**noise)
            except InputError as error:
                raise ValueError(str(error).rstrip(".")) from error
        return noise


class ComponentScale(StrictModel):
    """How one component is standardised."""

    weight: _Positive
    """Weight of the component at the time of the fit."""

    centre: _Number
    """Mean of the transformed values, at the mean covariates of the pool."""

    spread: _Positive
    """Residual standard deviation after regression on the covariates."""

    covariate_slope: tuple[_Number, ...]
    """Regression coefficient of each standardised covariate."""

    n_segments: Count
    """Number of pool segments in which it could be measured."""


class DimensionScale(StrictModel):
    """How one dimension is rated."""

    components: dict[str, ComponentScale]
    """By name, in any order."""

    correlation: tuple[tuple[_Number, ...], ...]
    """Of the standardised components over the pool, each oriented so that more is better, in the order in
    which the rater lists the weighted components."""

    knots: tuple[_Number, ...]
    """Standing at the percentiles of `RATING_AT`, ascending."""

    ratings: tuple[_Number, ...]
    """The rating at each knot, ascending."""

    centre: _Number
    """Mean standing of the pool's performances, with equal weight per piece."""

    between_players: _Positive
    """Variance of the mean standing between pianists of one piece."""

    between_pieces: Annotated[float, Field(ge=0.0, allow_inf_nan=False)]
    """Variance of the mean standing between pieces, which does not depend on the playing."""

    def standing_of(self, rating: float) -> float:
        """Standing of a rating, in standard deviations of the pool: the inverse of `rating_of`."""
        return standing_of(rating, self)

    def expected(self, peers: FloatArray) -> float:
        """Expected standing relative to the mean of the pool, given the standing of peers.

        The deviation of the mean of n peers is shrunk by B / (B + W / n), where B is the variance between
        pieces and W the variance between pianists.

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
    """Performances that it was fitted to."""

    norms_sha256: str
    """Of the norms that its components were measured with (`Norms.sha256`)."""

    covariate_centre: tuple[_Number, ...]
    """Mean of `DIFFICULTY_COVARIATES` over the pool."""

    covariate_spread: tuple[_Positive, ...]
    """Standard deviation of `DIFFICULTY_COVARIATES` over the pool."""

    dimensions: dict[str, DimensionScale]
    """Name -> scale of the dimension."""

    @property
    def origin(self) -> Origin:
        """Origin of the notes that it is for."""
        return "keys" if self.pool.noise is None else "transcribed"

    def rated(self, label: PseudoLabel, covariates: FloatArray) -> PseudoLabel:
        """The pseudo-label with its rating, or with the reason for its absence.

        Parameters
        ----------
        label : unscaled
        covariates : (Q,) difficulty covariates of the same span
        """
        kinds = {kind.name: kind for kind in RATERS[label.dimension].scaled}
        scale = self.dimensions[label.dimension]
        known = [name for name in kinds if name in label.components]
        share = sum(kinds[name].weight for name in known)
        reason = None
        if label.dimension in label.missing:
            return label
        if not np.all(np.isfinite(covariates)):
            reason = "fewer than five onsets in this span"
        elif share < LEAST_WEIGHT:
            reason = f"only {100.0 * share:.0f} % of its components by weight could be measured"
        if reason is not None:
            return replace(label, confidence=0.0, missing={**label.missing, label.dimension: reason})
        values = {name: label.components[name].value for name in known}
        return replace(label, rating=rating_of(self._standing(scale, kinds, values, covariates), scale))

    def compared(self, dimension: str, rating: float, expected: float) -> float:
        """A rating relative to the standing expected from peers: above 50 is better than expected.

        Parameters
        ----------
        dimension
        rating : 0..100, on the scale itself
        expected : standing, of `DimensionScale.expected`
        """
        scale = self.dimensions[dimension]
        return rating_of(scale.standing_of(rating) - expected, scale)

    def _standing(
        self,
        scale: DimensionScale,
        kinds: Mapping[str, ComponentKind],
        values: Mapping[str, float],
        covariates: FloatArray,
    ) -> float:
        standard_covariates = (covariates - np.array(self.covariate_centre)) / np.array(self.covariate_spread)
        standard_covariates = np.clip(standard_covariates, -LARGEST_COVARIATE, LARGEST_COVARIATE)
        names = list(kinds)
        standard = np.array([standardised(kinds[name], scale.components[name], value, standard_covariates)
                             for name, value in values.items()])  # fmt: skip
        index = [names.index(name) for name in values]
        weight = np.array([kinds[name].weight for name in values])
        return combined(standard, weight, np.array(scale.correlation)[np.ix_(index, index)])


def transformed(kind: ComponentKind, value: FloatArray | float) -> FloatArray:
    """Component values transformed for standardisation, any array shape."""
    x = np.asarray(value, dtype=float)
    if kind.shape == "root":
        return np.sqrt(np.maximum(x, 0.0))
    if kind.shape == "log":
        return np.log(np.maximum(x, 0.0) + kind.from_value)
    return x


def standardised(
    kind: ComponentKind, scale: ComponentScale, value: float, standard_covariates: FloatArray
) -> float:
    """Standard deviations above the mean expected at this difficulty; above 0 is better."""
    expected = scale.centre + float(np.dot(scale.covariate_slope, standard_covariates))
    above = (float(transformed(kind, value)) - expected) / scale.spread
    return above if kind.better == "more" else -above


def combined(standard: FloatArray, weight: FloatArray, correlation: FloatArray) -> float:
    """Standing: weighted sum of standardised components, divided by its standard deviation in the pool.

    The variance of `sum w z` is `w' R w`. It is bounded below by half of its value for independent
    components, `w' w`, so that negative correlations do not inflate the standing.
    """
    variance = float(weight @ correlation @ weight)
    return float(weight @ standard) / np.sqrt(max(variance, 0.5 * float(weight @ weight)))


def rating_of(standing: float, scale: DimensionScale) -> float:
    """Rating of a standing, 0..100: linear between the knots, and linear in its log odds beyond them."""
    knots, ratings = np.array(scale.knots), np.array(scale.ratings)
    if knots[0] <= standing <= knots[-1]:
        return float(np.interp(standing, knots, ratings))
    end = 0 if standing < knots[0] else -1
    odds = _odds(ratings[end]) + (standing - knots[end]) * _odds_slope(knots, ratings, end)
    return float(100.0 / (1.0 + np.exp(-np.clip(odds, -_FARTHEST_ODDS, _FARTHEST_ODDS))))


def standing_of(rating: float, scale: DimensionScale) -> float:
    """Standing of a rating: the inverse of `rating_of`."""
    knots, ratings = np.array(scale.knots), np.array(scale.ratings)
    if ratings[0] <= rating <= ratings[-1]:
        return float(np.interp(rating, ratings, knots))
    end = 0 if rating < ratings[0] else -1
    odds = float(np.clip(_odds(rating), -_FARTHEST_ODDS, _FARTHEST_ODDS))
    return float(knots[end] + (odds - _odds(ratings[end])) / _odds_slope(knots, ratings, end))


def _odds(rating: float) -> float:
    """Log odds of a rating; infinite at 0 and 100."""
    share = rating / 100.0
    if share <= 0.0 or share >= 1.0:
        return -np.inf if share <= 0.0 else np.inf
    return float(np.log(share / (1.0 - share)))


def _odds_slope(knots: FloatArray, ratings: FloatArray, end: int) -> float:
    """Log odds per unit of standing beyond the last knot, where the slope is continuous.

    d rating / d odds = 100 share (1 - share).
    """
    inner = 1 if end == 0 else -2
    slope = (ratings[end] - ratings[inner]) / (knots[end] - knots[inner])
    share = ratings[end] / 100.0
    return float(slope / (100.0 * share * (1.0 - share)))
