"""The result of the suite: figures, page, rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from tocco.errors import InputError
from tocco.evaluation.png import save_png
from tocco.evaluation.validity.damage_figures import KindFigures, damage_figures, kind_figures
from tocco.evaluation.validity.figures import Figure
from tocco.evaluation.validity.graded import GradedTake
from tocco.evaluation.validity.other_figures import (
    Beside,
    abstention_figures,
    deadpan_figures,
    invariance_figures,
    no_score_figures,
    skill_beside,
    skill_figures,
)
from tocco.evaluation.validity.rows import CaseRows, Row, rows_table
from tocco.files import write_bytes
from tocco.schema import StrictModel, laid_out, one_line

JSON_NAME: Final = "validity.json"
PAGE_NAME: Final = "validity.md"
ROWS_NAME: Final = "rows.csv"
PICTURE_NAME: Final = "validity.png"


class PartCount(StrictModel):
    """What became of the files of one part."""

    part: str
    n: int
    n_abstained: int
    n_refused: int
    n_inapplicable: int
    """Cases that do not apply to their take."""


class ValidityReport(StrictModel):
    """All figures of a run."""

    facts: dict[str, str]
    counts: tuple[PartCount, ...]
    refusals: dict[str, int]
    """Reason -> files, the most frequent first."""

    figures: tuple[Figure, ...]
    kinds: tuple[KindFigures, ...]
    beside: tuple[Beside, ...]

    @property
    def n_held(self) -> int:
        """Figures that meet their bar."""
        return sum(figure.held for figure in self.figures)


def report_of(
    cases: Sequence[CaseRows], graded: Sequence[GradedTake], facts: Mapping[str, str]
) -> ValidityReport:
    """All figures of the rows of a run."""
    rows = [row for case in cases for row in case.rows]
    figures = (
        *damage_figures(rows),
        *deadpan_figures(rows),
        *skill_figures(rows, graded),
        *invariance_figures(rows),
        *no_score_figures(rows),
        *abstention_figures(rows),
    )
    return ValidityReport(
        facts=dict(facts),
        counts=_counts(cases),
        refusals=_refusals(rows),
        figures=tuple(figure for figure in figures if figure.n),
        kinds=tuple(kind_figures(rows)),
        beside=tuple(skill_beside(rows, graded)),
    )


def write_report(
    report: ValidityReport, rows: Sequence[Row], folder: Path, before: ValidityReport | None
) -> str:
    """Write page, figures, rows and picture; the text to show at the terminal."""
    from tocco.evaluation.validity.page import page
    from tocco.evaluation.validity.picture import damage_picture

    write_bytes(folder / ROWS_NAME, rows_table(rows).encode())
    write_bytes(folder / JSON_NAME, (laid_out(report.model_dump(mode="json")) + "\n").encode())
    if report.kinds:
        save_png(damage_picture(rows, None if before is None else before.kinds), folder / PICTURE_NAME)
    write_bytes(folder / PAGE_NAME, page(report, before).encode())
    return f"{folder / PAGE_NAME}: {report.n_held} of {len(report.figures)} figures meet their bar"


def read_report(path: Path) -> ValidityReport:
    """Read the figures of an earlier run.

    Raises
    ------
    InputError
        The file cannot be read, or is no `validity.json`.
    """
    try:
        return ValidityReport.model_validate_json(path.read_bytes())
    except OSError as error:
        raise InputError(path, f"cannot be read ({error.strerror})", next_step="check the path") from error
    except ValidationError as error:
        raise InputError(
            path, one_line(error), allowed=f"a {JSON_NAME} of `tocco benchmark validity`"
        ) from error


def _counts(cases: Sequence[CaseRows]) -> tuple[PartCount, ...]:
    rows = [row for case in cases for row in case.rows]
    counts = []
    for part in dict.fromkeys(case.part for case in cases):
        here = [row for row in rows if row.part == part]
        counts.append(
            PartCount(
                part=part,
                n=len(here),
                n_abstained=sum(row.abstained for row in here),
                n_refused=sum(row.refusal is not None for row in here),
                n_inapplicable=sum(c.inapplicable is not None for c in cases if c.part == part),
            )
        )
    return tuple(counts)


def _refusals(rows: Sequence[Row]) -> dict[str, int]:
    """How often each reason occurs; digits are left out, so that equal reasons are counted together."""
    found: dict[str, int] = {}
    for row in rows:
        if row.refusal is not None:
            reason = "".join("#" if sign.isdigit() else sign for sign in row.refusal)
            found[reason] = found.get(reason, 0) + 1
    return dict(sorted(found.items(), key=lambda item: -item[1]))
