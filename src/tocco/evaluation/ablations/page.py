"""The page about a set of ablations: what earns its place, the tables, and what they rest on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from tocco.evaluation.ablations.comparison import (
    FIGURES,
    FULL,
    MULTIMODAL_GAIN,
    PRETRAINING_GAIN,
    R2,
    Comparison,
    Experiment,
    Gain,
    Verdict,
)
from tocco.evaluation.ablations.ratings import BASELINES, PASSAGE_MEAN, UNTRAINED
from tocco.evaluation.cross_validation.summary import CONSTANT
from tocco.evaluation.markdown import number, table

FEW_CLUSTERS: Final = 20
"""Below, a bootstrap over clusters is coarse, and its intervals tend to be too narrow."""

_R, _MAE = FIGURES.index("pearson_r"), FIGURES.index("mae")


def page(
    found: Comparison,
    experiments: Sequence[Experiment],
    provenance: Mapping[str, str],
    untrained: Sequence[str],
    picture: str,
) -> str:
    """The page in Markdown, conclusion first.

    Parameters
    ----------
    found
    experiments : with `FULL` first
    provenance : name -> value, in this order
    untrained : names of experiments that are not trained yet
    picture : file name
    """
    changed = [one for one in experiments if one.name != FULL]
    lines = [
        "# Ablations",
        "",
        *_conclusions(found, changed),
        *_expectations(found, experiments),
        *_baselines(found),
        *([f"- Not trained yet: {', '.join(untrained)}."] if untrained else []),
        "",
        f"![Difference in mean R2 to the full network]({picture})",
        "",
        "Blue: the interval shows a gain of what the full network has, or of what is added. Orange: it costs."
        " Grey: not shown.",
        "",
        *_means(found, changed),
        *_by_target(found, experiments),
        *_basis(found, experiments, provenance),
    ]
    return "\n".join(lines).rstrip() + "\n"


def _conclusions(found: Comparison, changed: Sequence[Experiment]) -> list[str]:
    """A line for each verdict, removals and additions apart."""
    lines = []
    for is_removal, words in ((True, _REMOVED), (False, _ADDED)):
        chosen = [one for one in changed if (one.removes is not None) == is_removal]
        for verdict, start in words.items():
            named = [one.removes or one.adds or "" for one in chosen if found.verdict(one) is verdict]
            if named:
                lines.append(f"- **{start}**: {', '.join(named)}.")
    return lines


_REMOVED: Final = {
    Verdict.EARNS: "Earn their place (the network without it is worse, interval below 0)",
    Verdict.NOT_SHOWN: "Not shown to earn their place (the interval contains 0)",
    Verdict.COSTS: "Cost (the network without it is better, interval above 0)",
}
_ADDED: Final = {
    Verdict.WOULD_GAIN: "Would gain if added",
    Verdict.NOT_SHOWN: "No gain shown by adding",
    Verdict.COSTS: "Would cost if added",
}


def _expectations(found: Comparison, experiments: Sequence[Experiment]) -> list[str]:
    full = next(one for one in experiments if one.name == FULL)
    return [
        _expectation(
            "Audio and notes against the better of the two alone",
            MULTIMODAL_GAIN,
            found.multimodal,
            "not measured: it takes one network of each alone",
        ),
        _expectation(
            "Pre-training",
            PRETRAINING_GAIN,
            found.pretraining,
            "not measured: it takes the full network from random weights beside it"
            if full.is_pretrained
            else "not measured here: all networks start from random weights",
        ),
    ]


def _expectation(what: str, expected: float, gain: Gain | None, missing: str) -> str:
    start = f"- {what}, expected: more than {expected:.0%} better. "
    if gain is None:
        return f"{start}{missing[0].upper()}{missing[1:]}."
    if not np.isfinite(gain.value):
        return f"{start}No ratio: the mean R2 of {gain.over} is not above 0."
    answer = "met" if gain.low > expected else "not met" if gain.value <= expected else "not shown"
    ends = (
        f"95 % interval {gain.low:+.0%} to {gain.high:+.0%}"
        if np.isfinite([gain.low, gain.high]).all()
        else "no interval: in some draws the other explains nothing"
    )
    return f"{start}Measured in mean R2, against {gain.over}: {gain.value:+.0%} ({ends}): **{answer}**."


def _baselines(found: Comparison) -> list[str]:
    r2 = {name: found.mean_r2(name) for name in (FULL, *BASELINES)}
    low, high = found.interval(UNTRAINED)
    same = " (the same, since no passage of a fold of new music is trained on)"
    is_same = np.isclose(r2[CONSTANT], r2[PASSAGE_MEAN], atol=1e-6)
    return [
        f"- Training gains {r2[FULL] - r2[UNTRAINED]:+.3f} in mean R2 (95 % interval {-high:+.3f} to"
        f" {-low:+.3f}): {r2[FULL]:.3f} with it, {r2[UNTRAINED]:.3f} before the first step.",
        f"- Without listening: the mean training rating {r2[CONSTANT]:.3f}, the mean of the passage"
        f" {r2[PASSAGE_MEAN]:.3f}{same if is_same else ''}.",
    ]


def _means(found: Comparison, changed: Sequence[Experiment]) -> list[str]:
    """Table of means over the dimensions, the largest loss first."""
    order = sorted(changed, key=lambda one: found.mean_r2(one.name))
    rows = [[FULL, "", *_three(found, FULL), "", "", ""]]
    for one in order:
        low, high = found.interval(one.name)
        rows.append(
            [
                one.name,
                one.change,
                *_three(found, one.name),
                f"{found.mean_r2(one.name) - found.mean_r2(FULL):+.3f}",
                f"{low:+.3f} to {high:+.3f}",
                str(found.verdict(one)),
            ]
        )
    rows += [
        [name, words, *_three(found, name), *_difference(found, name), ""]
        for name, words in BASELINES.items()
    ]
    header = ["network", "change", "r", "R2", "MAE", "R2 minus full", "95 % interval", "verdict"]
    return [f"## {_upper(found.targets[found.main])}", "", *table(header, rows)]


def _three(found: Comparison, system: str) -> list[str]:
    value = found.systems[system].value[:, found.main]
    return [number(value[_R], ".3f"), number(value[R2], ".3f"), number(value[_MAE], ".2f")]


def _difference(found: Comparison, system: str) -> list[str]:
    low, high = found.interval(system)
    return [f"{found.mean_r2(system) - found.mean_r2(FULL):+.3f}", f"{low:+.3f} to {high:+.3f}"]


def _by_target(found: Comparison, experiments: Sequence[Experiment]) -> list[str]:
    """Tables of r and of the difference in R2, a row a target; the descriptors are in the CSV file."""
    names = [one.name for one in experiments]
    n = found.main if "dimensions" in found.targets[found.main] else 0
    shown = [t for t in range(len(found.targets)) if found.targets[t] in _dimensions(found)] + [n]
    r = [
        [found.targets[t], *(number(found.systems[name].value[_R, t], ".3f") for name in names)]
        for t in shown
    ]
    differences = [
        [found.targets[t], str(found.n_labels[t]), number(found.systems[FULL].value[R2, t], ".3f")]
        + [_bracketed(found, name, t) for name in names if name != FULL]
        for t in shown
    ]
    return [
        "## r by dimension",
        "",
        *table(["", *names], r),
        "## R2 by dimension: full, and the difference of each ablation to it",
        "",
        "In brackets: 95 % intervals, paired; in bold where they leave out 0.",
        "",
        *table(["", "n", FULL, *(name for name in names if name != FULL)], differences),
    ]


def _dimensions(found: Comparison) -> tuple[str, ...]:
    from tocco.rubrics import DIMENSIONS

    return tuple(name for name in found.targets if name in DIMENSIONS)


def _bracketed(found: Comparison, system: str, column: int) -> str:
    difference = found.systems[system].difference
    assert difference is not None
    value, low, high = (
        float(part[R2, column]) for part in (difference.value, difference.low, difference.high)
    )
    if not np.isfinite([value, low, high]).all():
        return number(value, "+.3f")
    text = f"{value:+.3f} [{low:+.3f}, {high:+.3f}]"
    return f"**{text}**" if low > 0 or high < 0 else text


def _basis(found: Comparison, experiments: Sequence[Experiment], provenance: Mapping[str, str]) -> list[str]:
    lines = [
        "## What this rests on",
        "",
        *(f"- {name}: {value}" for name, value in provenance.items()),
        f"- {found.n_performances} held-out performances of {found.n_clusters} clusters of shared music."
        + (
            " So few clusters make a bootstrap coarse: its intervals tend to be too narrow."
            if found.n_clusters < FEW_CLUSTERS
            else ""
        ),
        "- Rule, set before any figure: a part earns its place if the 95 % interval of the paired difference"
        " in mean R2 over the dimensions lies below 0 without it; what is added would gain if it lies above"
        " 0.",
        *_seeds(found, experiments),
    ]
    if any(one.is_pretrained for one in experiments):
        lines.append(
            "- A part that an ablation puts in the place of another starts from random weights, while the"
            " full network's starts from those of the other stage: the difference includes that."
        )
    return lines


def _seeds(found: Comparison, experiments: Sequence[Experiment]) -> list[str]:
    """What another seed changes, where an ensemble shows it."""
    members = next((one.members for one in experiments if one.members), ())
    if len(members) < 2:
        return ["- One seed each: what another seed would change is unknown, and not in the intervals."]
    r2 = [found.mean_r2(name) for name in members]
    shown = ", ".join(f"{value:.3f}" for value in r2)
    return [
        "- One seed each, and the intervals do not hold what another seed would change. Members of the"
        f" ensemble, which differ by their seed alone: mean R2 {shown}, standard deviation"
        f" {np.std(r2, ddof=1):.3f}."
    ]


def _upper(text: str) -> str:
    return text[0].upper() + text[1:]
