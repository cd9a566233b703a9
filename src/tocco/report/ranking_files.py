"""The files of a ranking: JSON with everything, a table for spreadsheets, an HTML file to read."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Final

from tocco.errors import OutputError
from tocco.files import write_bytes
from tocco.ranking.document import Ranking
from tocco.report.page.frame import is_page
from tocco.report.ranking_page.document import render
from tocco.schema import laid_out

NAME: Final = "ranking"
FILES: Final = (f"{NAME}.json", f"{NAME}.csv", f"{NAME}.html")

_COLUMNS: Final = (
    "rank", "rank_low_90", "rank_high_90", "performance", "strength", "strength_low_90", "strength_high_90",
    "strength_unit", "wins", "rating", "rating_low_90", "rating_high_90", "mean_mark", "n_marks", "decision",
    "pass_chance", "group", "reason",
)  # fmt: skip
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
_JSON_HEAD: Final = b'"ranking_version"'
_NEXT: Final = "name another folder, or remove it"


def check_place(folder: Path) -> None:
    """Refuse to replace files of these names that are of no ranking.

    Raises
    ------
    OutputError
        One stands there.
    """
    for name in FILES:
        path = folder / name
        if path.exists() and not _is_ours(path):
            raise OutputError(path, "exists, and is no ranking", next_step=_NEXT)


def write_ranking(ranking: Ranking, folder: Path) -> tuple[Path, ...]:
    """Write all files, each whole or not at all.

    Raises
    ------
    OutputError
        One cannot be written.
    """
    paths = tuple(folder / name for name in FILES)
    texts = (laid_out(ranking.model_dump(mode="json")) + "\n", table_text(ranking), render(ranking))
    for path, text in zip(paths, texts, strict=True):
        write_bytes(path, text.encode())
    return paths


def table_text(ranking: Ranking) -> str:
    """The CSV: one row a performance, those that are not ranked at the end with the reason.

    The column `group` numbers the groups that a performance belongs to; performances of one number cannot be
    separated. A name that a spreadsheet would take for a formula gets an apostrophe before it.
    """
    stream = io.StringIO(newline="")
    writer = csv.DictWriter(stream, _COLUMNS, lineterminator="\n", restval="")
    writer.writeheader()
    for place, entry in enumerate(ranking.entries, start=1):
        groups = [k for k, one in enumerate(ranking.groups, start=1) if one.first <= place <= one.last]
        rating = entry.rating_90 or ("", "")
        writer.writerow(
            {
                "rank": entry.rank,
                "rank_low_90": entry.rank_90[0],
                "rank_high_90": entry.rank_90[1],
                "performance": _text(entry.name),
                "strength": f"{entry.strength:.3f}",
                "strength_low_90": f"{entry.strength_90[0]:.3f}",
                "strength_high_90": f"{entry.strength_90[1]:.3f}",
                "strength_unit": ranking.strength_unit,
                "wins": entry.wins,
                "rating": "" if entry.rating is None else entry.rating,
                "rating_low_90": rating[0],
                "rating_high_90": rating[1],
                "mean_mark": "" if entry.mean_mark is None else f"{entry.mean_mark:.3f}",
                "n_marks": entry.n_marks,
                "decision": entry.decision or "",
                "pass_chance": "" if entry.pass_chance is None else entry.pass_chance,
                "group": " ".join(map(str, groups)),
            }
        )
    for one in ranking.apart:
        writer.writerow({"performance": _text(one.name), "reason": _text(one.reason)})
    return stream.getvalue()


def _text(value: str) -> str:
    return f"'{value}" if value.startswith(_FORMULA) else value


def _is_ours(path: Path) -> bool:
    if path.suffix == ".html":
        return is_page(path)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise OutputError(path, f"cannot be replaced ({error.strerror})", next_step=_NEXT) from error
    if path.suffix == ".csv":
        return content.startswith(",".join(_COLUMNS[:4]).encode())
    return _JSON_HEAD in content
