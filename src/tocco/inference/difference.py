"""Whether one performance is better than another: the difference of two ratings, and how far to trust it.

Two ratings are off together where the music is the same, so the interval of a difference is not that of its
two ratings. Its figures are found on pairs of rated performances that the predictors had not seen
(`tocco statistics fit-differences`):

    expected difference = gain x difference of the ratings
    its standard deviation = sd, and what transcription adds, as of independent errors

What is expected, and has an interval, is the difference of the means of many raters: the chance of a few
raters is not in it. Where two takes agree in their timing more closely than any two pianists did, they are
one take that was changed: the error of perception is the same in both, and its part of the sd shrinks
with the distance of the timing. What perception itself makes of the change counts as error there: it is the
rating as if the performance were free of damage, which a change of one take should leave as it is. So what
the deductions say is what is said.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Final, Literal

import numpy as np
from pydantic import Field

from tocco.errors import BundleError, MismatchError
from tocco.inference.assessment import Aggregate, Assessment, Rating
from tocco.inference.evidence import AlignmentReport
from tocco.inference.transcription_loss import NORMAL_90, TranscriptionLoss
from tocco.schema import Difference, Spread, StrictModel

AGGREGATE: Final = "aggregate"

LEAST_SD: Final = 0.5
"""Points: sd of a difference even of two takes that are the same note for note. Ratings of one take that was
moved in time or read from another file differ by some tenths of a point."""

SAME_TAKE_DISTANCE: Final = 0.02
"""Timing distance below which two takes are one take that was changed. The closest of 4,580 pairs of
pianists in the same passage had 0.022, 99 of 100 have 0.045 or more (results/differences/report.md)."""

LEAST_COMMON_ONSETS: Final = 16
"""With fewer written onsets that both played, the distance of the timing is not known."""

_LEAST_IOI_SEC: Final = 0.02

Verdict = Literal["better", "worse", "undecided"]
"""What is said of the first of two performances. "undecided": no difference that can be told."""


_OPPOSITE: Final[Mapping[Verdict, Verdict]] = {
    "better": "worse",
    "worse": "better",
    "undecided": "undecided",
}


class DifferenceFigures(StrictModel):
    """How far a difference of two ratings can be trusted."""

    gain: Annotated[float, Field(ge=0.0, le=1.0)]
    """Points of difference that raters give for one point of difference between the ratings."""

    sd: Annotated[float, Field(gt=0.0, allow_inf_nan=False)]
    """Points: standard deviation of what remains, without the chance of the raters."""

    least_difference: Annotated[float, Field(ge=0.0, allow_inf_nan=False)]
    """Points of difference between the ratings from which on it is said which one is better: raters agreed
    with 95 of 100 differences as large as this. Where they never did, the largest that was tested."""

    n: Annotated[int, Field(ge=1)]
    """Pairs that the figures were found on."""


class PairFigures(StrictModel):
    """The figures of a dimension, for pairs of the same music and for pairs of different music."""

    same_music: DifferenceFigures
    """Two performances of one passage."""

    other_music: DifferenceFigures
    """Performances of two passages that share no music."""


class DifferenceCalibration(StrictModel):
    """The figures of every dimension and of the aggregate of learned dimensions, with a score and without."""

    protocol: str
    """How the ratings were held out."""

    with_score: dict[str, PairFigures]
    """Dimension, or "aggregate" -> figures."""

    without_score: dict[str, PairFigures]
    """The same where no score is given."""

    def of(self, name: str, *, has_score: bool, same_music: bool) -> DifferenceFigures | None:
        """The figures of one dimension; None for one that nobody rated."""
        found = (self.with_score if has_score else self.without_score).get(name)
        if found is None:
            return None
        return found.same_music if same_music else found.other_music


class RatingDifference(StrictModel):
    """How one performance differs from another in one dimension."""

    value: Difference
    """Points: rating of the one less rating of the other."""

    expected: Difference
    """Points that many raters are expected to differ by."""

    sd: Spread
    """Points: standard deviation of the error of `expected`."""

    interval_90: tuple[Difference, Difference]
    """[low, high]: nine times in ten the difference of many raters lies in it. It holds `value` too."""

    verdict: Verdict
    """Of the one: "better" where the interval lies above 0 and `value` is so large that raters agreed;
    "worse" where it is so below 0."""

    def reversed(self) -> RatingDifference:
        """The difference of the other from the one."""
        low, high = self.interval_90
        return RatingDifference(
            value=-self.value,
            expected=-self.expected,
            sd=self.sd,
            interval_90=(-high, -low),
            verdict=_OPPOSITE[self.verdict],
        )


def rating_differences(
    one: Assessment,
    other: Assessment,
    calibration: DifferenceCalibration,
    *,
    same_music: bool,
    loss: TranscriptionLoss | None = None,
) -> dict[str, RatingDifference]:
    """Differences of all ratings that both have, and of the aggregate.

    Parameters
    ----------
    one, other : rated by one bundle
    calibration : of that bundle
    same_music : whether both play the same music
    loss : what transcription takes from the ratings of that bundle; needed where notes were transcribed

    Returns
    -------
    Dimension -> difference, in the order of the rubric; "aggregate" last, where both have one of the same
    dimensions. A dimension that the calibration does not know is absent.

    Raises
    ------
    MismatchError
        The two were rated by different bundles.
    """
    if one.bundle.sha256 != other.bundle.sha256:
        raise MismatchError(
            f"{one.bundle.name} {one.bundle.version}, {other.bundle.name} {other.bundle.version}",
            "rated one performance each",
            allowed="both rated by the same bundle",
            next_step="assess both with the same bundle",
        )
    pair = _Pair(one, other, calibration, loss, same_music)
    found = {}
    for name in one.ratings:
        a, b = one.ratings[name], other.ratings.get(name, Rating.missing("not asked for"))
        trust = None if a.value is None or b.value is None else pair.trust(name)
        if trust is not None:
            found[name] = stated_difference((a.value or 0.0) - (b.value or 0.0), trust)
    if (total := _of_aggregates(one.aggregate, other.aggregate, pair)) is not None:
        found[AGGREGATE] = total
    return found


@dataclass(frozen=True)
class Trust:
    """How far a difference of two given performances can be trusted.

    Attributes
    ----------
    gain : 0..1, as in `DifferenceFigures`
    sd : points, all errors together
    least_difference : points
    """

    gain: float
    sd: float
    least_difference: float = 0.0


class _Pair:
    """Two assessments, and what errors their differences have."""

    def __init__(
        self,
        one: Assessment,
        other: Assessment,
        calibration: DifferenceCalibration,
        loss: TranscriptionLoss | None,
        same_music: bool,
    ) -> None:
        self._both = (one, other)
        self._calibration = calibration
        self._same_music = same_music
        self._has_score = [assessment.alignment is not None for assessment in self._both]
        self._apart = 1.0 - (same_take_share(one.alignment, other.alignment) if same_music else 0.0)
        self._lost = [
            {} if loss is None or assessment.inputs.notes == "keys" else loss.of(has_score=has_score)
            for assessment, has_score in zip(self._both, self._has_score, strict=True)
        ]

    def trust(self, name: str, weights: Mapping[str, float] | None = None) -> Trust | None:
        """Of a dimension, or of the aggregate of learned dimensions; None where nobody rated it.

        Parameters
        ----------
        name
        weights : dimension -> share of what is compared; the dimension alone if None
        """
        if self.is_counted(name):
            return Trust(1.0, self._of_counts(name))
        figures = self._calibration.of(name, has_score=all(self._has_score), same_music=self._same_music)
        if figures is None:
            return None
        weights = {name: 1.0} if weights is None else weights
        moved = (1.0 - self._apart) * sum(weight * self._moved(one) for one, weight in weights.items())
        sd = self._with_loss(float(np.hypot(figures.sd * self._apart, moved)), weights)
        return Trust(figures.gain, sd, figures.least_difference * self._apart)

    def is_counted(self, name: str) -> bool:
        """Whether a dimension is computed by rule in either of the two."""
        ratings = [assessment.ratings.get(name) for assessment in self._both]
        return any(rating is not None and rating.source == "rule" for rating in ratings)

    def _moved(self, name: str) -> float:
        """Points by which perception differs between the two; all of a rating that has no deductions."""
        values = [
            rating.value if rating.perception is None else rating.perception
            for rating in (assessment.ratings[name] for assessment in self._both)
        ]
        one, other = (0.0 if value is None else value for value in values)
        return abs(one - other)

    def _with_loss(self, sd: float, weights: Mapping[str, float]) -> float:
        """With what transcription adds to the weighted mean of dimensions, whose losses fall together."""
        lost = [
            sum(weight * of_take[name].sd for name, weight in weights.items() if name in of_take)
            for of_take in self._lost
        ]
        return float(np.sqrt(LEAST_SD**2 + sd**2 + sum(part**2 for part in lost)))

    def _of_counts(self, name: str) -> float:
        """Sd of a difference of what is counted: of both intervals, as of independent errors."""
        sd = [_sd_of(assessment.ratings[name]) for assessment in self._both]
        return float(np.sqrt(LEAST_SD**2 + sum((self._apart * part) ** 2 for part in sd)))


def _sd_of(rating: Rating) -> float:
    """Of a rating by rule: half its interval as that of a normal distribution."""
    if rating.interval_90 is None:
        return 0.0
    low, high = rating.interval_90
    return (high - low) / (2.0 * NORMAL_90)


def _of_aggregates(one: Aggregate, other: Aggregate, pair: _Pair) -> RatingDifference | None:
    """Of two weighted means of the same dimensions: learned and counted parts, each for itself."""
    if one.value is None or other.value is None:
        return None
    values = {part.dimension: part.value for part in other.parts}
    rest = {part.dimension: part.weight for part in one.parts if not pair.is_counted(part.dimension)}
    share = sum(rest.values())
    learned = pair.trust(AGGREGATE, {name: weight / share for name, weight in rest.items()})
    if learned is None or {part.dimension for part in one.parts} != set(values):
        return None
    counted, variance = 0.0, (share * learned.sd) ** 2
    for part in one.parts:
        if part.dimension not in rest and (trust := pair.trust(part.dimension)) is not None:
            counted += part.weight * (part.value - values[part.dimension])
            variance += (part.weight * trust.sd) ** 2
    value = one.value - other.value
    least_difference = max(share * learned.least_difference - abs(counted), 0.0)
    return stated_difference(
        value,
        Trust(1.0, float(np.sqrt(variance)), least_difference),
        expected=counted + learned.gain * (value - counted),
    )


def stated_difference(value: float, trust: Trust, *, expected: float | None = None) -> RatingDifference:
    """The difference with its interval, which is widened where the difference of the ratings lies outside.

    Parameters
    ----------
    value : points by which the ratings differ
    trust
    expected : points by which raters are expected to differ; gain x value if None
    """
    expected = trust.gain * value if expected is None else expected
    low, high = expected - NORMAL_90 * trust.sd, expected + NORMAL_90 * trust.sd
    low, high = max(min(low, value), -100.0), min(max(high, value), 100.0)
    is_large = abs(value) >= trust.least_difference
    verdict: Verdict = (
        "better" if is_large and low > 0.0 else "worse" if is_large and high < 0.0 else "undecided"
    )
    return RatingDifference(
        value=float(np.clip(value, -100.0, 100.0)),
        expected=float(np.clip(expected, -100.0, 100.0)),
        sd=trust.sd,
        interval_90=(low, high),
        verdict=verdict,
    )


def same_take_share(one: AlignmentReport | None, other: AlignmentReport | None) -> float:
    """0 for takes that were played twice, up to 1 for one take that was changed, by their timing."""
    distance = timing_distance(one, other)
    return 0.0 if distance is None else max(0.0, 1.0 - distance / SAME_TAKE_DISTANCE)


def timing_distance(one: AlignmentReport | None, other: AlignmentReport | None) -> float | None:
    """How much two takes differ in their timing, tempo apart.

    The median absolute deviation of the log ratio of the times between successive written onsets that both
    played: 0.05 is 5 % in a typical step.

    Returns
    -------
    None without a score, and with fewer than `LEAST_COMMON_ONSETS` common onsets.
    """
    first, second = (_onsets(report) for report in (one, other))
    common = [key for key in first if key in second]
    if len(common) < LEAST_COMMON_ONSETS:
        return None
    steps = [
        np.log(np.maximum(np.diff([of_take[key] for key in common]), _LEAST_IOI_SEC))
        for of_take in (first, second)
    ]
    ratio = steps[0] - steps[1]
    return float(np.median(np.abs(ratio - np.median(ratio))))


def _onsets(report: AlignmentReport | None) -> dict[tuple[str, float, int], float]:
    """(bar, beat, how often it has come) -> second of the first note of that onset that was played."""
    found: dict[tuple[str, float, int], float] = {}
    seen: dict[tuple[str, float, int], int] = {}
    for note in () if report is None else report.match:
        of_note = (note.bar, note.beat, note.expected_pitch or 0)
        seen[of_note] = seen.get(of_note, 0) + 1
        key = (note.bar, note.beat, seen[of_note])
        found[key] = min(found.get(key, np.inf), note.time_sec)
    return found


def figures_of(calibration: DifferenceCalibration | None, bundle: str) -> DifferenceCalibration:
    """The figures of a bundle.

    Raises
    ------
    BundleError
        It has none.
    """
    if calibration is None:
        raise BundleError(
            bundle,
            "does not know how far a difference of its ratings can be trusted",
            next_step="find it with `tocco statistics fit-differences`",
        )
    return calibration
