"""What to do next, with what is expected and what is unknown."""

from __future__ import annotations

from results_page.criteria import multimodal_gains
from results_page.sources import MEAN_9, Sources
from results_page.writing import number, table


def section(sources: Sources) -> str:
    """A few steps, each with its expectation and what nobody knows."""
    choice = sources.json("results/labelling/active_learning.json")
    drawn = [sum(column) / len(column) for column in zip(*choice["r2"]["random"], strict=True)]
    sizes = choice["sizes"]
    shown, alone = sources.ratings(MEAN_9, "r2").value, sources.listeners(MEAN_9, "r2").value
    mae, constant = sources.students("submission", "mae"), sources.students("constant", "mae")
    top, new_work = (
        sources.leaderboard("percepiano_kernel_ridge", protocol, "19 descriptors")["r2"]["value"]
        for protocol in ("clusters", "work")
    )
    coverage = sources.students("submission", "coverage_90")
    rows = [
        (
            "Let teachers rate 200 to 300 takes from beginners to professionals, on real recordings"
            " (`tocco label`)",
            f"the level for students comes right: MAE below the constant's {number(constant, 1)} (now"
            f" {number(mae, 1)}), 90 % intervals above {number(coverage, 2)} coverage",
            "whether teachers agree enough on each dimension; whether microphones change the ratings",
        ),
        (
            "Rate more music, up to 2,500 excerpts",
            f"R2 still rises: {number(drawn[0])} at {sizes[0]}, {number(drawn[-1])} at {sizes[-1]},"
            f" {number(choice['r2_all'])} at {choice['n_all']} excerpts; most by works that are new (new"
            f" music {number(top)}, a new work {number(new_work)})",
            "how far it rises beyond; the figures are of one corpus",
        ),
        (
            "Fit perception and deductions at once, to listeners, teachers and damage",
            f"part of the gap between the ratings' R2 {number(shown)} and the model's {number(alone)} closes",
            "how much of it can close while damage still costs what it must",
        ),
        (
            "Train the full network with MERT (95M, then 330M, and an ensemble) on a GPU",
            _sound(sources),
            "everything about its size; published figures rest on splits that leak or are not known",
        ),
    ]
    return table(("step", "expected", "unknown"), rows, words=3)


def _sound(sources: Sources) -> str:
    gains = multimodal_gains(sources)
    if gains is None:
        return "sound may add what notes lack, above all tone; no figure of this project yet"
    return f"little by the compact encoder: {gains[2]}"
