"""`tocco statistics fit-perception`: the predictor of perception without damage, into a bundle."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

import numpy as np
import typer

from tocco.apps.progress import progress_bar
from tocco.data.damaged_copies import COPIES
from tocco.data.records import read_labels
from tocco.errors import UsageError
from tocco.evaluation.cross_validation.perception import (
    COMBINED,
    KERNEL,
    N_FORESTS,
    PERCEPTION,
    TREES,
    WITHHELD,
    base_sd,
    fit_perception,
    perception_result,
)
from tocco.evaluation.cross_validation.protocols import calibration_of
from tocco.evaluation.cross_validation.rated_excerpts import NAMES, measure_rated_excerpts
from tocco.evaluation.cross_validation.report import write_report
from tocco.evaluation.cross_validation.result import CrossValidationResult
from tocco.files import sha256_of, writable_folder
from tocco.inference.bundle import (
    CARD,
    NETWORK,
    PREDICTORS,
    BundleCalibration,
    BundleConfig,
    ListedPredictor,
    load_bundle,
    save_bundle,
)
from tocco.inference.intervals import IntervalCalibration
from tocco.models.damage_invariant_ridge import INVARIANCE, RIDGE_PENALTY
from tocco.models.registry import load_predictor
from tocco.music.corruption import HELD_OUT_KINDS
from tocco.rubrics import DESCRIPTORS

FOLDERS = (KERNEL, TREES)
CARD_HEADING = "## Perception and deductions"


def fit_perception_into(
    bundle: Path,
    labels: Path,
    output: Path,
    results: Path,
    *,
    cache: Path,
    seed: int,
    jobs: int,
    version: str | None = None,
) -> None:
    """Cross-validate, write tables and figures, fit to every excerpt, and write the bundle.

    Parameters
    ----------
    bundle : whose network and other predictors are taken over; those rate the descriptors from now on
    labels : listeners' ratings
    output : folder of the new bundle; may be that of the old one
    results : folder of the tables
    cache : folder of what is measured, for a run that is resumed
    seed : of the damaged copies
    jobs
    version : of the new bundle; that of the old one if None
    """
    if jobs < 1:
        raise UsageError("--jobs", f"is {jobs}", allowed="1 or more")
    writable_folder(output)
    writable_folder(results)
    given = load_bundle(bundle)
    card = (bundle / CARD).read_text(encoding="utf-8")
    records = read_labels(labels)
    with progress_bar("measuring") as advance:
        excerpts = measure_rated_excerpts(records, cache, seed=seed, jobs=jobs, progress=advance)
    with progress_bar("learning") as advance:
        result = perception_result(records, excerpts, jobs=jobs, progress=advance)
    _report(result, labels, results, seed=seed)
    others = {
        one.name: load_predictor(bundle / PREDICTORS / one.name)
        for one in given.config.predictors
        if one.name not in (NETWORK, *FOLDERS)
    }
    facts = {"labels_sha256": sha256_of(labels), "n_records": len(records), "seed": seed}
    fitted = fit_perception(excerpts, np.arange(len(records)))
    fitted = fitted.with_sd(base_sd(result.predictions, excerpts))
    intervals = calibration_of(result, records, COMBINED)
    sha256 = save_bundle(
        output,
        _config(given.config, facts, version),
        _calibration(given.calibration, intervals),
        given.network,
        _card(
            _of_version(card, given.config.name, version),
            facts,
            (results / "cross_validation.md").read_text(encoding="utf-8"),
        ),
        {**others, **fitted.predictors()},
    )
    typer.echo(f"{output}: sha256 {sha256}")


def _report(result: CrossValidationResult, labels: Path, results: Path, *, seed: int) -> None:
    """Tables and figures of the held-out ratings, and the ratings themselves."""
    result.save(results / "predictions")
    write_report(
        result,
        results,
        "Nine dimensions: perception less deductions",
        {
            "labels": f"{len(result)} excerpts, sha256 {sha256_of(labels)[:16]}",
            "protocol": "cv4_cluster",
            "command": "tocco statistics fit-perception BUNDLE --labels LABELS -o BUNDLE "
            f"--results {results.name}",
            COMBINED: "the rating that people see: perception less the deductions",
            PERCEPTION: f"mean of a kernel ridge (alpha {RIDGE_PENALTY:g}, damage weighted {INVARIANCE:g} "
            f"in its metric) and of {N_FORESTS} forests that have learned from damaged copies too",
            f"...{WITHHELD}": "measured and learned without the score",
        },
        main=COMBINED,
        generator=np.random.default_rng(seed),
    )


def _config(config: BundleConfig, facts: dict[str, object], version: str | None) -> BundleConfig:
    others = [one for one in config.predictors if one.name not in (NETWORK, *FOLDERS)]
    network = next(one for one in config.predictors if one.name == NETWORK)
    listed = (
        network.model_copy(update={"weight": 0.0}),  # damage moves it: it shapes the curve alone
        *(one.model_copy(update={"targets": DESCRIPTORS}) for one in others),
        *(ListedPredictor(name=name, weight=1.0, targets=NAMES) for name in FOLDERS),
    )
    about = {**facts, "copies": COPIES, "held_out_damage": list(HELD_OUT_KINDS), "invariance": INVARIANCE}
    return config.model_copy(
        update={
            "version": version or config.version,
            "predictors": listed,
            "training": {**config.training, "perception": about},
        }
    )


def _calibration(calibration: BundleCalibration, nine: IntervalCalibration) -> BundleCalibration:
    """The intervals of the nine dimensions are those of the combined rating."""
    dimensions = {**calibration.intervals.dimensions, **nine.dimensions}
    merged = calibration.intervals.model_copy(update={"dimensions": dimensions})
    return calibration.model_copy(update={"intervals": merged, "windows": calibration.window_intervals})


def _of_version(card: str, name: str, version: str | None) -> str:
    """The card with the version in its title."""
    title, _, rest = card.partition("\n")
    return f"{title if version is None else f'# {name} {version}'}\n{rest}"


def _card(card: str, facts: dict[str, object], figures: str) -> str:
    """The card with a section on perception, in place of an earlier one."""
    template = resources.files("tocco.evaluation.cross_validation") / "perception_card.md"
    section = template.read_text(encoding="utf-8").format(
        **facts,
        copies=COPIES,
        held_out=", ".join(HELD_OUT_KINDS),
        invariance=INVARIANCE,
        figures="\n".join(f"###{line}" if line.startswith("#") else line for line in figures.splitlines()),
    )
    before, _, _ = card.partition(CARD_HEADING)
    return before.rstrip("\n") + "\n\n" + section
