"""The assessment: everything that tocco says about one performance, as a file that explains itself.

The fields of `Assessment` are the JSON's keys. `Assessment.model_json_schema()` is the JSON Schema, with
the texts below as descriptions. There is no time stamp: the same inputs and the same bundle give the
same bytes.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError, ValidationInfo, field_validator, model_validator

from tocco.errors import InputError
from tocco.files import write_bytes
from tocco.inference.attention import Attention
from tocco.inference.evidence import AlignmentReport, BundleIdentity, Inputs
from tocco.inference.finding import Finding
from tocco.inference.marks import PersonalMarks, SchemeMarks
from tocco.inference.technique import Technique
from tocco.inference.versions import READABLE_VERSIONS, SCHEMA_VERSION, upgraded
from tocco.rubrics import DESCRIPTORS, DIMENSIONS, Dimension, dimensions_of
from tocco.schema import (
    Difference,
    Duration,
    Points,
    Seconds,
    Share,
    Spread,
    StrictModel,
    laid_out,
    nearest,
    one_line,
    parse_object,
)

Interval = tuple[Points, Points]
_Text = Annotated[str, Field(strict=True, min_length=1)]


class Rating(StrictModel):
    """One dimension or descriptor."""

    value: Points | None
    """0 to 100; null when missing."""

    sigma: Spread | None = None
    """Standard deviation of the error to expect, in points."""

    interval_90: Interval | None = None
    """[low, high]: nine times in ten the mean of several raters lies in it, measured on listeners of advanced
    players; of the teachers of students it held less (docs/validity.md)."""

    reliability: Share | None = None
    """How far raters agree about this dimension at all: the highest honest R2 of any model."""

    source: Literal["model", "rule", "combined", "missing"]
    """"model" learned it from raters, "rule" computed it from MIDI and score, "combined" is the model's
    rating less deductions by rule, "missing" has no value."""

    perception: Points | None = None
    """What the model rates before the deductions; null unless the source is "combined"."""

    deductions: dict[str, Difference] = Field(default_factory=dict)
    """Measure -> points that it takes off, below 0 where it adds some; empty unless "combined"."""

    reason: _Text | None = None
    """Why it is missing; null otherwise."""

    @model_validator(mode="after")
    def _is_consistent(self) -> Rating:
        account = {self.source == "combined", self.perception is not None, bool(self.deductions)}
        if len(account) > 1:
            raise ValueError("a rating has perception and deductions if, and only if, it is combined")
        missing = self.source == "missing"
        if missing != (self.value is None) or missing != (self.reason is not None):
            raise ValueError("a rating is missing if, and only if, it has a reason and no value")
        if missing and (self.sigma is not None or self.interval_90 is not None):
            raise ValueError("a missing rating has neither sigma nor interval")
        _check_interval(self.interval_90, self.value)
        return self

    @classmethod
    def missing(cls, reason: str, reliability: float | None = None) -> Rating:
        """A rating that cannot be given, and why."""
        return cls(value=None, source="missing", reason=reason, reliability=reliability)


class Part(StrictModel):
    """What one dimension contributes to an aggregate."""

    dimension: _Text
    """Which one."""

    value: Points
    """Its rating."""

    weight: Share
    """Its share of the aggregate; the shares of all parts sum to 1."""


class Aggregate(StrictModel):
    """The weighted mean of a rubric's dimensions."""

    value: Points | None
    """0 to 100; null where too little of it is rated."""

    parts: tuple[Part, ...] = ()
    """What it consists of; empty without a value."""

    without: tuple[_Text, ...] = ()
    """Dimensions that have a weight and no rating: the others take their share, in proportion."""

    interval_90: Interval | None = None
    """[low, high] of the weighted mean."""

    weights: dict[str, Share]
    """Dimension -> its share where all are rated; the shares sum to 1."""

    reason: _Text | None = None
    """Why it is missing; null otherwise."""

    @model_validator(mode="after")
    def _is_consistent(self) -> Aggregate:
        if (self.value is None) != (self.reason is not None):
            raise ValueError("an aggregate is missing if, and only if, it has a reason and no value")
        if self.value is None and self.interval_90 is not None:
            raise ValueError("a missing aggregate has no interval")
        if (self.value is None) != (not self.parts):
            raise ValueError("an aggregate has parts if, and only if, it has a value")
        if self.parts and abs(sum(part.weight for part in self.parts) - 1.0) > 1e-3:
            raise ValueError(f"weights of the parts sum to {sum(part.weight for part in self.parts)}, not 1")
        if self.weights and abs(sum(self.weights.values()) - 1.0) > 1e-3:
            raise ValueError(f"weights sum to {sum(self.weights.values())}, not 1")
        _check_interval(self.interval_90, self.value)
        return self


class Curve(StrictModel):
    """Ratings over time. Where there is no music, there is no point."""

    time_sec: tuple[Seconds, ...]
    """Centre of each point, ascending."""

    start_sec: tuple[Seconds, ...]
    """Start of the time that each point speaks for."""

    end_sec: tuple[Seconds, ...]
    """End of it."""

    value: dict[str, tuple[Points | None, ...]]
    """Dimension -> one value a point. A dimension that is not rated over time is absent."""

    low_90: dict[str, tuple[Points | None, ...]] = Field(default_factory=dict)
    """Lower edge of the 90 % band, for the dimensions that have one."""

    high_90: dict[str, tuple[Points | None, ...]] = Field(default_factory=dict)
    """Upper edge of the 90 % band."""

    @model_validator(mode="after")
    def _is_consistent(self) -> Curve:
        n = len(self.time_sec)
        columns = [self.start_sec, self.end_sec]
        columns += [*self.value.values(), *self.low_90.values(), *self.high_90.values()]
        if any(len(column) != n for column in columns):
            raise ValueError(f"time_sec has {n} points, another list of the curve has not")
        if any(later <= earlier for earlier, later in zip(self.time_sec, self.time_sec[1:], strict=False)):
            raise ValueError("time_sec does not ascend")
        if any(not a <= t <= b for a, t, b in zip(self.start_sec, self.time_sec, self.end_sec, strict=True)):
            raise ValueError("a point of the curve lies outside its own start and end")
        if set(self.low_90) != set(self.high_90) or not set(self.low_90) <= set(self.value):
            raise ValueError("a band of the curve needs both edges and a value")
        return self


class Moment(StrictModel):
    """A span in which a dimension is at its weakest or strongest."""

    kind: Literal["weakest", "strongest"]
    """Which end of the performance's own range."""

    dimension: _Text
    """What is weak or strong there."""

    start_sec: Duration
    """Start of the span."""

    end_sec: Duration
    """End of the span."""

    value: Points
    """The rating of the span."""

    difference: Difference | None = None
    """Points above (or, below 0, under) the rating of the whole; null in files of version 1."""

    margin: Spread | None = None
    """Points that a difference has to exceed before it is more than chance; null in files of version 1."""

    bars: tuple[_Text, _Text] | None = None
    """[first, last] bar as printed; null without a score."""

    where: _Text | None = None
    """The same in words, each stretch of the score for itself: "bars 15–16, then 1–8 (repeat)"."""

    @model_validator(mode="after")
    def _has_a_length(self) -> Moment:
        if self.end_sec <= self.start_sec:
            raise ValueError(f"end_sec {self.end_sec} is not after start_sec {self.start_sec}")
        return self


class Assessment(StrictModel):
    """All ratings of one performance, with intervals, curve and provenance."""

    schema_version: Literal["2.3"] = SCHEMA_VERSION
    """Version of this format; files of versions 1.0, 1.1, 2.0, 2.1 and 2.2 are read as well."""

    rubric: _Text
    """Name of the rubric: which dimensions there are, and what their ratings mean."""

    ratings: dict[str, Rating]
    """Dimensions of the rubric, in its order; one that is not here was not asked for."""

    descriptors: dict[str, Rating] = Field(default_factory=dict)
    """Bipolar axes: a description, not a grade."""

    aggregate: Aggregate
    """The ratings in one number."""

    curve: Curve
    """Ratings over time."""

    moments: tuple[Moment, ...] = ()
    """The weakest and the strongest spans, where they differ from the whole by more than chance."""

    technique: dict[str, Technique] = Field(default_factory=dict)
    """Dimension -> what was measured of it and where it stands out; empty in version 1.0."""

    findings: tuple[Finding, ...] | None = None
    """What to work on first, three at most; empty where nothing stands out, null before version 2.1."""

    tempo: tuple[tuple[_Text, Seconds, Annotated[float, Field(strict=True, gt=0.0)]], ...] = ()
    """[printed number of the bar, second of its bar line, quarter notes a minute] of bars played through;
    empty without a score, and before version 2.1."""

    attention: Attention | None = None
    """Where the network looked; null where it abstained, and before version 2.3."""

    alignment: AlignmentReport | None = None
    """Note by note against the score; null without a score."""

    alignment_reason: _Text | None = None
    """Why there is no alignment; null otherwise."""

    inputs: Inputs
    """The files, whether each was given or derived, and where notes and sound come from."""

    abstained: bool = False
    """True when the performance is outside what the model has seen: it then rates nothing."""

    abstained_reasons: tuple[_Text, ...] = ()
    """Why it abstained."""

    bundle: BundleIdentity
    """The model that rated, by name and hash."""

    tocco_version: _Text
    """Version of the program."""

    personal: PersonalMarks | None = None
    """The ratings as one person would mark them; null where not asked for, and before version 2.3."""

    marking_scheme: SchemeMarks | None = None
    """The ratings by the criteria of an examination board; null where not asked for, and before version
    2.3."""

    @field_validator("ratings", "technique")
    @classmethod
    def _in_the_order_of_the_rubric(cls, given: dict[str, Any], info: ValidationInfo) -> dict[str, Any]:
        return _in_order(given, _names_of(info.data.get("rubric", "")))

    @field_validator("descriptors")
    @classmethod
    def _in_the_order_of_the_descriptors(cls, given: dict[str, Rating]) -> dict[str, Rating]:
        return _in_order(given, DESCRIPTORS)

    @field_validator("curve")
    @classmethod
    def _curve_in_the_order_of_the_rubric(cls, given: Curve, info: ValidationInfo) -> Curve:
        names = _names_of(info.data.get("rubric", ""))
        columns = {part: _in_order(getattr(given, part), names) for part in ("value", "low_90", "high_90")}
        return given.model_copy(update=columns)

    @model_validator(mode="after")
    def _names_dimensions_of_the_rubric(self) -> Assessment:
        names = _names_of(self.rubric)
        _check_names(self.aggregate.weights, names)
        _check_names([part.dimension for part in self.aggregate.parts], names)
        _check_names(self.aggregate.without, names)
        _check_names([moment.dimension for moment in self.moments], names)
        _check_names([finding.dimension for finding in self.findings or ()], names)
        if self.personal is not None:
            _check_names([*self.personal.marks, *self.personal.weights], names)
        if self.marking_scheme is not None:
            _check_names([name for one in self.marking_scheme.criteria for name in one.weights], names)
        return self

    @model_validator(mode="after")
    def _is_consistent(self) -> Assessment:
        if (self.alignment is None) != (self.alignment_reason is not None):
            raise ValueError("there is an alignment, or a reason why there is none")
        if self.abstained != bool(self.abstained_reasons):
            raise ValueError("an assessment abstains if, and only if, it has reasons to")
        rated = [n for n, r in (self.ratings | self.descriptors).items() if r.source in ("model", "combined")]
        if self.attention is not None and len(self.attention.curve) != len(self.curve.time_sec):
            raise ValueError(
                f"attention has {len(self.attention.curve)} points, the curve {len(self.curve.time_sec)}"
            )
        if self.abstained and (rated or self.aggregate.value is not None):
            raise ValueError(f"an assessment that abstains rates {', '.join(rated) or 'the aggregate'}")
        return self

    @property
    def dimensions(self) -> tuple[Dimension, ...]:
        """Rows of the rubric that were asked for, in its order."""
        return tuple(one for one in dimensions_of(self.rubric) if one.name in self.ratings)


_CSV_RATED = ("", "_low_90", "_high_90")
_CSV_COUNTS = ("match", "insertion", "deletion", "substitution")

ASSESSMENT_COLUMNS: tuple[str, ...] = (
    "id",
    *(name + part for name in ("aggregate", *DIMENSIONS, *DESCRIPTORS) for part in _CSV_RATED),
    *(f"n_{kind}" for kind in _CSV_COUNTS),
    "aggregate_without",
    "abstained",
    "abstained_reasons",
    "audio_sha256",
    "midi_sha256",
    "score_sha256",
    "bundle",
    "bundle_version",
    "tocco_version",
)
"""Columns of `assessments.csv`. What is missing is an empty cell."""


def assessment_row(performance_id: str, assessment: Assessment) -> dict[str, str]:
    """One row of `assessments.csv`, by column."""
    cells: dict[str, object] = {"id": performance_id}
    rated: dict[str, Rating | Aggregate] = {
        "aggregate": assessment.aggregate,
        **assessment.ratings,
        **assessment.descriptors,
    }
    for name, rating in rated.items():
        low, high = rating.interval_90 or (None, None)
        cells |= dict(zip((name + part for part in _CSV_RATED), (rating.value, low, high), strict=True))
    if assessment.alignment is not None:
        cells |= {f"n_{kind}": assessment.alignment.counts[kind] for kind in _CSV_COUNTS}
    inputs = assessment.inputs
    cells |= {
        "aggregate_without": "; ".join(assessment.aggregate.without),
        "abstained": "yes" if assessment.abstained else "no",
        "abstained_reasons": "; ".join(assessment.abstained_reasons),
        "audio_sha256": inputs.audio.sha256 if inputs.audio.origin == "given" else None,
        "midi_sha256": inputs.midi.sha256 if inputs.midi.origin == "given" else None,
        "score_sha256": inputs.score.sha256 if inputs.score else None,
        "bundle": assessment.bundle.name,
        "bundle_version": assessment.bundle.version,
        "tocco_version": assessment.tocco_version,
    }
    return {column: "" if (cell := cells.get(column)) is None else str(cell) for column in ASSESSMENT_COLUMNS}


def write_assessment_table(assessments: Mapping[str, Assessment], path: Path) -> None:
    """Write `assessments.csv`: one row a performance, in the order given."""
    stream = io.StringIO(newline="")
    writer = csv.DictWriter(stream, ASSESSMENT_COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(assessment_row(name, assessment) for name, assessment in assessments.items())
    write_bytes(path, stream.getvalue().encode())


def to_json(assessment: Assessment) -> str:
    """The file's text: keys sorted, whatever fits on a line on one line, a newline at the end."""
    return laid_out(assessment.model_dump(mode="json")) + "\n"


def write_assessment_file(assessment: Assessment, path: Path) -> None:
    """Write the JSON, whole or not at all.

    Raises
    ------
    OutputError
        The file cannot be written.
    """
    write_bytes(path, to_json(assessment).encode())


def read_assessment(path: Path) -> Assessment:
    """Read an assessment back.

    Raises
    ------
    InputError
        The file cannot be read, is no assessment, or is of another schema version.
    """
    try:
        fields = parse_object(path.read_text(encoding="utf-8"))
        if "schema_version" not in fields:
            raise ValueError("has no schema_version, so it is no assessment")
        if fields["schema_version"] not in READABLE_VERSIONS:
            raise InputError(
                path,
                f"has schema_version {fields['schema_version']!r}",
                allowed=", ".join(map(repr, READABLE_VERSIONS)),
                next_step="read it with the tocco that wrote it, or assess the performance again",
            )
        return Assessment.model_validate(upgraded(fields))
    except OSError as error:
        raise InputError(path, f"cannot be read ({error.strerror})", next_step="check the path") from error
    except ValidationError as error:
        raise InputError(path, one_line(error)) from error
    except ValueError as error:
        raise InputError(path, str(error), allowed="an assessment written by tocco") from error


def differing_inputs(
    assessment: Assessment,
    audio_sha256: str | None,
    midi_sha256: str | None,
    score_sha256: str | None,
    scores_key: str | None = None,
) -> tuple[str, ...]:
    """Which of the files that an assessment was given are not these, in words.

    Parameters
    ----------
    assessment
    audio_sha256, midi_sha256, score_sha256 : of the files that are given now; None where none is
    scores_key : of the folder in which a score is sought; None where none is sought

    Returns
    -------
    Such as ("another score",); empty where all are the same.
    """
    inputs = assessment.inputs
    before = {"recording": inputs.audio, "MIDI": inputs.midi, "score": inputs.score}
    now = (audio_sha256, midi_sha256, score_sha256)
    found = []
    for (kind, file), given in zip(before.items(), now, strict=True):
        earlier = file.sha256 if file is not None and file.origin == "given" else None
        if earlier != given:
            found.append(f"{'no' if earlier is None else 'a' if given is None else 'another'} {kind}")
    searched = None if inputs.score_search is None else inputs.score_search.key
    if searched != scores_key:
        before_that = "no" if searched is None else "a" if scores_key is None else "another"
        found.append(f"{before_that} folder of scores")
    return tuple(found)


def _check_interval(interval: tuple[float, float] | None, value: float | None) -> None:
    if interval is not None and value is not None and not interval[0] <= value <= interval[1]:
        raise ValueError(f"interval_90 {list(interval)} does not contain {value}")


def _names_of(rubric: str) -> list[str]:
    return [one.name for one in dimensions_of(rubric)]


def _check_names(given: Iterable[str], valid: Sequence[str]) -> None:
    unknown = [name for name in given if name not in valid]
    if unknown:
        raise ValueError("; ".join(nearest(name, valid) for name in unknown))


def _in_order(given: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    _check_names(given, names)
    return {name: given[name] for name in names if name in given}
