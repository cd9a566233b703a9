"""Every metric of an evaluation in one table, and the same for people to read."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from tocco.evaluation.cross_validation.protocols import NETWORK
from tocco.evaluation.cross_validation.summary import EVERYONE, METRICS, PartSummary, summarise_part
from tocco.evaluation.held_out.evaluation import Evaluation
from tocco.evaluation.held_out.tables import (
    METRICS_HEADER,
    RATERS,
    aggregate_scores,
    as_csv,
    calibration_scores,
    ceiling_scores,
    cell,
    families_of,
    scores_of_systems,
)
from tocco.evaluation.markdown import table
from tocco.metrics import Score, Undefined

N_DRAWS: Final = 2000

_POINTS: Final = ("mae", "rmse")
_SHOWN: Final = {"pearson_r": "r", "r2": "R2", "mae": "MAE", "mae_skill": "skill", "pair_accuracy": "pairs"}
_TARGET_COLUMNS: Final = {
    "pearson_r": "r",
    "spearman_rho": "rho",
    "kendall_tau_b": "tau",
    "ccc": "CCC",
    "r2": "R2",
    "mae": "MAE",
    "rmse": "RMSE",
    "mae_skill": "skill",
    "pair_accuracy": "pairs",
    "pair_accuracy_within": "same passage",
    "range_accuracy_0": "range 0",
    "range_accuracy_5": "range 5",
    "range_accuracy_10": "range 10",
}

LEGEND: Final = """\
r, R2, MAE in rating points of 0 to 100; skill is 1 - MAE / MAE of the constant; pairs: how often the better \
rated of two excerpts is predicted higher, .5 is guessing. Range 0, 5, 10: inside the raters' interquartile \
range, widened by so many points at both ends. In brackets: 95 % intervals from 2,000 draws of whole \
clusters of shared music. A dash: not defined, the reason is in metrics.csv."""


@dataclass(frozen=True, eq=False)
class Metrics:
    """All figures of an evaluation.

    Attributes
    ----------
    scores : system -> dimension -> metric -> figure
    calibration : dimension, or "all" -> metric of the network -> figure
    aggregate : system -> metric over all dimensions -> figure
    ceiling : dimension -> metric of the raters -> figure
    summary : means over families with intervals, and differences to the network
    """

    scores: Mapping[str, Mapping[str, Mapping[str, Score]]]
    calibration: Mapping[str, Mapping[str, Score]]
    aggregate: Mapping[str, Mapping[str, Score]]
    ceiling: Mapping[str, Mapping[str, Score]]
    summary: PartSummary


def compute_metrics(found: Evaluation, generator: np.random.Generator) -> Metrics:
    """Compute every figure.

    Parameters
    ----------
    found
    generator
        Of the bootstrap and the null distributions.
    """
    scores = scores_of_systems(found)
    return Metrics(
        scores=scores,
        calibration=calibration_scores(found, generator),
        aggregate=aggregate_scores(found, scores),
        ceiling=ceiling_scores(found),
        summary=summarise_part(found.result, EVERYONE, NETWORK, generator, N_DRAWS, families_of),
    )


def metrics_csv(metrics: Metrics) -> str:
    """One row a system, dimension (or family) and metric; a figure that is not defined has its reason."""
    rows: list[Sequence[str]] = []
    n_targets = len(metrics.summary.names)
    for (family, system), interval in metrics.summary.means.items():
        n = str(int(metrics.summary.families[family].sum()))
        rows += _with_ends(system, f"mean of {family}", n, interval)
    for (family, system), interval in metrics.summary.gains.items():
        n = str(int(metrics.summary.families[family].sum()))
        rows += _with_ends(f"{NETWORK} minus {system}", f"mean of {family}", n, interval)
    for system, figures in metrics.aggregate.items():
        rows += _plain(system, "all", str(n_targets), figures)
    for name, figures in metrics.calibration.items():
        rows += _plain(NETWORK, name, _count(figures), figures)
    for system, by_name in metrics.scores.items():
        for name, figures in by_name.items():
            rows += _plain(system, name, _count(figures), figures)
    for name, figures in metrics.ceiling.items():
        rows += _plain(RATERS, name, _count(metrics.scores[NETWORK][name]), figures)
    return as_csv(METRICS_HEADER, rows)


def _with_ends(system: str, what: str, n: str, interval: object) -> Iterable[Sequence[str]]:
    value, low, high = (getattr(interval, end) for end in ("value", "low", "high"))
    for m, metric in enumerate(METRICS):
        ends = ["" if math.isnan(one[m]) else f"{one[m]:.6f}" for one in (value, low, high)]
        reason = "undefined for a dimension that has labels" if math.isnan(value[m]) else ""
        yield (system, what, n, metric, *ends, reason)


def _plain(system: str, what: str, n: str, figures: Mapping[str, Score]) -> Iterable[Sequence[str]]:
    for metric, value in figures.items():
        if metric != "n":
            figure, reason = cell(value)
            yield (system, what, n, metric, figure, "", "", reason)


def _count(figures: Mapping[str, Score]) -> str:
    n = figures["n"]
    return "" if isinstance(n, Undefined) else f"{n:.0f}"


def family_tables(metrics: Metrics) -> list[str]:
    """Lines of the tables of means over families, a system a row, and of differences to the network."""
    lines: list[str] = []
    for family in metrics.summary.families:
        rows = [
            [system, *(_ends(interval, metric) for metric in _SHOWN)]
            for (of_family, system), interval in metrics.summary.means.items()
            if of_family == family
        ]
        lines += [f"Mean of {family}:", "", *table(["system", *_SHOWN.values()], rows)]
    family = next(iter(metrics.summary.families))
    gains = [
        [system, *(_ends(interval, metric) for metric in _SHOWN)]
        for (of_family, system), interval in metrics.summary.gains.items()
        if of_family == family
    ]
    if gains:
        lines += [f"{NETWORK} minus each other system, mean of {family}, on the same draws:", ""]
        lines += table(["against", *_SHOWN.values()], gains)
    return lines


def _ends(interval: object, metric: str) -> str:
    value, low, high = (
        float(getattr(interval, end)[METRICS.index(metric)]) for end in ("value", "low", "high")
    )
    ends = "" if math.isnan(low) else f" [{figure(low, metric)}, {figure(high, metric)}]"
    return figure(value, metric) + ends


def target_table(metrics: Metrics, reliability: Mapping[str, float]) -> list[str]:
    """Lines of the table of the network, a dimension a row, beside the human ceiling."""
    own = metrics.scores[NETWORK]
    metric_names = [name for name in _TARGET_COLUMNS if name in next(iter(own.values()))]
    header = ["dimension", "n", *(_TARGET_COLUMNS[name] for name in metric_names)]
    header += ["90 % covers", "width", "highest honest r", "raters: range 0"]
    rows = []
    for name, figures in own.items():
        calibration = metrics.calibration[name]
        ceiling = math.sqrt(reliability[name]) if name in reliability else math.nan
        row = [name, _count(figures), *(shown(figures[m], m) for m in metric_names)]
        row += [shown(calibration["coverage_90"], "coverage"), shown(calibration["width_90"], "mae")]
        row += [
            figure(ceiling, "r"),
            shown(metrics.ceiling.get(name, {}).get("range_accuracy_0", math.nan), "r"),
        ]
        rows.append(row)
    return table(header, rows)


def shown(value: Score, metric: str) -> str:
    """A figure, or a dash where it is not defined."""
    return "–" if isinstance(value, Undefined) else figure(value, metric)


def figure(value: float, metric: str) -> str:
    """Three decimals for shares, two for rating points, a dash for nothing."""
    if math.isnan(value):
        return "–"
    text = f"{value:.2f}" if metric in _POINTS else f"{value:.3f}"
    return text.replace("-0.000", "0.000").replace("-0.00", "0.00") if float(text) == 0.0 else text
