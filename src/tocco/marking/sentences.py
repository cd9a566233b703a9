"""What a personal calibration says about itself, in the words that every assessment with it repeats."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from tocco.inference.marks import MarkScale
from tocco.marking.calibration import FittedMap, LeaveOneOut, MarksSource
from tocco.marking.table import AGGREGATE

NO_GAIN: Final = "not better than the default by more than chance"
LOSS: Final = "worse than the default by more than chance"
TOO_FEW: Final = "too few marks to see whether this is better than the default"


def sentences(
    name: str,
    source: MarksSource,
    scales: Mapping[str, MarkScale],
    maps: Mapping[str, FittedMap],
    aggregate: FittedMap | None,
) -> tuple[str, ...]:
    """What it rests on, what it gains by leave-one-out, and what the marks contradict."""
    found = [_basis(name, source, scales)]
    if aggregate is not None:
        found += [_whole(aggregate), *_other_takes(aggregate)]
    found += _dimensions(maps)
    found += _same_pieces(source, [*maps.values(), *([] if aggregate is None else [aggregate])])
    every = {**maps, **({} if aggregate is None else {AGGREGATE: aggregate})}
    against = [_title(one) for one, fitted in every.items() if fitted.contradicted]
    if against:
        found.append(_contradiction(against, source))
    return tuple(found)


def _basis(name: str, source: MarksSource, scales: Mapping[str, MarkScale]) -> str:
    counted = f"{source.n_marks} {source.kind if source.n_marks > 1 else source.kind[:-1]}"
    pieces = f"{source.n_pieces} piece{'s' if source.n_pieces > 1 else ''}"
    takes = "performance" if source.n_takes == 1 else "performances"
    said = f"{name}: fitted to {counted} on {source.n_takes} {takes} of {pieces}"
    shown = {
        f"{scale}{' (found, not given)' if scale.source == 'found' else ''}" for scale in scales.values()
    }
    return f"{said}, on a scale of {' and '.join(sorted(shown))}" if shown else said


def _whole(fitted: FittedMap) -> str:
    if not fitted.checks:
        return f"Whole performance: {TOO_FEW}"
    return _headed("Whole performance", fitted.checks[0])


def _headed(heading: str, check: LeaveOneOut) -> str:
    verdict = "" if check.above_chance else f", {LOSS if check.gain_90[1] < 0.0 else NO_GAIN}"
    return f"{heading}{verdict}: {_figures(check)}"


def _figures(check: LeaveOneOut) -> str:
    out = f"with one {check.left_out} left out at a time"
    if check.measure == "votes":
        low, high = (100.0 * end for end in check.gain_90)
        return (
            f"{out}, {100.0 * check.personal:.0f} % of the votes are in the order of this calibration and "
            f"{100.0 * check.default:.0f} % in that of the default, a gain of {100.0 * check.gain:.0f} "
            f"points of 100 (90 %: {low:.0f} to {high:.0f})"
        )
    low, high = check.gain_90
    return (
        f"{out}, the marks lie {check.default:.1f} of 100 points from the default and {check.personal:.1f} "
        f"from this calibration, a gain of {check.gain:.1f} (90 %: {low:.1f} to {high:.1f}); the mean of the "
        f"other marks alone would lie {check.constant:.1f} off"
    )


def _other_takes(fitted: FittedMap) -> list[str]:
    """The same for other takes of pieces that were marked."""
    if len(fitted.checks) < 2:
        return []
    return [_headed("Other takes of the same pieces", fitted.checks[1])]


def _same_pieces(source: MarksSource, fitted: Sequence[FittedMap]) -> list[str]:
    """That nothing is known of other pieces, where no piece was left out."""
    by_take = any(one.checks and one.checks[0].left_out == "take" for one in fitted)
    if not by_take or source.n_pieces == source.n_takes:
        return []
    pieces = "one piece" if source.n_pieces == 1 else f"{source.n_pieces} pieces"
    return [f"The marks are of {pieces}, too few to see whether this holds for others"]


def _dimensions(maps: Mapping[str, FittedMap]) -> list[str]:
    above = [name for name, one in maps.items() if one.checks and one.checks[0].above_chance]
    worse = [name for name, one in maps.items() if one.checks and one.checks[0].gain_90[1] < 0.0]
    below = [
        name
        for name, one in maps.items()
        if one.checks and not one.checks[0].above_chance and name not in worse
    ]
    few = [name for name, one in maps.items() if not one.checks]
    said = []
    if above:
        said.append(f"Better than the default by leave-one-out: {_gains(above, maps)}")
    if below:
        said.append(f"{NO_GAIN.capitalize()}: {_gains(below, maps)}")
    if worse:
        said.append(f"{LOSS.capitalize()}: {_gains(worse, maps)}")
    if few:
        said.append(f"{', '.join(map(_title, few)).capitalize()}: {TOO_FEW}")
    return said


def _gains(names: list[str], maps: Mapping[str, FittedMap]) -> str:
    checks = {name: maps[name].checks[0] for name in names}
    return ", ".join(
        f"{_title(name)} {check.gain:+.1f} points ({check.gain_90[0]:.1f} to {check.gain_90[1]:.1f})"
        for name, check in checks.items()
    )


def _contradiction(against: list[str], source: MarksSource) -> str:
    said = f"The {source.kind} contradict the ratings, so the default stands: {', '.join(against)}"
    if source.kind == "votes":
        return said
    return f"{said}. Where the lowest number is the best mark, calibrate again with --scale, as in 6-1"


def _title(name: str) -> str:
    return "the whole performance" if name == AGGREGATE else name.replace("_", " ")
