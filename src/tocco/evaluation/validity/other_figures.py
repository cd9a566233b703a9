"""Figures of skill, mechanical renderings, changes that may move nothing, missing scores and abstentions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

import numpy as np

from tocco.evaluation.validity.bars import BARS, LEAST_WIDENING, MOST_PUNISHED, NEED_SCORE, Part, bars_of
from tocco.evaluation.validity.changes import CHANGES
from tocco.evaluation.validity.figures import (
    MISSING_CHANGE,
    Figure,
    change,
    figure_of,
    is_silent,
    median,
    percentile,
    rating,
    share,
)
from tocco.evaluation.validity.graded import GradedTake
from tocco.evaluation.validity.kinds import PIANIST, RENDERING, WHOLE_FILES
from tocco.evaluation.validity.rows import Row
from tocco.metrics import spearman_rho, value_or_nan
from tocco.rubrics import DIMENSIONS
from tocco.schema import StrictModel
from tocco.units import FloatArray, IntArray

OVERALL: Final = "overall_quality"
SCORED: Final = "keys_score"
TRANSCRIBED: Final = "transcribed_score"
_RENDERINGS: Final = (RENDERING, WHOLE_FILES[0])
_PIANISTS: Final = (PIANIST, WHOLE_FILES[1])


class Beside(StrictModel):
    """A figure without a bar, for comparison."""

    name: str
    all: float | None
    within: float | None


def mean_statistic(value: FloatArray) -> Callable[[IntArray], float]:
    """Plain mean of values."""
    return lambda index: float(value[index].mean()) if len(index) else float("nan")


def deadpan_figures(rows: Sequence[Row]) -> list[Figure]:
    """Mechanical renderings beside the pianists of the same passage.

    Renderings of excerpts, made here, are reported apart from those of given passages, which a model may have
    been trained on.
    """
    passages = _passages(rows)
    groups = {"excerpts": RENDERING, "passages": WHOLE_FILES[0]}
    return [
        figure
        for group, kind in groups.items()
        for figure in _deadpan_of(group, [one for one in passages if one[1].kind == kind])
    ]


def _deadpan_of(group: str, passages: Sequence[tuple[str, Row, list[Row]]]) -> list[Figure]:
    """Figures of passages: name, rendering, pianists."""
    names = [piece for piece, _, _ in passages]
    found = []
    for dimension in ("expressiveness", "musicality"):
        gap = np.array([_gap(rendering, played, dimension) for _, rendering, played in passages])
        below = share(one > 0.0 for one in gap)
        far = np.where(np.isfinite(gap), gap, 0.0)
        found.append(figure_of(f"deadpan_{dimension}", SCORED, group, mean_statistic(below), names))
        found.append(figure_of(f"deadpan_{dimension}_gap", SCORED, group, median(far), names))
    gap = np.array([_gap(rendering, played, "note_accuracy") for _, rendering, played in passages])
    fair = share(one <= MOST_PUNISHED for one in gap)
    return [*found, figure_of("deadpan_note_accuracy", SCORED, group, mean_statistic(fair), names)]


def _passages(rows: Sequence[Row]) -> list[tuple[str, Row, list[Row]]]:
    """Passage, its rendering, its pianists; passages without either are left out."""
    here = [row for row in rows if row.modality == SCORED and row.part in ("deadpan", "clean")]
    found = []
    for rendering in here:
        if rendering.part != "deadpan" or rendering.kind not in _RENDERINGS:
            continue
        same = [row for row in here if row.piece == rendering.piece and row is not rendering]
        pianists = [row for row in same if row.part == "clean" or row.kind in _PIANISTS]
        if pianists:
            found.append((rendering.piece, rendering, pianists))
    return found


def _gap(rendering: Row, pianists: Sequence[Row], dimension: str) -> float:
    """Points from a rendering up to the pianists' median; NaN where one of them is missing."""
    known = [rating(row, dimension) for row in pianists]
    played = [value for value in known if value is not None]
    flat = rating(rendering, dimension)
    return float(np.median(played)) - flat if played and flat is not None else float("nan")


def skill_figures(rows: Sequence[Row], graded: Sequence[GradedTake]) -> list[Figure]:
    """Ratings of graded takes beside their teachers, and of professionals beside the students."""
    by_id = {take.id: take for take in graded}
    pairs = [
        (row, by_id[row.take])
        for row in rows
        if row.part == "graded" and row.take in by_id and OVERALL in row.ratings
    ]
    if not pairs:
        return []
    rated = np.array([row.ratings[OVERALL] for row, _ in pairs])
    grade = np.array([take.mean_grade for _, take in pairs])
    piece, player = (np.array([getattr(take, key) for _, take in pairs]) for key in ("piece", "player"))
    inside = share(_contains(row, take.points) for row, take in pairs)

    def over_all(index: IntArray) -> float:
        return value_or_nan(spearman_rho, grade[index], rated[index])

    def within(index: IntArray) -> float:
        return within_pieces(grade[index], rated[index], piece[index])

    players = player.tolist()
    found = [figure_of(bar, TRANSCRIBED, "", over_all, players) for bar in ("skill_all", "skill_all_least")]
    found += [
        figure_of(bar, TRANSCRIBED, "", within, players) for bar in ("skill_within", "skill_within_least")
    ]
    found.append(figure_of("skill_coverage", TRANSCRIBED, "", mean_statistic(inside), players))
    return found + _professionals(rows, float(np.median(rated)))


def _contains(row: Row, points: float) -> bool:
    """Whether the interval of the overall quality contains the teachers' mean."""
    if OVERALL not in row.low:
        return False
    return row.low[OVERALL] <= points <= row.low[OVERALL] + row.width[OVERALL]


def _professionals(rows: Sequence[Row], students: float) -> list[Figure]:
    """Professionals' excerpts above the students' median, in each modality with a score."""
    found = []
    for modality in (SCORED, TRANSCRIBED):
        here = [row for row in rows if row.part == "clean" and row.modality == modality]
        above = share((rating(row, OVERALL) or 0.0) > students for row in here)
        pieces = [row.piece for row in here]
        found.append(figure_of("professionals_above", modality, "", mean_statistic(above), pieces))
    return found


def within_pieces(grade: FloatArray, rated: FloatArray, piece: np.ndarray) -> float:
    """Rank correlation within a piece: mean of the pieces, weighted by their number of takes."""
    of_piece = [
        (value_or_nan(spearman_rho, grade[piece == p], rated[piece == p]), int((piece == p).sum()))
        for p in np.unique(piece)
    ]
    known = [(rho, n) for rho, n in of_piece if np.isfinite(rho)]
    if not known:
        return float("nan")
    rho, weight = np.array(known).T
    return float(np.average(rho, weights=weight))


def skill_beside(rows: Sequence[Row], graded: Sequence[GradedTake]) -> list[Beside]:
    """What the skill figures are read against: single teachers, and the other numbers that people see."""
    if not graded:
        return []
    grades = np.array([take.grades for take in graded])
    piece = np.array([take.piece for take in graded])
    found = []
    for teacher in range(grades.shape[1]):
        others = np.delete(grades, teacher, axis=1).mean(axis=1)
        name = f"teacher {teacher + 1} against the others"
        found.append(_beside(name, others, grades[:, teacher], piece))
    by_id = {take.id: take for take in graded}
    takes = [row for row in rows if row.part == "graded" and row.take in by_id]
    for name in (*DIMENSIONS, "aggregate"):
        known = [(row, rating(row, name)) for row in takes]
        pairs = [(by_id[row.take], value) for row, value in known if value is not None]
        if len(pairs) > 2:
            grade = np.array([take.mean_grade for take, _ in pairs])
            value = np.array([value for _, value in pairs])
            found.append(_beside(name, grade, value, np.array([take.piece for take, _ in pairs])))
    return found


def _beside(name: str, grade: FloatArray, value: FloatArray, piece: np.ndarray) -> Beside:
    over_all, within = value_or_nan(spearman_rho, grade, value), within_pieces(grade, value, piece)
    known = [round(one, 4) if np.isfinite(one) else None for one in (over_all, within)]
    return Beside(name=name, all=known[0], within=known[1])


def invariance_figures(rows: Sequence[Row]) -> list[Figure]:
    """Sizes of the changes of all ratings, for every kind of change."""
    reference = {(r.take, r.kind, r.modality): r for r in rows if r.part in ("clean", "invariance")}
    found = []
    for kind, one in CHANGES.items():
        here = [r for r in rows if r.part == "invariance" and r.kind == kind and kind != one.reference]
        sizes = [
            (row.piece, _sizes(row, reference.get((row.take, one.reference, row.modality)))) for row in here
        ]
        flat = np.array([size for _, several in sizes for size in several])
        pieces = [piece for piece, several in sizes for _ in several]
        if len(flat):
            modality = here[0].modality
            found.append(figure_of("invariance_median", modality, kind, median(flat), pieces))
            found.append(figure_of("invariance_p95", modality, kind, percentile(flat, 95.0), pieces))
    return found


def _sizes(row: Row, reference: Row | None) -> list[float]:
    """Size of the change of each rating; one that appears, goes, or has no reference is the whole scale."""
    sizes = []
    for name in (*DIMENSIONS, "aggregate"):
        missing = rating(row, name) is None, reference is None or rating(reference, name) is None
        if all(missing) and reference is not None and not is_silent(row):
            continue
        points = abs(change(row, reference, name))
        sizes.append(points if np.isfinite(points) else MISSING_CHANGE)
    return sizes


def no_score_figures(rows: Sequence[Row]) -> list[Figure]:
    """Whether what needs the score is missing, or less sure, without it."""
    clean = {(row.take, row.modality): row for row in rows if row.part == "clean"}
    both = [
        (row, clean[row.take, SCORED])
        for (take, modality), row in clean.items()
        if modality == "keys" and (take, SCORED) in clean and not is_silent(clean[take, SCORED])
    ]
    pieces = [row.piece for row, _ in both]
    found = []
    for name in NEED_SCORE:
        meets = share(_is_less_sure(without, scored, name) for without, scored in both)
        found.append(figure_of(f"no_score_{name}", "keys", "", mean_statistic(meets), pieces))
    return found


def _is_less_sure(without: Row, scored: Row, name: str) -> bool:
    if name not in without.ratings:
        return True
    return without.width.get(name, 0.0) >= LEAST_WIDENING * scored.width.get(name, np.inf)


def abstention_figures(rows: Sequence[Row]) -> list[Figure]:
    """Share of files of which nothing is said."""
    found = []
    for bar, modality, here in _of_abstention(rows):
        silent = share(is_silent(row) for row in here)
        items = [row.piece if row.part == "clean" else row.take for row in here]
        if here:
            found.append(figure_of(bar, modality, "", mean_statistic(silent), items))
    return found


def _of_abstention(rows: Sequence[Row]) -> list[tuple[str, str, list[Row]]]:
    made = [row for row in rows if row.part == "abstention"]
    parts = [
        (f"abstains_{k}", "keys", [r for r in made if r.kind == k]) for k in ("mashing", "fast", "random")
    ]
    parts.append(("rates_students", TRANSCRIBED, [row for row in rows if row.part == "graded"]))
    for modality in (SCORED, "keys", TRANSCRIBED):
        clean = [row for row in rows if row.part == "clean" and row.modality == modality]
        parts.append(("rates_professionals", modality, clean))
    return parts


def unmeasured(figures: Sequence[Figure]) -> Mapping[str, str]:
    """Bars without a figure, with their part: what this run did not ask."""
    measured = {figure.bar for figure in figures}
    parts: dict[Part, None] = dict.fromkeys(bar.part for bar in BARS.values())
    return {bar.name: part for part in parts for bar in bars_of(part) if bar.name not in measured}
