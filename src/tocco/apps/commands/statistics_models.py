"""`tocco statistics ...` and `tocco benchmark statistics`: predictors that rate a whole performance."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import numpy as np
import typer

from tocco.apps.commands.reference_pool import facts_of, named_pieces
from tocco.apps.progress import progress_bar
from tocco.data.records import read_labels
from tocco.data.reference_windows import WindowPlan, read_windows
from tocco.data.splits import BARRIERS, Protocol
from tocco.errors import UsageError
from tocco.evaluation.cross_validation.measured_excerpts import measure_excerpts
from tocco.evaluation.cross_validation.report import write_report
from tocco.evaluation.cross_validation.result import CrossValidationResult
from tocco.evaluation.cross_validation.statistics_bundle import (
    card_with_members,
    fit_shipped_members,
    with_members,
)
from tocco.evaluation.cross_validation.statistics_rating import (
    BLEND,
    KERNEL,
    NORM_NAMES,
    TREES,
    WITHHELD,
    StatisticsResult,
    statistics_result,
)
from tocco.evaluation.norm_facts import NormFacts
from tocco.files import read_text, sha256_of, writable_folder
from tocco.inference.bundle import CARD, load_bundle, save_bundle
from tocco.models.boosted_trees import N_FORESTS, N_TREES
from tocco.models.predictor import StatisticsTable
from tocco.models.statistics_norms import StatisticsNorms, fit_statistics_norms
from tocco.music.measures import MEASURES

CACHE = "statistics_cache"
"""Folder beside that of an evaluation: measures and held-out ratings, for a run that is resumed."""

WINDOWS = "windows"
"""Folder of the measured windows, beside the norms."""


def fit_norms(
    manifest: Path, output: Path, *, pieces: Path | None, per_performance: int, seed: int, jobs: int
) -> None:
    """Measure windows of unrated performances, and fit the norms to them.

    Parameters
    ----------
    manifest : beat-annotated performances with MIDI and score MIDI
    output : folder of the norms; its folder `windows` holds what is measured, for a run that is resumed
    pieces : a file that names the pieces to use, one per line; None for all
    per_performance, seed : of the windows
    jobs

    Raises
    ------
    InputError
        A file or a named piece is missing, or a record lacks a file.
    """
    records = read_labels(manifest, must_exist=True)
    chosen = list(records) if pieces is None else named_pieces(records, pieces, manifest)
    chosen.sort(key=lambda record: record.segment_id)
    writable_folder(output)
    plan = WindowPlan(per_performance, seed)
    with progress_bar("measuring") as advance:
        windows = read_windows(chosen, plan, output / WINDOWS, jobs=jobs, progress=advance)
    for refusal in windows.refusals:
        typer.echo(f"left out: {refusal}")
    reference = StatisticsTable(MEASURES, windows.measures)
    fit_statistics_norms(NORM_NAMES, reference, np.random.default_rng(seed)).save(output)
    used = set(windows.used.tolist())
    facts = facts_of([r for r in chosen if r.segment_id in used], sha256_of(manifest), seed=seed)
    n_windows = len(windows.measures)
    NormFacts(**facts, n_windows=n_windows, windows_per_performance=per_performance).save(output)
    typer.echo(
        f"{output}: {n_windows} windows of {len(used)} performances of {len(np.unique(windows.piece))} pieces"
    )


def benchmark(labels: Path, norms: Path, output: Path, *, protocol: str, seed: int, jobs: int) -> None:
    """Cross-validate the members and their blend; write tables, figures and the held-out ratings."""
    if protocol not in BARRIERS:
        raise UsageError("--protocol", f"is {protocol!r}", allowed=", ".join(BARRIERS))
    writable_folder(output)
    records = read_labels(labels)
    fitted, facts = StatisticsNorms.load(norms), NormFacts.load(norms)
    with progress_bar("measuring") as advance:
        measured = measure_excerpts(
            records, cache_dir=output.parent / CACHE / "measures", jobs=jobs, progress=advance
        )
    with progress_bar("learning") as advance:
        found = statistics_result(
            records,
            measured,
            fitted,
            cast(Protocol, protocol),
            seed=seed,
            cache_dir=output.parent / CACHE,
            jobs=jobs,
            progress=advance,
        )
    found.result.save(output / "predictions")
    write_report(
        found.result,
        output,
        f"Statistics of whole excerpts against norms, {protocol}",
        {
            "labels": f"{len(records)} excerpts, sha256 {sha256_of(labels)[:16]}",
            "protocol": f"{protocol}; {int(np.count_nonzero(found.result.fold < 0))} excerpts are not tested",
            "command": f"tocco benchmark statistics --labels LABELS --norms NORMS -o {output.name} "
            f"--protocol {protocol} --seed {seed}",
            "norms": f"{facts.n_windows} windows of {facts.n_performances} performances of "
            f"{len(facts.pieces)} pieces, seed {facts.seed}",
            TREES: f"LightGBM, mean of {N_FORESTS} forests of {N_TREES} trees per target",
            KERNEL: f"settings chosen inside each training side: {_settings_text(found)}",
            BLEND: "mean of the two",
            f"...{WITHHELD}": "tested without the score, by members that have learned without it",
        },
        main=BLEND,
        generator=np.random.default_rng(seed),
    )
    typer.echo((output / "cross_validation.md").read_text(encoding="utf-8"))


def fit(
    bundle: Path,
    labels: Path,
    norms: Path,
    evaluation: Path,
    output: Path,
    *,
    network_weight: float,
    seed: int,
    jobs: int,
) -> None:
    """Fit both members to every excerpt, and write a bundle that has them beside its network.

    Parameters
    ----------
    bundle : whose network, range of application and card are taken over
    labels, norms
    evaluation : folder that `benchmark` wrote, by clusters of shared music
    output : folder of the new bundle; may be that of the old one
    network_weight : of the network's rating, each of the others having 1
    seed : of the inner folds
    jobs
    """
    writable_folder(output)
    given = load_bundle(bundle)
    card = (bundle / CARD).read_text(encoding="utf-8")
    records = read_labels(labels)
    fitted, facts = StatisticsNorms.load(norms), NormFacts.load(norms)
    held_out = CrossValidationResult.load(evaluation / "predictions")
    figures = read_text(evaluation / "cross_validation.md")
    with progress_bar("measuring") as advance:
        measured = measure_excerpts(
            records, cache_dir=evaluation.parent / CACHE / "measures", jobs=jobs, progress=advance
        )
    cache = evaluation.parent / CACHE / "fitted"
    members = fit_shipped_members(records, measured, fitted, held_out, seed=seed, cache_dir=cache)
    about = {
        "labels_sha256": sha256_of(labels),
        "n_records": len(records),
        "seed": seed,
        "network_weight": network_weight,
    }
    config, calibration = with_members(given.config, given.calibration, members, facts, **about)
    text = card_with_members(card, members, facts, figures, **about)
    sha256 = save_bundle(output, config, calibration, given.network, text, members.predictors)
    typer.echo(f"{output}: sha256 {sha256}")


def _settings_text(found: StatisticsResult) -> str:
    """The settings of the kernel with a score, fold by fold."""
    return "; ".join(
        f"alpha {with_score.alpha:g}, width {with_score.width:g}, linear {with_score.linear:g}"
        for with_score, _ in found.settings
    )
