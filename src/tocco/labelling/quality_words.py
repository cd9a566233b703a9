"""The report on raters: whom to talk to and about what, then the figures."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import asdict
from typing import Any, Final

from tocco.labelling.agreement import Figure
from tocco.labelling.quality import Quality
from tocco.labelling.rater_checks import RaterChecks

CONSISTENT: Final = 0.7
"""Correlation of a rater's repeated ratings that is wanted."""

AGREES: Final = 0.3
"""Correlation with the mean of the other raters below which there is reason to talk."""

SEVERE: Final = 8.0
"""Points from the mean of the raters; also of drift, and of the mean distance from anchors' known ratings."""

NARROW, WIDE = 0.6, 1.7
"""Spread of ratings relative to that of other raters."""

MOST_OUTLIERS: Final = 20


def concerns(one: RaterChecks) -> tuple[str, ...]:
    """What there is to say to a rater: one sentence a matter, of what is shown beyond chance."""
    checks: list[Callable[[RaterChecks], str | None]] = [
        _consistency,
        _anchors,
        _agreement,
        _severity,
        _drift,
        _spread,
    ]
    return tuple(sentence for check in checks if (sentence := check(one)) is not None)


def _consistency(one: RaterChecks) -> str | None:
    for what, found in (("repeated items", one.repeats), ("the second calibration", one.calibration)):
        if found.r.high < CONSISTENT:
            return (
                f"rates the same segment differently: r {_interval(found.r, '.2f')} on {what}, wanted above "
                f"{CONSISTENT:g}; go through the rating guide together, and ask for shorter sessions"
            )
    return None


def _anchors(one: RaterChecks) -> str | None:
    off = one.anchors.difference
    if _beyond(off, SEVERE):
        side = "above" if off.value > 0.0 else "below"
        return (
            f"rates anchors {side} what is known of them: {_interval(off, '+.1f')} points; "
            "listen to them together"
        )
    return None


def _agreement(one: RaterChecks) -> str | None:
    if one.others.r.high < AGREES:
        return (
            f"hardly agrees with the other raters: r {_interval(one.others.r, '.2f')} on {one.others.n} "
            "segments; ask what each dimension means to them"
        )
    return None


def _severity(one: RaterChecks) -> str | None:
    if _beyond(one.leniency, SEVERE):
        word = "lenient" if one.leniency.value > 0.0 else "severe"
        return (
            f"is {word}: {_interval(one.leniency, '+.1f')} points from the mean of the raters; the debiased "
            "labels have it taken off, so nothing need change"
        )
    return None


def _drift(one: RaterChecks) -> str | None:
    if _beyond(one.drift, SEVERE):
        side = "up" if one.drift.value > 0.0 else "down"
        return (
            f"has moved {side} from first to last item: {_interval(one.drift, '+.1f')} points; "
            "repeat the calibration, and plan shorter sessions"
        )
    return None


def _spread(one: RaterChecks) -> str | None:
    if one.spread < NARROW:
        return (
            f"uses little of the scale: ratings spread {one.spread:.2f} times as far as others'; "
            "show what 10, 30, 70 and 90 sound like"
        )
    if one.spread > WIDE:
        return (
            f"uses more of the scale than others: ratings spread {one.spread:.2f} times as far; "
            "show what 30 and 70 sound like"
        )
    return None


def _beyond(figure: Figure, bar: float) -> bool:
    """Whether a figure lies beyond a bar, and its interval leaves out 0."""
    return abs(figure.value) > bar and (figure.low > 0.0 or figure.high < 0.0)


def unknown(one: RaterChecks) -> str:
    """What cannot be said of a rater yet, as a list; "" where all can."""
    missing = {
        "consistency": one.repeats.r.value if math.isnan(one.calibration.r.value) else 0.0,
        "anchors": one.anchors.r.value,
        "agreement with others": one.others.r.value,
        "severity": one.leniency.value,
        "drift": one.drift.value,
    }
    return ", ".join(name for name, value in missing.items() if math.isnan(value))


def quality_markdown(quality: Quality) -> str:
    """The report as Markdown, conclusion first."""
    lines = [f"# Raters of {quality.title}", "", *_talk(quality), ""]
    lines += [
        f"{quality.n_rated} of {quality.n_segments} segments have a rating that counts, by "
        f"{len(quality.raters)} raters. {quality.n_not_heard} ratings do not count, since less than four "
        "fifths of the segment was heard.",
        "",
    ]
    if quality.groups > 1:
        lines += [
            f"The raters form {quality.groups} groups that share no segment: their severities cannot be "
            "compared across groups. Give everyone some of the same segments.",
            "",
        ]
    lines += ["## Dimensions", "", *_dimensions(quality), "## Raters", "", *_raters(quality)]
    lines += ["## Outliers", "", *_outliers(quality)]
    return "\n".join(lines)


def _talk(quality: Quality) -> list[str]:
    lines = []
    for one in quality.raters:
        lines += [f"- Talk to **{one.rater}**: {sentence}." for sentence in concerns(one)]
    if not quality.raters:
        lines = ["No rating counts yet."]
    elif not lines:
        lines = ["Nothing beyond chance is found that speaks against a rater."]
    for one in quality.raters:
        if missing := unknown(one):
            lines.append(f"- Not known yet of {one.rater}: {missing}.")
    lines += [f"- No rating that counts by {name}." for name in quality.without_ratings]
    return lines


def _dimensions(quality: Quality) -> list[str]:
    header = ("dimension", "ratings", "segments", "mean", "sd", "block", "ICC(1,1)", "ICC(2,k)")
    lines = _table_head((*header, "Krippendorff's alpha", "uncertain", "cannot say"))
    for one in quality.dimensions:
        lines.append(
            f"| {one.dimension} | {one.n_ratings} | {one.n_segments} | {_number(one.mean)} "
            f"| {_number(one.sd)} | {one.n_block} x {one.k_block} | {_interval(one.icc_1_1, '.2f')} "
            f"| {_interval(one.icc_2_k, '.2f')} | {_interval(one.alpha, '.2f')} "
            f"| {_percent(one.uncertain)} | {_percent(one.cannot_say)} |"
        )
    return [
        *lines,
        "",
        "ICC(1,1): reliability of one rating; ICC(2,k): of the mean of the block's raters. Both are of the "
        "largest block of segments and raters without gaps; alpha is of all segments with two ratings. In "
        "brackets: 95 % intervals.",
        "",
    ]


def _raters(quality: Quality) -> list[str]:
    header = ("rater", "segments", "repeats r", "calibration r", "anchors", "others r", "leniency", "drift")
    lines = _table_head((*header, "spread"))
    for one in quality.raters:
        lines.append(
            f"| {one.rater} | {one.n_segments} | {_interval(one.repeats.r, '.2f')} (n {one.repeats.n}) "
            f"| {_interval(one.calibration.r, '.2f')} (n {one.calibration.n}) "
            f"| {_interval(one.anchors.difference, '+.1f')} (n {one.anchors.n}) "
            f"| {_interval(one.others.r, '.2f')} | {_interval(one.leniency, '+.1f')} "
            f"| {_interval(one.drift, '+.1f')} | {_number(one.spread, '.2f')} |"
        )
    return [
        *lines,
        "",
        "Correlations are within dimensions. Anchors: mean difference from what is known, in points. "
        "Leniency: points above the mean of the raters on the same segments. Drift: points from first to "
        "last item.",
        "",
    ]


def _outliers(quality: Quality) -> list[str]:
    if not quality.outliers:
        return [
            "No rating is farther than three standard deviations from what its segment and rater explain.",
            "",
        ]
    lines = _table_head(("rater", "segment", "dimension", "rating", "expected"))
    for one in quality.outliers[:MOST_OUTLIERS]:
        lines.append(
            f"| {one.rater} | {one.segment} | {one.dimension} | {one.value:.0f} | {one.expected:.0f} |"
        )
    more = len(quality.outliers) - MOST_OUTLIERS
    return [*lines, *([f"... and {more} more."] if more > 0 else []), ""]


def quality_json(quality: Quality) -> str:
    """The report as JSON; what is not known is null."""
    content = asdict(quality) | {
        "schema_version": 1,
        "talk_to": {one.rater: list(concerns(one)) for one in quality.raters},
        "not_known_yet": {one.rater: unknown(one) for one in quality.raters},
    }
    return json.dumps(_without_nan(content), indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def _without_nan(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nan(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nan(item) for item in value]
    if isinstance(value, float):
        return round(value, 4) if math.isfinite(value) else None
    return value


def _table_head(header: tuple[str, ...]) -> list[str]:
    return ["| " + " | ".join(header) + " |", "|" + " --- |" * len(header)]


def _interval(figure: Figure, form: str) -> str:
    if math.isnan(figure.value):
        return "-"
    if math.isnan(figure.low):
        return format(figure.value, form)
    return f"{figure.value:{form}} [{figure.low:{form}}, {figure.high:{form}}]"


def _number(value: float, form: str = ".1f") -> str:
    return "-" if math.isnan(value) else format(value, form)


def _percent(share: float) -> str:
    return "-" if math.isnan(share) else f"{100.0 * share:.0f} %"
