"""`tocco benchmark calibration`: methods that calibrate intervals, compared on held-out predictions."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import typer

from tocco.evaluation.interval_calibration.compare import compare, distributions
from tocco.evaluation.interval_calibration.methods import METHODS
from tocco.evaluation.interval_calibration.picture import diagrams
from tocco.evaluation.interval_calibration.predictions import read_predictions
from tocco.evaluation.interval_calibration.report import write_comparison
from tocco.files import sha256_of, writable_folder

DRAWN = ("as predicted", "temperature", "isotonic", "conformal", "conformal without sd")
"""Methods in the reliability diagram."""


def compare_calibration(predictions: Path, output: Path, *, seed: int) -> None:
    """Write the tables, the page and the picture; print the conclusion.

    Parameters
    ----------
    predictions : CSV of held-out predictions
    output : folder
    seed : of the draws of clusters and of perfect models
    """
    given = read_predictions(predictions)
    writable_folder(output)
    generator = np.random.default_rng(seed)
    rows = compare(given, METHODS, generator)
    found = distributions(given, generator)
    drawn = diagrams(given, [method for method in METHODS if method.name in DRAWN], generator)
    counts = {name: len(np.unique(getattr(given, name))) for name in ("segment", "dimension", "work")}
    clusters = {
        str(split): len(np.unique(given.cluster[given.split == split])) for split in np.unique(given.split)
    }
    header = (
        ("predictions", f"{len(given)}, sha256 {sha256_of(predictions)[:16]}"),
        ("of", ", ".join(f"{n} {name}s" for name, n in counts.items())),
        ("clusters", ", ".join(f"{n} {split}".strip() for split, n in clusters.items())),
        ("command", f"tocco benchmark calibration --predictions CSV -o {output.name} --seed {seed}"),
    )
    text = write_comparison(output, rows, found, drawn, METHODS, header)
    typer.echo(text.split("\n")[2])
    typer.echo(f"{output}: tables, page and reliability diagram")
