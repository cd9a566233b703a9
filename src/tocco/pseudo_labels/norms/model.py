"""What competent pianists do, in numbers: touch, level, accents, and when the foot moves.

The numbers are fitted to the reference pool by `tocco pseudo-label fit-norms` (see `norm_fit`) and lie in a
file beside this module. `touch_norm`, `level_course` and `accent_course` read theirs from it, and the
reference scale rests on components that were measured with them: a scale that was fitted with other norms is
refused.
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

_NEXT_STEP = "fit the norms again with `tocco pseudo-label fit-norms`"
_Number = Annotated[float, Field(allow_inf_nan=False)]
_Positive = Annotated[float, Field(gt=0.0, allow_inf_nan=False)]
_Share = Annotated[float, Field(ge=0.0, le=1.0)]
_Correlation = Annotated[float, Field(ge=-1.0, le=1.0)]


class TouchTable(StrictModel):
    """Logarithm of key-down against written time, as a function of what is written."""

    staccato: tuple[_Number, ...]
    """Under a staccato sign, at each of `TouchNorms.value_sec`, for a single note of the melody."""

    slurred: tuple[_Number, ...]
    """The same under a slur."""

    plain: tuple[_Number, ...]
    """The same under neither."""

    doubling: _Number
    """Added for every doubling of the notes of the onset."""

    octave: _Number
    """Added for every octave that the hand then leaps."""

    repeated: _Number
    """Added where the next chord of the staff strikes the key again."""

    accompanying: _Number
    """Added where the note is not the highest of its onset."""


class TouchNorms(StrictModel):
    """How long keys are held: quantiles of the touch of the pool."""

    value_sec: tuple[_Positive, ...]
    """Written time, at the tempo around the note, at which the tables stand; ascending."""

    usual: TouchTable
    """What half of the keys are held for at most."""

    long: TouchTable
    """What four in five keys are held for at most."""

    usual_quantile: _Share
    """That `usual` was fitted to."""

    long_quantile: _Share
    """That `long` was fitted to."""

    usual_share: _Share
    """Of the pool's notes, every piece weighing the same, that are held for less than `usual` says."""

    long_share: _Share
    """The same for `long`."""

    smoothing_log: _Positive
    """Width over which the kink of the check loss is rounded off."""

    n_notes: Count
    """Notes that it was fitted to."""

    piece_spread_log: _Number
    """Standard deviation of the pieces' medians against `usual`."""

    printed_spread_log: _Number
    """The same against the printed value: what is left to tell of the piece and not of the playing."""

    @model_validator(mode="after")
    def _tables_stand_at_the_values(self) -> TouchNorms:
        if any(low >= high for low, high in pairwise(self.value_sec)):
            raise ValueError("value_sec is not ascending")
        for table in (self.usual, self.long):
            for name in ("staccato", "slurred", "plain"):
                if len(getattr(table, name)) != len(self.value_sec):
                    raise ValueError(f"{name} has not one number for each of value_sec")
        return self


class CourseVelocity(StrictModel):
    """Velocity for one unit of each hint of `level_course.read_hints`."""

    top: _Number
    """A semitone of the upper line."""

    depth: _Number
    """A semitone below middle C, mean of what is struck."""

    doubling: _Number
    """Share 1 of the notes with their octave above; an octave alone has a half."""

    motion: _Number
    """A unit of the logarithm of onsets a beat."""

    tempo: _Number
    """A unit of the logarithm of beats a second, as played."""

    dissonance: _Number
    """From none to all of it."""

    soft_pedal: _Number
    """From up to down."""

    mark: _Number
    """A step between signs, as from p to mp."""

    mark_change: _Number
    """A step from the sign of two seconds before to that of two seconds later."""

    hairpin: _Number
    """From the beginning to the end of a hairpin."""

    stress: _Number
    """From no accent to one on every onset."""


class CourseNorms(StrictModel):
    """How loud pianists take what line, motion, harmony and signs suggest."""

    velocity: CourseVelocity
    """What they make of each hint on average."""

    penalty: _Positive
    """Of the ridge regression, on hints of unit size."""

    n_onsets: Count
    """Onsets that it was fitted to."""

    correlation: _Correlation
    """Of level and course within `window_sec`, mean over pieces that were left out of the fit."""

    correlation_without_soft_pedal: _Correlation
    """The same, fitted and held without the soft pedal."""

    correlation_without_signs: _Correlation
    """The same, fitted and held without the signs on the page."""

    window_sec: _Positive
    """Length of the windows of the correlations."""

    n_folds: Count
    """Parts of the pool that were left out in turn."""

    n_windows: Count
    """Windows that they are the mean of."""


class AccentVelocity(StrictModel):
    """Velocity for one unit of each hint of `accent_course.read_accent_hints`."""

    pitch: _Number
    """A semitone."""

    approach: _Number
    """A unit of the logarithm of onsets a beat, by the wait since the onset before."""

    value: _Number
    """A unit of the logarithm of written beats."""

    beat: _Number
    """On a beat, against between beats."""

    stress: _Number
    """With an accent or a sign such as sf."""

    staccato: _Number
    """Under a dot."""

    slur: _Number
    """Under a slur, its last note aside."""

    upper_staff: _Number
    """On the upper staff, against the lower one."""


class AccentNorms(StrictModel):
    """Which notes pianists bring out."""

    velocity: AccentVelocity
    """What they make of each hint on average."""

    penalty: _Positive
    """Of the ridge regression, on hints of unit size."""

    n_notes: Count
    """Notes that it was fitted to."""

    correlation: _Correlation
    """Of accents played and suggested, mean over performances of pieces that were left out of the fit."""

    n_folds: Count
    """Parts of the pool that were left out in turn."""


class LagNorms(StrictModel):
    """When the foot moves at the onsets that ask for it most."""

    lag_sec: dict[str, _Number]
    """Percentile -> seconds from onset to movement, each piece weighing the same; below 0 is before."""

    n_moves: Count
    """Movements in reach of such an onset."""

    share: _Share
    """Of the onsets that ask for it most, those with a movement in reach."""


class FootNorms(StrictModel):
    """When the foot lifts and presses: measured, and no part of any rating."""

    lift: LagNorms
    """Of lifts."""

    press: LagNorms
    """Of presses that begin a pedal."""

    strongest_share: _Share
    """Of the onsets of a performance, those that ask most for a change, which were looked at."""

    reach_sec: _Positive
    """How far from an onset a movement may lie."""


class Norms(StrictModel):
    """Everything that the raters hold a performance against, beside the scale."""

    format: Literal[2] = NORMS_FORMAT
    """Version of this file's layout."""

    pool: PoolFacts
    """What it was fitted on."""

    touch: TouchNorms
    """How long keys are held."""

    course: CourseNorms
    """How loud a passage is taken."""

    accents: AccentNorms
    """Which of its notes are brought out."""

    foot: FootNorms
    """When the foot moves."""

    def sha256(self) -> str:
        """SHA-256 of the numbers that ratings rest on; what they were fitted on does not enter."""
        touch = self.touch.model_dump(include={"value_sec", "usual", "long"})
        decisive = {
            "touch": touch,
            "velocity": self.course.velocity.model_dump(),
            "accents": self.accents.velocity.model_dump(),
        }
        return hashlib.sha256(json.dumps(decisive, sort_keys=True).encode()).hexdigest()


def read_norms(content: str, source: str) -> Norms:
    """Norms from their JSON text.

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
        return Norms.model_validate(fields)
    except ValidationError as error:
        raise InputError(source, one_line(error, Norms), next_step=_NEXT_STEP) from error
    except ValueError as error:
        raise InputError(source, str(error), next_step=_NEXT_STEP) from error


@cache
def reference_norms() -> Norms:
    """The norms that ship with tocco."""
    found = files("tocco.pseudo_labels.norms").joinpath(NORMS_FILE)
    return read_norms(found.read_text(encoding="utf-8"), NORMS_FILE)
