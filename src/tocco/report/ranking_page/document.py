"""The whole document of a ranking."""

from __future__ import annotations

from typing import Any, Final

from markupsafe import Markup

from tocco.ranking.document import ChangedMark, Ranking
from tocco.report.page.frame import MADE_BY, asset, policy, template
from tocco.report.ranking_page.pictures import lanes, pair_matrix, strength_bar
from tocco.report.ranking_words import (
    AID,
    DECISIONS,
    agreement_in_words,
    apart_in_words,
    chance_in_words,
    cut_in_words,
    groups_in_words,
    headline,
    judged_in_words,
    method,
    ranks_in_words,
    run_offs_in_words,
    share_in_words,
    strength_in_words,
    unit_in_words,
)

PACKAGE: Final = "tocco.report.ranking_page"

MOST_DRAWN: Final = 60
"""With more performances the picture of all pairs is left out; all of them are in the JSON."""

MOST_RUN_OFFS: Final = 12
"""Rows of the list of run-offs; all of them are in the JSON."""


def render(ranking: Ranking) -> str:
    """The document as text."""
    style = asset("page.css") + asset("ranking.css", PACKAGE)
    return template("ranking.html.j2", PACKAGE).render(
        style=Markup(style), policy=policy(style), made_by=Markup(MADE_BY), **_context(ranking)
    )


def _context(ranking: Ranking) -> dict[str, Any]:
    rows = zip(ranking.entries, lanes(ranking), strict=True)
    return {
        "title": f"Ranking of {len(ranking.entries)} performances",
        "summary": [headline(ranking), apart_in_words(ranking)],
        "aid": AID,
        "rows": [
            {
                "entry": entry,
                "ranks": ranks_in_words(entry),
                "bar": strength_bar(ranking, entry, number),
                "strength": strength_in_words(ranking, entry),
                "judged": judged_in_words(entry),
                "lanes": lane,
                "decision": None if entry.decision is None else DECISIONS[entry.decision],
                "pass_chance": None if entry.pass_chance is None else share_in_words(entry.pass_chance),
            }
            for number, (entry, lane) in enumerate(rows, start=1)
        ],
        "n_lanes": len(lanes(ranking)[0]),
        "unit": unit_in_words(ranking),
        "groups": groups_in_words(ranking),
        "cut": cut_in_words(ranking),
        "has_cut": ranking.cut is not None,
        "matrix": pair_matrix(ranking) if len(ranking.entries) <= MOST_DRAWN else None,
        "run_offs": [(pair, chance_in_words(pair)) for pair in ranking.run_offs[:MOST_RUN_OFFS]],
        "run_offs_said": run_offs_in_words(ranking),
        "more_run_offs": max(len(ranking.run_offs) - MOST_RUN_OFFS, 0),
        "changed": [(one, _mark(one)) for one in ranking.changed_marks],
        "left_out_votes": ranking.left_out_votes,
        "jurors": ranking.jurors,
        "agreement": agreement_in_words(ranking),
        "apart": ranking.apart,
        "method": method(ranking),
    }


def _mark(one: ChangedMark) -> str:
    return "left out" if one.counts is None else f"{one.counts:.4g}"
