"""`tocco benchmark trees`: boosted trees as a baseline of the network."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import numpy as np
import typer

from tocco.apps.progress import progress_bar
from tocco.data.records import read_labels
from tocco.data.splits import BARRIERS, Protocol
from tocco.errors import UsageError
from tocco.evaluation.cross_validation.report import write_report
from tocco.evaluation.cross_validation.shallow_models import (
    BLEND,
    KERNEL,
    TREES,
    measure_excerpts,
    shallow_model_result,
)
from tocco.files import sha256_of, writable_folder
from tocco.models.boosted_trees import N_FORESTS, N_TREES
from tocco.models.statistics_models import KERNEL_ALPHA, RIDGE_ALPHA
from tocco.music.statistics import STATISTICS

SEED = 0
"""Seed of the bootstrap."""


def benchmark_trees(labels: Path, output: Path, *, protocol: str, as_published: bool, jobs: int) -> None:
    """Cross-validate trees on statistics; write the same tables and figures as `tocco evaluate`."""
    if protocol not in BARRIERS:
        raise UsageError("--protocol", f"is {protocol!r}", allowed=", ".join(BARRIERS))
    writable_folder(output)
    records = read_labels(labels)
    with progress_bar("measuring") as advance:
        measured = measure_excerpts(records, jobs=jobs, progress=advance)
    refused = sum(map(bool, measured.score_refusal))
    with progress_bar("learning") as advance:
        result = shallow_model_result(
            records,
            measured,
            cast(Protocol, protocol),
            as_published=as_published,
            jobs=jobs,
            progress=advance,
        )
    result.save(output / "predictions")
    untested = int(np.count_nonzero(result.fold < 0))
    write_report(
        result,
        output,
        f"Trees on statistics of whole excerpts, {protocol}" + (" as published" if as_published else ""),
        {
            "labels": f"{len(records)} excerpts, sha256 {sha256_of(labels)[:16]}",
            "protocol": f"{protocol}; {untested} excerpts (such as score renderings under new pianists) "
            "are not tested",
            "command": f"tocco benchmark trees --labels LABELS -o {output.name} --protocol {protocol}"
            + (" --as-published (leaks; for comparison only)" if as_published else ""),
            "statistics": f"{len(STATISTICS)}, {sum(s.needs_score for s in STATISTICS)} of them relative to "
            f"the score; {refused} scores refused as those of other music",
            TREES: f"LightGBM, mean of {N_FORESTS} forests of {N_TREES} trees per target; settings in "
            "`tocco.models.boosted_trees`",
            BLEND: f"mean of {TREES} and {KERNEL} (Gaussian, alpha {KERNEL_ALPHA:g})",
            "ridge, statistics": f"alpha {RIDGE_ALPHA:g}",
        },
        main=TREES,
        generator=np.random.default_rng(SEED),
    )
    typer.echo((output / "cross_validation.md").read_text(encoding="utf-8"))
