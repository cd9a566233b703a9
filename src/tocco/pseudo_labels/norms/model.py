"""Norms of touch, level, accents and pedal timing, as fitted to competent pianists.

`tocco pseudo-label fit-norms` fits the numbers to the reference pool (see `fitting.norms`) and writes the
file beside this module. `norms.touch`, `norms.level` and `norms.accents` read their part of it. The reference
scale rests on components that were measured with them, so a scale fitted with other norms is refused.
"""

from __future__ import annotations

import hashlib
import json
from functools import cache
from importlib.resources import files
from itertools import pairwise
from typing import Annotated, Final, Literal

from pydantic import Field, ValidationError, model_validator

from tocco.errors import InputError
from tocco.pseudo_labels.pool import Count, PoolFacts
from tocco.schema import StrictModel, one_line, parse_object

NORMS_FILE: Final = "norms.json"
NORMS_FORMAT: Final = 2
PRESENT_NAMES: Final = {"course": "level", "foot": "pedal"}
"""Name in files of earlier releases -> present name."""


_NEXT_STEP = "fit the norms again with `tocco pseudo-label fit-norms`"
_Number = Annotated[float, Field(allow_inf_nan=False)]
_Positive = Annotated[float, Field(gt=0.0, allow_inf_nan=False)]
_Share = Annotated[float, Field(ge=0.0, le=1.0)]
_Correlation = Annotated[float, Field(ge=-1.0, le=1.0)]


class TouchTable(StrictModel):
    """Log ratio of key-down duration to written duration, as a function of the score."""

    staccato: tuple[_Number, ...]
    """With a staccato sign, at each of `TouchNorms.value_sec`, for a single note of the melody."""

    slurred: tuple[_Number, ...]
    """The same under a slur."""

    plain: tuple[_Number, ...]
    """The same without either."""

    doubling: _Number
    """Added for every doubling of the number of notes of the onset."""

    octave: _Number
    """Added per octave of the following leap."""

    repeated: _Number
    """Added where the next chord of the staff repeats the key."""

    accompanying: _Number
    """Added where the note is not the highest of its onset."""


class TouchNorms(StrictModel):
    """Key-down durations: quantiles over the pool."""

    value_sec: tuple[_Positive, ...]
    """Written durations at the local tempo for which the tables have entries; ascending."""

    usual: TouchTable
    """Table of the median."""

    long: TouchTable
    """Table of the 80th percentile."""

    usual_quantile: _Share
    """Quantile that `usual` was fitted to."""

    long_quantile: _Share
    """Quantile that `long` was fitted to."""

    usual_share: _Share
    """Share of the pool's notes held shorter than `usual`, with equal weight per piece."""

    long_share: _Share
    """The same for `long`."""

    smoothing_log: _Positive
    """Width over which the kink of the check loss is smoothed."""

    n_notes: Count
    """Number of notes in the fit."""

    piece_spread_log: _Number
    """Standard deviation over pieces of the median deviation from `usual`."""

    printed_spread_log: _Number
    """The same relative to the written duration, without norms."""

    @model_validator(mode="after")
    def _tables_stand_at_the_values(self) -> TouchNorms:
        if any(low >= high for low, high in pairwise(self.value_sec)):
            raise ValueError("value_sec is not ascending")
        for table in (self.usual, self.long):
            for name in ("staccato", "slurred", "plain"):
                if len(getattr(table, name)) != len(self.value_sec):
                    raise ValueError(f"{name} has not one number for each of value_sec")
        return self


class LevelVelocity(StrictModel):
    """Velocity per unit of each predictor of `norms.level.level_predictors`."""

    top: _Number
    """A semitone of the upper line."""

    depth: _Number
    """A semitone below middle C, mean of the notes."""

    doubling: _Number
    """Share of notes doubled an octave above, from 0 to 1; an octave alone has 0.5."""

    motion: _Number
    """A unit of the logarithm of onsets per beat."""

    tempo: _Number
    """A unit of the logarithm of performed beats per second."""

    dissonance: _Number
    """From 0 to 1."""

    soft_pedal: _Number
    """From up to down."""

    mark: _Number
    """A step between dynamic markings, as from p to mp."""

    mark_change: _Number
    """A step from the marking two seconds earlier to the one two seconds later."""

    hairpin: _Number
    """From the beginning to the end of a hairpin."""

    stress: _Number
    """From no accent to one on every onset."""


class LevelNorms(StrictModel):
    """Regression of level on melody, rhythm, harmony and markings."""

    velocity: LevelVelocity
    """Coefficient of each predictor."""

    penalty: _Positive
    """Of the ridge regression, on predictors of unit size."""

    n_onsets: Count
    """Number of onsets in the fit."""

    correlation: _Correlation
    """Of performed and expected contour within `window_sec`, cross-validated mean over held-out pieces."""

    correlation_without_soft_pedal: _Correlation
    """The same, fitted and evaluated without the soft pedal."""

    correlation_without_signs: _Correlation
    """The same, fitted and evaluated without the markings of the score."""

    window_sec: _Positive
    """Length of the windows in which correlations are computed."""

    n_folds: Count
    """Number of cross-validation folds."""

    n_windows: Count
    """Number of windows that the correlations are averaged over."""


class AccentVelocity(StrictModel):
    """Velocity per unit of each predictor of `norms.accents.accent_predictors`."""

    pitch: _Number
    """A semitone."""

    approach: _Number
    """A unit of minus the logarithm of the preceding inter-onset interval, in beats."""

    value: _Number
    """A unit of the logarithm of written beats."""

    beat: _Number
    """On a beat, relative to between beats."""

    stress: _Number
    """With an accent or a sign such as sf."""

    staccato: _Number
    """With a staccato dot."""

    slur: _Number
    """Under a slur, except its last note."""

    upper_staff: _Number
    """On the upper staff, relative to the lower one."""


class AccentNorms(StrictModel):
    """Regression of accents on pitch, rhythm, metre and markings."""

    velocity: AccentVelocity
    """Coefficient of each predictor."""

    penalty: _Positive
    """Of the ridge regression, on predictors of unit size."""

    n_notes: Count
    """Number of notes in the fit."""

    correlation: _Correlation
    """Of performed and expected accents, cross-validated mean over performances of held-out pieces."""

    n_folds: Count
    """Number of cross-validation folds."""


class LagNorms(StrictModel):
    """Pedal-timing lag at the onsets with the largest pedal-change weight."""

    lag_sec: dict[str, _Number]
    """Percentile -> seconds from onset to pedal event, with equal weight per piece; below 0 is before."""

    n_moves: Count
    """Number of pedal events within reach of such an onset."""

    share: _Share
    """Share of these onsets with a pedal event within reach."""


class PedalNorms(StrictModel):
    """Pedal-timing lags: measured for comparison, not part of any rating."""

    lift: LagNorms
    """Of pedal lifts."""

    press: LagNorms
    """Of pedal presses that do not complete a pedal change."""

    strongest_share: _Share
    """Share of the onsets of a performance that were considered, those with the largest weight."""

    reach_sec: _Positive
    """Largest distance of a pedal event from an onset."""


class Norms(StrictModel):
    """All norms that the raters compare a performance with."""

    format: Literal[2] = NORMS_FORMAT
    """Version of this file's layout."""

    pool: PoolFacts
    """Performances that the norms were fitted to."""

    touch: TouchNorms
    """Key-down durations."""

    level: LevelNorms
    """Dynamics contour."""

    accents: AccentNorms
    """Accents of single notes."""

    pedal: PedalNorms
    """Pedal timing."""

    def sha256(self) -> str:
        """SHA-256 of the numbers that ratings rest on; the pool does not enter."""
        touch = self.touch.model_dump(include={"value_sec", "usual", "long"})
        decisive = {
            "touch": touch,
            "velocity": self.level.velocity.model_dump(),
            "accents": self.accents.velocity.model_dump(),
        }
        return hashlib.sha256(json.dumps(decisive, sort_keys=True).encode()).hexdigest()


def read_norms(content: str, source: str) -> Norms:
    """Norms from their JSON text; files of earlier releases are read as well.

    Raises
    ------
    InputError
        It is broken, or of a format that this release does not read.
    """
    try:
        fields = parse_object(content)
        if fields.get("format") not in (None, NORMS_FORMAT):
            raise InputError(
                source,
                f"has the format {fields['format']}",
                allowed=f"{NORMS_FORMAT}",
                next_step=_NEXT_STEP,
            )
        names = {old: new for old, new in PRESENT_NAMES.items() if new not in fields}
        return Norms.model_validate({names.get(key, key): value for key, value in fields.items()})
    except ValidationError as error:
        raise InputError(source, one_line(error, Norms), next_step=_NEXT_STEP) from error
    except ValueError as error:
        raise InputError(source, str(error), next_step=_NEXT_STEP) from error


@cache
def reference_norms() -> Norms:
    """The norms that ship with tocco."""
    found = files("tocco.pseudo_labels.norms").joinpath(NORMS_FILE)
    return read_norms(found.read_text(encoding="utf-8"), NORMS_FILE)
