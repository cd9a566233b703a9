"""Submissions to the leaderboard: one file each, as the benchmark command writes it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Final, Literal

import numpy as np
import yaml
from pydantic import Field, ValidationError

from tocco.errors import InputError
from tocco.evaluation.benchmark.benchmark import BenchmarkResult
from tocco.evaluation.benchmark.figures import PartFigures, ProtocolFigures, metric_index
from tocco.files import read_text, write_bytes
from tocco.metrics import BootstrapInterval
from tocco.schema import StrictModel, laid_out, one_line, parse_object

SCHEMA_VERSION: Final = 1

_Text = Annotated[str, Field(strict=True, min_length=1)]
_Sha256 = Annotated[str, Field(strict=True, pattern="^[0-9a-f]{64}$")]
_Figure = Annotated[float, Field(allow_inf_nan=False)]
_Count = Annotated[int, Field(strict=True, ge=0)]


class About(StrictModel):
    """What the authors say of a system."""

    name: _Text
    """Of the system; one line of the leaderboard."""

    authors: tuple[_Text, ...] = Field(min_length=1)
    """Who made it."""

    link: _Text | None = None
    """Paper or page; null where there is none."""

    code: _Text | None = None
    """Where the code is; null where it is not public."""

    trained_on: _Text
    """All that it learned from, beside the training part of each fold."""

    reads: Literal[
        "sound", "notes", "notes and score", "sound and notes", "sound, notes and score", "nothing"
    ]
    """What it reads of a performance; "nothing" for what needs no listening."""


class Estimate(StrictModel):
    """A figure with its 95 % interval over other music."""

    value: _Figure
    """Of these excerpts."""

    low: _Figure | None = None
    """Lower end; null where there are too few clusters."""

    high: _Figure | None = None
    """Upper end."""


class FamilyFigures(StrictModel):
    """Means over a family of targets."""

    family: _Text
    """Such as "19 descriptors"."""

    part: _Text
    """Which of the tested excerpts."""

    n_excerpts: _Count
    """Their number."""

    r: Estimate
    """Pearson correlation, pooled over folds."""

    r2: Estimate
    """Explained variance."""

    mae: Estimate
    """In points of 0 to 100."""

    pairs: Estimate
    """Share of pairs in the right order."""

    pairs_same_passage: Estimate | None = None
    """Of human performances of the same bars; null where there are none."""

    coverage_90: _Figure | None = None
    """Share of labels in the 90 % intervals; null without standard deviations."""


class ProtocolEntry(StrictModel):
    """Figures under one protocol."""

    protocol: _Text
    """Its name."""

    folds: Literal["stated and right", "not stated", "nothing learned from these labels"]
    """What the predictions say of the folds that they come from."""

    n_predicted: _Count
    """Tested excerpts with every prediction; a missing one counts as the constant."""

    n_tested: _Count
    """All tested excerpts."""

    predictions_sha256: _Sha256
    """Of the file of predictions."""

    figures: tuple[FamilyFigures, ...] = Field(min_length=1)
    """Of each family and each part."""


class Submission(StrictModel):
    """One system on one benchmark."""

    schema_version: Literal[1]
    """Of this format."""

    benchmark: _Text
    """Name of the benchmark."""

    labels_sha256: _Sha256
    """Of ids, ratings and folds; only equal ones are compared."""

    about: About
    """What the authors say."""

    protocols: tuple[ProtocolEntry, ...] = Field(min_length=1)
    """Figures under each protocol."""


def read_about(path: Path) -> About:
    """Read what authors say of a system, from YAML.

    Raises
    ------
    InputError
        The file cannot be read, or breaks a rule of the format; every fault is named.
    """
    try:
        fields = yaml.safe_load(read_text(path))
        if not isinstance(fields, dict):
            raise ValueError("has no keys and values")
        return About.model_validate(fields)
    except yaml.YAMLError as error:
        raise InputError(path, "is no YAML", next_step="docs/benchmark.md has an example") from error
    except ValidationError as error:
        raise InputError(
            path, one_line(error, About), next_step="docs/benchmark.md has an example"
        ) from error
    except ValueError as error:
        raise InputError(path, str(error), next_step="docs/benchmark.md has an example") from error


def read_submission(path: Path) -> Submission:
    """Read a file of the leaderboard.

    Raises
    ------
    InputError
        It cannot be read, or breaks a rule of the format; every fault is named.
    """
    try:
        return Submission.model_validate(parse_object(read_text(path)))
    except ValidationError as error:
        raise InputError(path, one_line(error, Submission), next_step="let the command write it") from error
    except ValueError as error:
        raise InputError(path, str(error), next_step="let the command write it") from error


def submission_of(result: BenchmarkResult, about: About) -> Submission:
    """The submission of a result."""
    return Submission(
        schema_version=SCHEMA_VERSION,
        benchmark=result.benchmark,
        labels_sha256=result.labels_sha256,
        about=about,
        protocols=tuple(_entry(result, figures) for figures in result.protocols),
    )


def write_submission(submission: Submission, path: Path) -> Submission:
    """Write a submission; protocols that the file has already, of the same system and labels, stay in it.

    Raises
    ------
    InputError
        The file has another system, or other labels.
    """
    if path.is_file():
        before = read_submission(path)
        for what in ("benchmark", "labels_sha256"):
            if getattr(before, what) != getattr(submission, what):
                raise InputError(path, f"has another {what}", next_step="choose another folder")
        if before.about.name != submission.about.name:
            raise InputError(path, f"is of {before.about.name!r}", next_step="choose another folder")
        new = {entry.protocol for entry in submission.protocols}
        kept = tuple(entry for entry in before.protocols if entry.protocol not in new)
        submission = submission.model_copy(update={"protocols": (*kept, *submission.protocols)})
    content: dict[str, Any] = submission.model_dump(mode="json")
    write_bytes(path, (laid_out(content) + "\n").encode())
    return submission


def _entry(result: BenchmarkResult, figures: ProtocolFigures) -> ProtocolEntry:
    stated = "stated and right" if figures.predicted.is_fold_stated else "not stated"
    return ProtocolEntry(
        protocol=figures.protocol,
        folds="nothing learned from these labels" if result.is_untrained else stated,
        n_predicted=figures.predicted.n_predicted,
        n_tested=figures.predicted.n_tested,
        predictions_sha256=result.predictions_sha256,
        figures=tuple(
            _family(part, family, f) for part in figures.parts for f, family in enumerate(part.families)
        ),
    )


def _family(part: PartFigures, family: str, f: int) -> FamilyFigures:
    def estimate(metric: str) -> Estimate | None:
        at = (0, metric_index(metric), f)
        value = float(part.of_family.value[at])
        return Estimate(value=round(value, 4), **_ends(part.of_family, at)) if np.isfinite(value) else None

    def needed(metric: str) -> Estimate:
        found = estimate(metric)
        if found is None:
            raise InputError("predictions", f"have no {metric} over {family}", next_step="rate more excerpts")
        return found

    return FamilyFigures(
        family=family,
        part=part.part,
        n_excerpts=part.n_excerpts,
        r=needed("pearson_r"),
        r2=needed("r2"),
        mae=needed("mae"),
        pairs=needed("pair_accuracy"),
        pairs_same_passage=estimate("pair_accuracy_within"),
        coverage_90=_coverage_90(part, family),
    )


def _ends(interval: BootstrapInterval, at: tuple[int, int, int]) -> dict[str, float]:
    low, high = float(interval.low[at]), float(interval.high[at])
    return {"low": round(low, 4), "high": round(high, 4)} if np.isfinite([low, high]).all() else {}


def _coverage_90(part: PartFigures, family: str) -> float | None:
    """Mean over the members of a family; None unless all have a standard deviation."""
    members = np.array(part.names)[part.families[family]].tolist()
    if part.coverage is None or not set(members) <= set(part.coverage.names):
        return None
    places = [part.coverage.names.index(name) for name in members]
    return round(float(part.coverage.coverage[places, -1].mean()), 4)
