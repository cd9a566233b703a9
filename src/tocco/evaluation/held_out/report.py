"""Files of an evaluation.

`write_evaluation` writes to one folder
   metrics.md, metrics.csv      every metric of the network and of the baselines; the CSV has all of them
   predictions.csv              every excerpt and dimension: rated, predicted, interval, raters' sd
   errors.csv                   errors by work, passage, player and level of the rating
   scatter.png                  predicted against rated
   dimensions.png               correlation of every dimension beside the highest honest one
   reliability.png              observed against nominal coverage, with the band of a perfect model
   attention/                   heat maps of the attention of ten excerpts
   worst_cases.md, worst_cases/ the largest errors, with sound and notes

The same evaluation and seed give the same bytes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

import numpy as np

from tocco.evaluation.cross_validation.all_baselines import LINEAR, TREES
from tocco.evaluation.cross_validation.figures import scatter_figure
from tocco.evaluation.cross_validation.protocols import NETWORK
from tocco.evaluation.cross_validation.summary import LEAST_CLUSTERS
from tocco.evaluation.held_out.errors_by_group import GroupError, errors_by_group, errors_csv
from tocco.evaluation.held_out.evaluation import Evaluation
from tocco.evaluation.held_out.figures import ceiling_figure, reliability_figure
from tocco.evaluation.held_out.metrics_table import (
    LEGEND,
    Metrics,
    compute_metrics,
    family_tables,
    figure,
    metrics_csv,
    shown,
    target_table,
)
from tocco.evaluation.held_out.tables import predictions_csv
from tocco.evaluation.held_out.worst_cases import write_worst_cases
from tocco.evaluation.markdown import table
from tocco.evaluation.png import save_png
from tocco.files import writable_folder, write_bytes
from tocco.metrics import Score
from tocco.report.attention_picture import draw_heat_map
from tocco.units import FloatArray

ATTENTION_FOLDER: Final = "attention"
N_EXAMPLES: Final = 10

_CALIBRATION_ROWS: Final = {
    "coverage_50": "50 % interval covers",
    "coverage_80": "80 % interval covers",
    "coverage_90": "90 % interval covers",
    "width_90": "width of the 90 % interval",
    "calibration_error": "ECE of central intervals",
    "calibration_error_p95": "ECE that a perfect model exceeds in 1 of 20",
    "quantile_calibration_error": "ECE of quantiles",
    "ence": "ENCE",
    "ence_p95": "ENCE that a perfect model exceeds in 1 of 20",
    "mean_squared_z": "mean z²",
    "sharpness": "sharpness (mean sd)",
    "sd_spread": "spread of the sd (coefficient of variation)",
    "gaussian_crps": "CRPS",
}
_MOST_PASSAGES: Final = 5

FEW_CLUSTERS: Final = 10
"""Below, percentile intervals over draws of clusters are too narrow."""

Step = Callable[[str], object]
"""Called with the name of a file before it is written."""


def write_evaluation(
    found: Evaluation,
    folder: Path,
    title: str,
    provenance: Mapping[str, str],
    generator: np.random.Generator,
    step: Step = lambda name: None,
) -> str:
    """Write tables and pictures; see the module.

    Parameters
    ----------
    found
    folder
        Made if it is missing.
    title
        First line of `metrics.md`.
    provenance : name -> value, printed in this order
    generator
        Of the bootstrap and the null distributions.
    step

    Returns
    -------
    The text of `metrics.md`.

    Raises
    ------
    OutputError
        A file cannot be written.
    """
    writable_folder(folder)
    step("predictions.csv")
    write_bytes(folder / "predictions.csv", predictions_csv(found).encode())
    step("metrics.csv")
    metrics = compute_metrics(found, generator)
    write_bytes(folder / "metrics.csv", metrics_csv(metrics).encode())
    errors = errors_by_group(found)
    write_bytes(folder / "errors.csv", errors_csv(errors).encode())
    step("pictures")
    _write_figures(found, metrics, folder, generator)
    step(ATTENTION_FOLDER)
    pictures = _write_attention(found, folder)
    step("worst_cases.md")
    write_worst_cases(found, folder)
    text = _markdown(found, metrics, errors, pictures, title, provenance)
    write_bytes(folder / "metrics.md", text.encode())
    return text


def _write_figures(found: Evaluation, metrics: Metrics, folder: Path, generator: np.random.Generator) -> None:
    result = found.result
    r = {system: _row(scores, "pearson_r") for system, scores in metrics.scores.items()}
    r2 = _row(metrics.scores[NETWORK], "r2")
    captions = {
        name: f"r {figure(r[NETWORK][d], 'r')}, R2 {figure(r2[d], 'r2')}"
        for d, name in enumerate(result.names)
    }
    mean = result.predictions[NETWORK]
    save_png(
        scatter_figure(result.names, result.labels, mean, result.is_score, captions), folder / "scatter.png"
    )
    ceiling = np.sqrt([found.reliability.get(name, math.nan) for name in result.names])
    others = {name: values for name, values in r.items() if name in (LINEAR, TREES)}
    save_png(ceiling_figure(result.names, r[NETWORK], others, ceiling), folder / "dimensions.png")
    sds = {
        "sd as predicted": result.sd[NETWORK],
        f"sd scaled on {found.intervals.fitted_on}": found.intervals.sigma,
    }
    save_png(reliability_figure(result.labels, mean, sds, generator), folder / "reliability.png")


def _row(scores: Mapping[str, Mapping[str, Score]], metric: str) -> FloatArray:
    """(D,) a metric of every dimension, NaN where it is undefined."""
    values = [of[metric] for of in scores.values()]
    return np.array([value if isinstance(value, float) else math.nan for value in values])


def _write_attention(found: Evaluation, folder: Path) -> list[str]:
    """A heat map of each example, in the order of the raters' mean; returns their names in the folder."""
    if not found.attention:
        return []
    place = writable_folder(folder / ATTENTION_FOLDER)
    names = []
    for segment, over_time in found.attention.items():
        names.append(f"{ATTENTION_FOLDER}/{segment}.png")
        draw_heat_map(over_time, place / f"{segment}.png")
    return names


def _markdown(
    found: Evaluation,
    metrics: Metrics,
    errors: Sequence[GroupError],
    pictures: Sequence[str],
    title: str,
    provenance: Mapping[str, str],
) -> str:
    result = found.result
    n_clusters, n_works = len(np.unique(result.clusters)), len({one.record.work_id for one in found.records})
    lines = [f"# {title}", "", *(f"- {what}: {which}" for what, which in provenance.items()), ""]
    lines += [
        f"{len(result)} excerpts ({int((~result.is_score).sum())} by pianists) in {n_clusters} clusters of "
        f"shared music, of {n_works} works; {found.n_train} excerpts to train on. {NETWORK} is the network. "
        f"Intervals are scaled on {found.intervals.fitted_on}.",
        "",
        LEGEND,
        "",
    ]
    if n_clusters < FEW_CLUSTERS:
        none = "; there are no intervals" if n_clusters < LEAST_CLUSTERS else ""
        lines += [f"**{n_clusters} clusters are few**{none}: other music can give other figures.", ""]
    lines += ["## Network and baselines", "", *family_tables(metrics)]
    lines += [f"Left out: {name}, since {reason}." for name, reason in found.undefined.items()]
    lines += ["", *_aggregate_table(metrics), "## Dimensions", ""]
    lines += target_table(metrics, found.reliability)
    lines += _pictures("![Correlation of every dimension](dimensions.png)", "![Scatter](scatter.png)")
    lines += ["## Calibration", "", *_calibration_table(metrics)]
    lines += _pictures("![Reliability](reliability.png)")
    lines += [
        "## Where it errs",
        "",
        *_error_tables(errors),
        "The largest errors: [worst cases](worst_cases.md).",
        "",
    ]
    if pictures:
        lines += ["## Attention", ""]
        lines += _pictures(*(f"![Attention]({name})" for name in pictures))
    return "\n".join(lines)


def _pictures(*images: str) -> list[str]:
    return [line for image in images for line in (image, "")]


def _aggregate_table(metrics: Metrics) -> list[str]:
    columns = {
        "reliability_weighted_r": "r weighted by reliability",
        "overall_mae": "MAE of all labels",
        "reliability_weighted_r_by_piece": "the same r, a piece a row",
        "overall_mae_by_piece": "the same MAE",
    }
    rows = [
        [system, *(shown(figures[c], "mae" if "mae" in c else "r") if c in figures else "–" for c in columns)]
        for system, figures in metrics.aggregate.items()
    ]
    return ["Over all dimensions:", "", *table(["system", *columns.values()], rows)]


def _calibration_table(metrics: Metrics) -> list[str]:
    figures = metrics.calibration["all"]
    in_points = {"width_90", "sharpness", "gaussian_crps"}
    rows = [
        [title, shown(figures[name], "mae" if name in in_points else "share")]
        for name, title in _CALIBRATION_ROWS.items()
    ]
    lines = table(["all dimensions pooled", NETWORK], rows)
    return [
        *lines,
        "A perfect model is taken to have independent labels. Those of one excerpt depend on each other, so "
        "that it would exceed these errors more often; the band of the picture counts an excerpt once.",
        "",
    ]


def _error_tables(errors: Sequence[GroupError]) -> list[str]:
    """By level, player and work; then the passages with the largest errors."""
    header = ["group", "n", "MAE", "bias", "MAE of the constant"]
    lines: list[str] = []
    for by, heading in {
        "rating": "By level of the rating (labels)",
        "player": "By player",
        "work": "By work",
        "passage": f"Passages with the largest errors ({_MOST_PASSAGES} at most)",
    }.items():
        rows = [row for row in errors if row.by == by]
        if by == "passage":
            rows = sorted(rows, key=lambda row: -row.mae)[:_MOST_PASSAGES]
        cells = [
            [row.group, str(row.n), f"{row.mae:.2f}", f"{row.bias:+.2f}", f"{row.constant_mae:.2f}"]
            for row in rows
        ]
        if cells:
            lines += [f"{heading}:", "", *table(header, cells)]
    return lines
