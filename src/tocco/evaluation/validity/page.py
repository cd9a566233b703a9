"""The page of a run: every bar, its figure, and whether it is met; with an earlier run beside it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from tocco.evaluation.markdown import table, verdict
from tocco.evaluation.validity.bars import BARS, Bar, Part, bars_of
from tocco.evaluation.validity.damage_figures import GROUPS, KindFigures
from tocco.evaluation.validity.figures import Figure
from tocco.evaluation.validity.report import PICTURE_NAME, ValidityReport
from tocco.music.corruption import HELD_OUT_KINDS

_MODALITIES: Final = {
    "keys_score": "notes of the keys, with the score",
    "keys": "notes of the keys, without a score",
    "transcribed_score": "through a transcriber's noise, with the score",
    "sound": "a recording with notes and score",
}
_GROUPS: Final = {"seen": "corruptions", "held_out": "held-out corruptions", "composite": "composites"}
_PARTS: Final[dict[Part, str]] = {
    "size": "Sizes of falls at the full dose",
    "deadpan": "Deadpan is not expressive",
    "skill": "Skill",
    "invariance": "Invariance",
    "no_score": "Without a score",
    "abstention": "Abstention",
}
_SIGNS: Final = {"least": ">=", "most": "<=", "below": "<"}

_Key = tuple[str, str, str]


def page(report: ValidityReport, before: ValidityReport | None) -> str:
    """Text of `validity.md`."""
    earlier = {} if before is None else {_key(figure): figure for figure in before.figures}
    lines = ["# Validity of the ratings", ""]
    lines += [f"- {name}: {value}" for name, value in report.facts.items()]
    lines += ["", _summary(report, before), "", *_how_to_read(before), ""]
    if report.kinds:
        lines += [f"![Change of the ratings by damage and severity]({PICTURE_NAME})", ""]
    lines += _damage(report, earlier)
    for part, title in _PARTS.items():
        lines += _part(report, part, title, earlier)
    lines += _beside(report) + _kinds(report) + _counts(report)
    return "\n".join(lines).rstrip() + "\n"


def _key(figure: Figure) -> _Key:
    return figure.bar, figure.modality, figure.group


def _summary(report: ValidityReport, before: ValidityReport | None) -> str:
    text = f"**{report.n_held} of {len(report.figures)} figures meet their bar.**"
    if before is None:
        return text
    return f"{text} Before: {before.n_held} of {len(before.figures)}."


def _how_to_read(before: ValidityReport | None) -> list[str]:
    lines = [
        "Brackets are 95 % bootstrap intervals over pieces (players for graded takes). The bars and their "
        "reasons are in `docs/validity.md`. A figure that misses its bar is marked **no**.",
    ]
    if before is not None:
        named = before.facts.get("bundle", "the earlier run")
        lines.append(f"Before the arrow: {named}.")
    return lines


def _damage(report: ValidityReport, earlier: dict[_Key, Figure]) -> list[str]:
    lines = []
    found = {_key(figure): figure for figure in report.figures}
    for modality, words in _MODALITIES.items():
        rows = []
        for bar in bars_of("damage"):
            keys = [(bar.name, modality, group) for group in GROUPS]
            if any(key in found for key in keys):
                cells = [_cell(bar, found.get(key), earlier.get(key)) for key in keys]
                rows.append([bar.name, _threshold(bar), *cells])
        if rows:
            lines += [f"## Damage never pays: {words}", ""]
            lines += table(["bar", "threshold", *_GROUPS.values()], rows)
    return lines


def _part(report: ValidityReport, part: Part, title: str, earlier: dict[_Key, Figure]) -> list[str]:
    figures = [figure for figure in report.figures if BARS[figure.bar].part == part]
    if not figures:
        return [f"## {title}", "", "Not asked in this run.", ""]
    rows = []
    for figure in figures:
        bar = BARS[figure.bar]
        what = f"{bar.name}: {figure.group}" if figure.group else bar.name
        cell = _cell(bar, figure, earlier.get(_key(figure)))
        rows.append([what, figure.modality, _threshold(bar), cell, str(figure.n)])
    return [f"## {title}", "", *table(["bar", "modality", "threshold", "figure", "n"], rows)]


def _threshold(bar: Bar) -> str:
    return f"{_SIGNS[bar.side]} {_number(bar, bar.threshold)}"


def _number(bar: Bar, value: float | None) -> str:
    if value is None:
        return "-"
    if bar.unit == "share":
        return f"{100.0 * value:.0f} %" if value in (0.0, 1.0) else f"{100.0 * value:.1f} %"
    return f"{value:.2f}" if bar.unit == "rho" else f"{value:.1f}"


def _cell(bar: Bar, figure: Figure | None, before: Figure | None) -> str:
    """Earlier figure, figure, interval, and a mark where the bar is missed."""
    if figure is None:
        return "not asked"
    text = _number(bar, figure.value)
    if figure.low is not None and figure.high is not None:
        text += f" [{_number(bar, figure.low)}, {_number(bar, figure.high)}]"
    if before is not None:
        text = f"{_number(bar, before.value)} -> {text}"
    return text if figure.held else f"{text} {verdict(False)}"


def _beside(report: ValidityReport) -> list[str]:
    if not report.beside:
        return []
    rows = [[one.name, _rho(one.all), _rho(one.within)] for one in report.beside]
    lines = ["### Beside it", "", "Rank correlation with the mean of the teachers; without a bar.", ""]
    return lines + table(["of", "all takes", "within a piece"], rows)


def _rho(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def _kinds(report: ValidityReport) -> list[str]:
    if not report.kinds:
        return []
    lines = [
        "## Every damage",
        "",
        "Pairs from the third step on that fall by 1 point or more, in the target and in overall_quality; "
        "median change at the last step; the mean rise of the interpretive dimension that rises most. Held "
        f"out from training: {', '.join(HELD_OUT_KINDS)}, and all composites.",
        "",
    ]
    for modality, words in _MODALITIES.items():
        here = [one for one in report.kinds if one.modality == modality]
        if here:
            lines += [f"### {words[0].upper()}{words[1:]}", "", _n_holding(here), ""]
            lines += table(
                [
                    "damage",
                    "target",
                    "falls",
                    "overall falls",
                    "target",
                    "overall",
                    "aggregate",
                    "rise",
                    "silent",
                ],
                [_kind_row(one) for one in here],
            )
    return lines


def _n_holding(kinds: Sequence[KindFigures]) -> str:
    asked = [one for one in kinds if one.target_falls is not None and one.overall_falls is not None]
    bars = BARS["target_falls"], BARS["overall_falls"]
    holding = [
        one
        for one in asked
        if bars[0].is_held(one.target_falls or 0.0) and bars[1].is_held(one.overall_falls or 0.0)
    ]
    return f"{len(holding)} of {len(asked)} damages meet target_falls and overall_falls each for itself."


def _kind_row(one: KindFigures) -> list[str]:
    shares = [_share(one.target_falls), _share(one.overall_falls)]
    changes = (one.target_change, one.overall_change, one.aggregate_change, one.interpretive_change)
    points = ["-" if value is None else f"{value:+.1f}" for value in changes]
    return [one.kind, one.target or "not known", *shares, *points, str(one.n_silent)]


def _share(value: float | None) -> str:
    return "-" if value is None else f"{100.0 * value:.0f} %"


def _counts(report: ValidityReport) -> list[str]:
    rows = [
        [one.part, str(one.n), str(one.n_abstained), str(one.n_refused), str(one.n_inapplicable)]
        for one in report.counts
    ]
    lines = ["## What was assessed", ""]
    lines += table(["part", "files", "abstained", "refused", "cases that do not apply"], rows)
    if report.refusals:
        lines += ["Refusals, by reason:", ""]
        lines += [f"- {n}: {reason}" for reason, n in report.refusals.items()]
    return lines
