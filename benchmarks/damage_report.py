"""The page of `damage.py`: what answers to what, and what teachers say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from scipy.stats import spearmanr

from tocco.evaluation.markdown import number, table
from tocco.pseudo_labels.damage.anchors import DamageAnchors
from tocco.pseudo_labels.damage.catalogue import MEASURES

Row = Mapping[str, object]

PARTS: Final = {
    "flow": ("lost_time", "worst_stop"),
    "notes": ("note_errors",),
    "steadiness": ("unsteadiness",),
    "tempo": ("slowness",),
    "levels": ("flat_levels", "random_levels"),
}
"""Parts of the mean harm, of equal weight; the worse of two measures counts."""

DRAWS: Final = 2000
LEVEL: Final = 90.0
FELL: Final = 0.1


def mean_harm(row: Row) -> float:
    """Mean of the parts that there are."""
    parts = [
        max((float(row[name]) for name in names if name in row), default=np.nan) for names in PARTS.values()
    ]
    return float(np.nanmean(parts))


def summary(
    clean: Sequence[Row], answered: Sequence[Row], kept: Sequence[Row], anchors: DamageAnchors
) -> str:
    """The page."""
    lines = [
        "# Measures of damage",
        "",
        "Written by `benchmarks/damage.py`. Harm is 0 up to competent play and 1 at heavy damage of the kind",
        "that a measure is for; pieces of this page were not used to fit the anchors.",
        "",
        *_students(clean),
        *_clean(clean),
        *_responses(answered),
        *_falls(answered),
        *_invariance(kept),
        *_anchors(anchors),
    ]
    return "\n".join(lines).rstrip() + "\n"


def medians(rows: Sequence[Row]) -> list[dict[str, object]]:
    """One row for each change and measure: medians of harm, and the share of excerpts in which it moved.

    Parameters
    ----------
    rows : of single excerpts
    """
    of_both: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        of_both.setdefault((str(row["change"]), str(row["measure"])), []).append(row)
    found = []
    for (change, measure), own in of_both.items():
        moved = np.array([float(row["after"]) - float(row["before"]) for row in own])
        found.append(
            {
                "change": change,
                "measure": measure,
                "excerpts": len(own),
                "before": _median([row["before"] for row in own]),
                "after": _median([row["after"] for row in own]),
                "rose": float((moved > FELL).mean()),
                "fell": float((moved < -FELL).mean()),
                "lost": float(np.isnan(moved).mean()),
            }
        )
    return found


def _students(clean: Sequence[Row]) -> list[str]:
    """Rank correlation with teachers, and where professionals stand."""
    graded = [row for row in clean if row["corpus"] == "students"]
    if not graded:
        return []
    grade = np.array([float(row["grade"]) for row in graded])
    piece = np.array([row["piece"] for row in graded])
    mean = np.array([mean_harm(row) for row in graded])
    rows = [("mean of the parts", *_agreement(-mean, grade, piece))]
    for name, names in PARTS.items():
        part = np.array([max((float(row[n]) for n in names if n in row), default=np.nan) for row in graded])
        rows.append((name, *_agreement(-part, grade, piece)))
    asap = np.array([mean_harm(row) for row in clean if row["corpus"] == "ASAP"])
    below = float((asap < np.median(mean)).mean())
    return [
        f"## {len(graded)} takes of students, graded by teachers",
        "",
        f"Spearman correlation with the mean grade; {LEVEL:g} % bootstrap interval.",
        "",
        *table(("", "all takes", "within a piece"), rows),
        f"Of {len(asap)} takes of ASAP {100 * below:.0f} % have less mean harm than the students' median.",
        "",
    ]


def _agreement(value: np.ndarray, grade: np.ndarray, piece: np.ndarray) -> tuple[str, str]:
    """Correlation over all takes and within a piece, each with its interval."""
    known = np.isfinite(value)
    value, grade, piece = value[known], grade[known], piece[known]
    rng = np.random.default_rng(0)
    members = [np.flatnonzero(piece == name) for name in np.unique(piece)]
    draws = np.array(
        [_correlations(value, grade, [rng.choice(own, len(own)) for own in members]) for _ in range(DRAWS)]
    )
    tails = (50.0 - LEVEL / 2.0, 50.0 + LEVEL / 2.0)
    low, high = np.nanpercentile(draws, tails, axis=0)
    found = _correlations(value, grade, members)
    both = [f"{found[k]:.2f} [{low[k]:.2f}, {high[k]:.2f}]" for k in range(2)]
    return both[0], both[1]


def _correlations(value: np.ndarray, grade: np.ndarray, members: Sequence[np.ndarray]) -> tuple[float, float]:
    """Over all takes, and the mean over the pieces weighted by takes."""
    every = np.concatenate(members)
    within = [_spearman(value[own], grade[own]) for own in members]
    size = [len(own) for own in members]
    return _spearman(value[every], grade[every]), float(np.average(within, weights=size))


def _spearman(x: np.ndarray, y: np.ndarray) -> float:
    """Rank correlation; 0 where nothing varies."""
    if np.ptp(x) == 0.0 or np.ptp(y) == 0.0:
        return 0.0
    return float(spearmanr(x, y).statistic)


def _clean(clean: Sequence[Row]) -> list[str]:
    """Quartiles and 95th percentile of the harm of undamaged play."""
    corpora = list(dict.fromkeys(str(row["corpus"]) for row in clean))
    rows = []
    for name in (*MEASURES, "mean"):
        cells = []
        for corpus in corpora:
            own = [row for row in clean if row["corpus"] == corpus]
            value = [
                mean_harm(row) if name == "mean" else float(row[name])
                for row in own
                if name in row or name == "mean"
            ]
            cells.append(_percentiles(np.array(value)))
        rows.append((name, *cells))
    size = [sum(row["corpus"] == corpus for row in clean) for corpus in corpora]
    header = [f"{corpus} ({n})" for corpus, n in zip(corpora, size, strict=True)]
    lead = "Harm of whole takes: 25th, 50th, 75th and 95th percentile."
    return ["## Undamaged play", "", lead, "", *table(("", *header), rows)]


def _percentiles(value: np.ndarray) -> str:
    if not len(value):
        return "-"
    return " / ".join(f"{one:.2f}" for one in np.percentile(value, (25, 50, 75, 95)))


def _responses(answered: Sequence[Row]) -> list[str]:
    """Median harm after each damage; what rose by more than a quarter stands out."""
    changes = list(dict.fromkeys(str(row["change"]) for row in answered))
    before = [
        number(_median([row["before"] for row in answered if row["measure"] == name]), ".2f")
        for name in MEASURES
    ]
    rows = [("undamaged", *before)]
    for change in changes:
        cells = []
        for name in MEASURES:
            own = [row for row in answered if row["change"] == change and row["measure"] == name]
            after = _median([row["after"] for row in own])
            rise = _median([float(row["after"]) - float(row["before"]) for row in own])
            cells.append(f"**{after:.2f}**" if rise > 0.25 else number(after, ".2f"))
        rows.append((change, *cells))
    n = len({row["excerpt"] for row in answered})
    lead = f"Median harm of {n} excerpts; bold where it rises by more than 0.25; - where the score is lost."
    return ["## Answers", "", lead, "", *table(("", *MEASURES), rows)]


def _median(values: Sequence[object]) -> float:
    known = np.array([float(value) for value in values if np.isfinite(float(value))])  # type: ignore[arg-type]
    return float(np.median(known)) if len(known) else float("nan")


def _falls(answered: Sequence[Row]) -> list[str]:
    """Measures that fall by damage in some excerpts: what a sum of harms would gain by it."""
    rows = []
    for change in dict.fromkeys(str(row["change"]) for row in answered):
        for name in MEASURES:
            own = [row for row in answered if row["change"] == change and row["measure"] == name]
            fall = np.array([float(row["before"]) - float(row["after"]) for row in own])
            share = float((fall > FELL).mean()) if len(fall) else 0.0
            if share >= 0.25:
                rows.append((change, name, f"{100 * share:.0f} %", f"{np.median(fall):.2f}"))
    lead = f"Damages by which a measure falls by more than {FELL:g} in a quarter of the excerpts or more."
    return ["## Falls", "", lead, "", *table(("damage", "measure", "excerpts", "median fall"), rows)]


def _invariance(kept: Sequence[Row]) -> list[str]:
    """Absolute change of harm by what is no damage."""
    changes = list(dict.fromkeys(str(row["change"]) for row in kept))
    rows = []
    for name in MEASURES:
        cells = []
        for change in changes:
            own = [row for row in kept if row["change"] == change and row["measure"] == name]
            moved = np.array([abs(float(row["after"]) - float(row["before"])) for row in own])
            moved = moved[np.isfinite(moved)]
            cells.append(f"{np.median(moved):.2f} / {np.percentile(moved, 95):.2f}" if len(moved) else "-")
        rows.append((name, *cells))
    lead = "Absolute change of harm, median / 95th percentile."
    return ["## What is no damage", "", lead, "", *table(("", *changes), rows)]


def _anchors(anchors: DamageAnchors) -> list[str]:
    """The anchors in their units."""
    rows = [
        (
            name,
            measure.unit,
            f"{anchors.keys[name].good:.4g} to {anchors.keys[name].bad:.4g}",
            f"{anchors.transcribed[name].good:.4g} to {anchors.transcribed[name].bad:.4g}",
            f"{anchors.keys[name].good_percentile:g}",
            measure.meaning,
        )
        for name, measure in MEASURES.items()
    ]
    header = ("", "unit", "keys: harm 0 to 1", "transcribed", "percentile of good", "meaning")
    return ["## Anchors", "", *table(header, rows)]
