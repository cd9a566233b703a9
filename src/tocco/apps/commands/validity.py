"""`tocco benchmark validity`: whether the ratings that people see are true."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import typer

from tocco.apps.progress import progress_bar
from tocco.cache import code_hash
from tocco.data.records import LabelRecord, read_labels
from tocco.engines import Engine, LocalEngine
from tocco.errors import InputError
from tocco.evaluation.validity.case import Rater
from tocco.evaluation.validity.graded import GradedTake, read_graded
from tocco.evaluation.validity.plan import FULL, Material, Plan, Size, planned
from tocco.evaluation.validity.rate import RatingTask, rate_case
from tocco.evaluation.validity.report import read_report, report_of, write_report
from tocco.evaluation.validity.rows import CaseRows
from tocco.files import read_names, sha256_of, writable_folder
from tocco.inference.batch import shared_assessor
from tocco.inference.bundle import load_bundle


@dataclass(frozen=True)
class ValidityOptions:
    """Options of the command line.

    Attributes
    ----------
    takes : label records of pianists' takes with scores
    pieces : file of the pieces of `takes` that may be used, one per line; all if None
    graded : table of graded takes
    passages : label records with renderings of the score
    before : `validity.json` of an earlier run
    bundle : folder of the bundle; the one inside the package if None
    size
    seconds : length of the excerpts
    seed
    engine
    is_cached_only : whether to report on what is cached, and assess nothing
    """

    takes: Path
    pieces: Path | None = None
    graded: Path | None = None
    passages: Path | None = None
    before: Path | None = None
    bundle: Path | None = None
    size: Size = FULL
    seconds: float = 24.0
    seed: int = 0
    engine: Engine = field(default_factory=LocalEngine)
    is_cached_only: bool = False


def validity(output: Path, options: ValidityOptions, rater: Rater | None = None) -> None:
    """Assess everything that the suite asks about, and write its report.

    Parameters
    ----------
    output : folder
    options
    rater : the assessor of the bundle if None
    """
    before = None if options.before is None else read_report(options.before)
    graded = () if options.graded is None else read_graded(options.graded)
    passages = () if options.passages is None else read_labels(options.passages, must_exist=True)
    takes, pieces = _takes(options)
    folder = writable_folder(output / "cached")
    rater = _rater(options.bundle) if rater is None else rater
    material = Material(takes, pieces, graded, passages, options.seconds, options.seed)
    plan = planned(material, options.size)
    tasks = [RatingTask(case, rater, folder, options.is_cached_only) for case in plan.cases]
    with progress_bar("cases") as advance:
        found = list(options.engine.map(rate_case, tasks, advance))
    cases = [case for case in found if case is not None]
    report = report_of(cases, graded, _facts(options, rater, material, cases, plan))
    typer.echo(write_report(report, [row for case in cases for row in case.rows], output, before))


def _takes(options: ValidityOptions) -> tuple[Sequence[LabelRecord], list[str]]:
    takes = read_labels(options.takes, must_exist=True)
    names = {take.piece_id for take in takes}
    if options.pieces is None:
        return takes, sorted(names)
    pieces = read_names(options.pieces)
    if not names & set(pieces):
        raise InputError(
            options.pieces,
            f"names none of the pieces of {options.takes}",
            allowed="one piece_id per line",
        )
    return takes, pieces


def _rater(folder: Path | None) -> Rater:
    """The assessor of a bundle; its ratings depend on the bundle's files and on the code that rates."""
    bundle = load_bundle(folder)
    identity = f"{bundle.config.name} {bundle.config.version} {bundle.sha256}"
    return Rater(folder, f"{identity} {code_hash('tocco.inference.assessor')}", shared_assessor)


def _facts(
    options: ValidityOptions,
    rater: Rater,
    material: Material,
    cases: Sequence[CaseRows],
    plan: Plan,
) -> Mapping[str, str]:
    """What was assessed, by what."""
    from tocco.training.run_folder import revision  # it loads the training libraries

    name, version, sha256 = rater.identity.split(" ")[:3]
    size = options.size
    facts = {
        "made": f"{datetime.now(UTC).date()}, revision {revision()}",
        "bundle": f"{name} {version}, sha256 {sha256[:16]}",
        "takes": f"{options.takes.name}, sha256 {sha256_of(options.takes)[:16]}; one of each of "
        f"{size.n_excerpts} pieces damaged, {size.n_professionals} undamaged, {options.seconds:g} s each, "
        f"seed {options.seed}",
        "pieces": "all" if options.pieces is None else f"{options.pieces.name}, {len(material.pieces)} names",
        "cases": f"{len(cases)} of {len(plan.cases)} planned"
        + ("" if len(cases) == len(plan.cases) else "; the others were not cached"),
    }
    if plan.passed_over:
        reasons = "; ".join(f"{take} ({reason})" for take, reason in plan.passed_over.items())
        facts["takes without an excerpt, others in their place"] = reasons
    if options.graded is not None:
        facts["graded"] = f"{options.graded.name}, {_described(material.graded)}"
    if options.passages is not None:
        facts["passages"] = f"{options.passages.name}, sha256 {sha256_of(options.passages)[:16]}"
    return facts


def _described(graded: Sequence[GradedTake]) -> str:
    return f"{len(graded)} takes of {len({take.piece for take in graded})} pieces"
