"""Summary of a run of pseudo-labels as an HTML page with audio clips.

`write_summary` leaves in one folder

    index.html          tables, figures and spot checks
    distributions.png   distribution of the ratings of each dimension
    ratings.csv         the same as numbers
    segments/           audio clip and piano roll of each spot check
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from tocco.data.records import LabelRecord
from tocco.evaluation.png import save_png
from tocco.evaluation.pseudo_labels.spot_check import SpotCheck
from tocco.files import write_bytes
from tocco.pseudo_labels.raters.registry import RATERS
from tocco.units import FloatArray

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LEAST_SD: Final = 8.0
"""Points. Labels that hardly differ are of no use for training: those of an earlier system had 0.1."""

PAGE: Final = "index.html"
_PERCENTILES = (0.0, 5.0, 25.0, 50.0, 75.0, 95.0, 100.0)
_CLEAN, _WORSE = "#1f5a8c", "#d9822b"

_STYLE = """\
body{font:15px/1.45 system-ui,sans-serif;max-width:62rem;margin:2rem auto;padding:0 1rem;color:#22262b}
table{border-collapse:collapse;margin:.6rem 0}td,th{padding:.15rem .6rem;text-align:right;
border-bottom:1px solid #dfe3e8}td:first-child,th:first-child{text-align:left}img{max-width:100%}
section{border-top:2px solid #dfe3e8;margin-top:1.5rem}audio{width:100%}
.no{color:#b03a2e}small{color:#6b737c}"""


@dataclass(frozen=True)
class Spread:
    """Distribution of the ratings of one dimension.

    Attributes
    ----------
    dimension
    n : rated segments
    mean, sd : points
    sd_within : points, over the segments of one performance, pooled
    percentiles : (7,) points at 0, 5, 25, 50, 75, 95, 100 %
    """

    dimension: str
    n: int
    mean: float
    sd: float
    sd_within: float
    percentiles: tuple[float, ...]

    @property
    def is_wide(self) -> bool:
        """Whether the labels distinguish segments."""
        return self.sd > LEAST_SD


def spreads(records: Sequence[LabelRecord]) -> list[Spread]:
    """Distribution of every technical dimension that was rated at least twice."""
    takes = np.array([str(record.midi_path) for record in records])
    found = []
    for name in RATERS:
        rated = np.array([name in record.labels for record in records], dtype=bool)
        if rated.sum() < 2:
            continue
        value = np.array([record.labels[name] for record in records if name in record.labels])
        found.append(
            Spread(
                dimension=name,
                n=len(value),
                mean=float(value.mean()),
                sd=float(value.std(ddof=1)),
                sd_within=_sd_within(value, takes[rated]),
                percentiles=tuple(float(p) for p in np.percentile(value, _PERCENTILES)),
            )
        )
    return found


def _sd_within(value: FloatArray, group: np.ndarray) -> float:
    """Pooled standard deviation around the mean of each group; 0 where every group has one member."""
    _, index = np.unique(group, return_inverse=True)
    size = np.bincount(index)
    off = value - (np.bincount(index, value) / size)[index]
    freedom = len(value) - len(size)
    return float(np.sqrt((off**2).sum() / freedom)) if freedom else 0.0


def distribution_figure(records: Sequence[LabelRecord], is_worse: Sequence[bool]) -> Figure:
    """Histograms of the ratings, one panel a dimension.

    Parameters
    ----------
    records
    is_worse : for each record, whether its performance was corrupted
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9.0, 5.0), layout="constrained")
    edges = np.arange(0.0, 101.0, 4.0).tolist()
    for place, name in enumerate(RATERS):
        axes = figure.add_subplot(2, 3, place + 1)
        groups = [
            [
                r.labels[name]
                for r, worse in zip(records, is_worse, strict=True)
                if name in r.labels and worse is which
            ]
            for which in (False, True)
        ]
        axes.hist(groups, bins=edges, stacked=True, color=[_CLEAN, _WORSE], label=["as played", "corrupted"])
        values = np.concatenate(groups)
        summary = f"sd {values.std(ddof=1):.1f}, n {len(values)}" if len(values) > 1 else "not rated"
        axes.set_title(f"{name}\n{summary}", fontsize=8)
        axes.tick_params(labelsize=7)
        axes.set_xlim(0, 100)
    figure.supxlabel("rating", fontsize=8)
    figure.supylabel("segments", fontsize=8)
    figure.legend(["as played", "corrupted"], fontsize=7, loc="outside upper right", ncols=2, frameon=False)
    return figure


def write_summary(
    records: Sequence[LabelRecord],
    is_worse: Sequence[bool],
    checks: Sequence[SpotCheck],
    facts: Mapping[str, str],
    refusals: Sequence[str],
    folder: Path,
) -> list[Spread]:
    """Write the summary; equal records give identical text.

    Parameters
    ----------
    records
    is_worse : for each record, whether its performance was corrupted
    checks : their clips and piano rolls are in `folder`/segments already
    facts : name -> value, shown above the tables
    refusals : performances that could not be rated, with reasons
    folder
    """
    found = spreads(records)
    folder.mkdir(parents=True, exist_ok=True)
    save_png(distribution_figure(records, is_worse), folder / "distributions.png")
    write_bytes(folder / "ratings.csv", _csv(found).encode())
    write_bytes(folder / PAGE, _page(found, checks, facts, refusals).encode())
    return found


def _csv(found: Sequence[Spread]) -> str:
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    percent = [f"p{p:g}" for p in _PERCENTILES]
    writer.writerow(["dimension", "segments", "mean", "sd", "sd_within_performance", *percent])
    for s in found:
        figures = [s.mean, s.sd, s.sd_within, *s.percentiles]
        writer.writerow([s.dimension, s.n, *(f"{value:.2f}" for value in figures)])
    return table.getvalue()


def _page(
    found: Sequence[Spread], checks: Sequence[SpotCheck], facts: Mapping[str, str], refusals: Sequence[str]
) -> str:
    parts = [
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>Pseudo-labels</title>',
        f"<style>{_STYLE}</style>",
        "<h1>Pseudo-labels</h1>",
        _table([["", ""]], [[name, value] for name, value in facts.items()]),
        "<h2>Distribution of the ratings</h2>",
        _spread_table(found),
        '<img src="distributions.png" alt="Histograms of the ratings of each dimension">',
    ]
    if refusals:
        parts.append(f"<h2>Left out ({len(refusals)})</h2><ul>")
        parts.extend(f"<li>{escape(reason)}</li>" for reason in refusals)
        parts.append("</ul>")
    if checks:
        parts.append(f"<h2>Spot check: {len(checks)} segments to listen to</h2>")
        parts.append(
            "<p>Do rating and sound agree? Listen first, then look at the ratings. The audio is rendered "
            "from MIDI where there is no recording.</p>"
        )
        parts.extend(_check(check) for check in checks)
    return "\n".join(parts) + "</html>\n"


def _spread_table(found: Sequence[Spread]) -> str:
    header = ["dimension", "segments", "mean", "sd", f"sd > {LEAST_SD:g}", "sd within a performance"]
    header += [f"{p:g} %" for p in _PERCENTILES]
    rows = [
        [
            s.dimension,
            str(s.n),
            f"{s.mean:.1f}",
            f"{s.sd:.1f}",
            "yes" if s.is_wide else "NO",
            f"{s.sd_within:.1f}",
            *(f"{p:.0f}" for p in s.percentiles),
        ]
        for s in found
    ]
    return _table([header], rows)


def _table(header: Sequence[Sequence[str]], rows: Sequence[Sequence[str]]) -> str:
    lines = ["<table>"]
    lines += ["<tr>" + "".join(f"<th>{escape(cell)}</th>" for cell in row) + "</tr>" for row in header]
    for row in rows:
        cells = "".join(f"<td{' class=no' if cell == 'NO' else ''}>{escape(cell)}</td>" for cell in row)
        lines.append(f"<tr>{cells}</tr>")
    return "\n".join([*lines, "</table>"])


def _check(check: SpotCheck) -> str:
    record = check.record
    lines = [
        f"<section><h3>{escape(check.stem)}</h3>",
        f"<small>{escape(record.piece_id)}, {record.start_time:g} to {record.end_time or 0.0:g} s; "
        f"chosen: {escape(check.why)}</small>",
        f'<audio controls preload="none" src="segments/{escape(check.stem)}.flac"></audio>',
        f'<img loading="lazy" src="segments/{escape(check.stem)}.png" alt="Piano roll">',
    ]
    rows = []
    for name, label in check.labels.items():
        rating = "not rated" if label.rating is None else f"{label.rating:.0f}"
        reason = label.missing.get(name, "") if label.rating is None else ""
        causes = "; ".join(cause.text for cause in label.causes[:3])
        rows.append([name, rating, f"{label.confidence:.2f}", reason or causes])
    lines.append(_table([["dimension", "rating", "confidence", "findings"]], rows))
    return "\n".join([*lines, "</section>"])
