"""The whole document of a comparison, and the file that is written."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from pathlib import Path
from typing import Any, Final

from markupsafe import Markup

from tocco.files import write_bytes
from tocco.inference.comparison import ComparedTake, Comparison, PairDifference
from tocco.inference.difference import AGGREGATE
from tocco.report.comparison_page.drawings import (
    MOST_SHOWN_DIFFERENCE,
    Panel,
    chosen_dimension,
    difference_bar,
    dimension_titles,
    panels,
    progress,
)
from tocco.report.comparison_page.takes import ShownTake, bar_values
from tocco.report.comparison_words import (
    NOTHING_TO_HEAR,
    OF_INTERVALS,
    OF_NO_DIFFERENCE,
    SIGNS,
    VERDICTS,
    caution,
    heading,
    interval,
    note_sentences,
    sentences,
    signed,
)
from tocco.report.page.document import end_sec, sound_address
from tocco.report.page.frame import MADE_BY, asset, policy, template
from tocco.report.page.material import Material
from tocco.report.page.script_data import as_json, note_numbers
from tocco.report.page.tables import around
from tocco.report.wording import nothing_stands_out, points

PACKAGE: Final = "tocco.report.comparison_page"
_NONE: Final = "–"


def render(comparison: Comparison, takes: Sequence[ShownTake]) -> str:
    """The document as text.

    Parameters
    ----------
    comparison
    takes : in its order
    """
    style = asset("page.css") + asset("comparison.css", PACKAGE)
    script = asset("tones.js") + asset("comparison.js", PACKAGE)
    return template("comparison.html.j2", PACKAGE).render(
        made_by=Markup(MADE_BY),
        style=Markup(style),
        script=Markup(script),
        policy=policy(style, script, "data:"),
        data=_data(comparison, takes),
        **_context(comparison, takes),
    )


def write_comparison_page(comparison: Comparison, takes: Sequence[ShownTake], path: Path) -> None:
    """Write the document, whole or not at all.

    Raises
    ------
    OutputError
        It cannot be written.
    """
    write_bytes(path, render(comparison, takes).encode())


def _context(comparison: Comparison, takes: Sequence[ShownTake]) -> dict[str, Any]:
    names = [take.name for take in takes]
    drawn: list[Panel] = panels(comparison, bar_values(comparison, takes)) if comparison.bars else []
    rated = [name for name in takes[0].assessment.curve.value if all(_has_curve(one, name) for one in takes)]
    can_play = all(take.can_play for take in takes)
    return {
        "how_to_read": f"{OF_INTERVALS} {OF_NO_DIFFERENCE}",
        "heading": " and ".join(names) if len(names) == 2 else f"{len(names)} takes",
        "takes": [_take(take, place, len(takes)) for place, take in enumerate(takes)],
        "first_name": names[0],
        "last_name": names[-1],
        "cautions": [*caution(comparison), *([] if can_play else [NOTHING_TO_HEAR])],
        "pairs": _pairs(comparison, names),
        "most": f"{MOST_SHOWN_DIFFERENCE:g}",
        "panels": drawn,
        "choices": dimension_titles(rated) if drawn and rated else [],
        "chosen": chosen_dimension(rated) if rated else "",
        "bar_labels": _bar_labels(comparison),
        "progress": [(name, heading(name), svg) for name, svg in progress(comparison).items()],
        "steps": _steps(comparison),
        "provenance": _provenance(comparison, takes),
        "can_play": can_play,
    }


def _has_curve(take: ShownTake, name: str) -> bool:
    return any(value is not None for value in take.assessment.curve.value.get(name, ()))


def _take(take: ShownTake, place: int, n: int) -> dict[str, Any]:
    found = []
    for one in take.assessment.findings or ():
        start, end = around(one.start_sec, one.end_sec)
        found.append({"sentence": one.sentence, "usual": one.usual, "start_sec": start, "end_sec": end})
    return {
        "name": take.name,
        "place": place,
        "shown": place in (0, n - 1),
        "findings": found,
        "nothing": nothing_stands_out(take.assessment),
        "sound": "" if take.sound is None else sound_address(take.sound),
    }


def _pairs(comparison: Comparison, names: Sequence[str]) -> list[dict[str, Any]]:
    """Every pair both ways round, so that either take may stand first."""
    by_id = {take.id: take for take in comparison.takes}
    place = {name: k for k, name in enumerate(names)}
    found = []
    for earlier, later in combinations(names, 2):
        pair = comparison.pair(later, earlier)
        for one in (pair, pair.reversed()) if len(names) > 2 else (pair,):
            first, second = place[one.compared_with], place[one.take]
            found.append(
                {
                    "first": first,
                    "second": second,
                    "shown": (first, second) == (0, len(names) - 1),
                    "earlier": one.compared_with,
                    "later": one.take,
                    "sentences": sentences(one),
                    "rows": _rows(one, by_id[one.compared_with], by_id[one.take], f"{first}-{second}"),
                    "notes": note_sentences(comparison, one),
                }
            )
    return found


def _rows(pair: PairDifference, earlier: ComparedTake, later: ComparedTake, key: str) -> list[dict[str, Any]]:
    rows = []
    for name in (*(key_ for key_ in earlier.ratings if key_ != AGGREGATE), AGGREGATE):
        found = pair.differences.get(name)
        rows.append(
            {
                "heading": heading(name),
                "total": name == AGGREGATE,
                "earlier": points(earlier.ratings[name]) if name in earlier.ratings else _NONE,
                "later": points(later.ratings[name]) if name in later.ratings else _NONE,
                "verdict": "missing" if found is None else found.verdict,
                "bar": None if found is None else difference_bar(f"{key}-{name}", name, found),
                "size": "" if found is None else f"{signed(found.value)}; 90 %: {interval(found)}",
                "sign": "" if found is None else SIGNS[found.verdict],
                "said": "not compared: one of the two has no such rating"
                if found is None
                else VERDICTS[found.verdict],
            }
        )
    return rows


def _bar_labels(comparison: Comparison) -> list[str]:
    return [bar.bar if bar.passage == 1 else f"{bar.bar} (time {bar.passage})" for bar in comparison.bars]


def _steps(comparison: Comparison) -> list[dict[str, str]]:
    """Every take against the first one."""
    first = comparison.takes[0]
    rows = []
    for take in comparison.takes:
        found = None if take is first else comparison.pair(take.id, first.id).differences.get(AGGREGATE)
        rows.append(
            {
                "name": take.id,
                "value": points(take.ratings[AGGREGATE]) if AGGREGATE in take.ratings else _NONE,
                "size": "" if found is None else f"{signed(found.value)}, {interval(found)}",
                "said": "" if found is None else VERDICTS[found.verdict],
            }
        )
    return rows


def _provenance(comparison: Comparison, takes: Sequence[ShownTake]) -> list[tuple[str, str]]:
    rows = [(take.id, f"SHA-256 {take.sha256}") for take in comparison.takes]
    score = takes[0].assessment.inputs.score
    rows.append(("Score", "none" if score is None else f"{score.name}; SHA-256 {score.sha256}"))
    bundle = comparison.bundle
    rows.append(("Model", f"{bundle.name} {bundle.version}; SHA-256 {bundle.sha256}"))
    rows.append(("Program", f"tocco {takes[0].assessment.tocco_version}"))
    return rows


def _data(comparison: Comparison, takes: Sequence[ShownTake]) -> Markup:
    """What the script needs."""
    value = {
        "takes": [
            {
                "name": take.name,
                "duration": round(_duration(take), 3),
                "notes": note_numbers(take.notes),
            }
            for take in takes
        ],
        "bars": [bar.start_sec for bar in comparison.bars],
        "labels": _bar_labels(comparison),
    }
    return as_json(value)


def _duration(take: ShownTake) -> float:
    return end_sec(take.assessment, Material(take.sound, take.notes))
