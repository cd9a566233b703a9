"""What a reader should know after a minute."""

from __future__ import annotations

from results_page.criteria import (
    GROUPS,
    OCCURS,
    TARGET,
    counted,
    coverage_range,
    failures,
    multimodal_gains,
    performance,
)
from results_page.sources import INTERPRETIVE, MEAN_9, MEAN_19, RIDGE, TECHNICAL, Sources
from results_page.writing import listed, number, percent, plain, with_interval


def section(sources: Sources) -> str:
    """Whether the objectives are met, what works, what does not, limitations."""
    return "\n\n".join([objectives(sources), works(sources), fails(sources), limitations(sources)])


def objectives(sources: Sources) -> str:
    """Counts of the criteria, and how far the project's target of agreement is reached."""
    rows = performance(sources)
    minimum, target = counted(rows, 0), counted(rows, 1)
    reached = {
        group: [name for name in names if sources.ratings(name, "pearson_r").value > TARGET.least_r[group]]
        for group, names in GROUPS.items()
    }
    found = [name for names in reached.values() for name in names]
    missed = [plain(name) for name in TECHNICAL + INTERPRETIVE if name not in found]
    words = "met" if target[0] == len(rows) else "partly met" if minimum[0] else "not met"
    share = " and ".join(f"{len(reached[g])} of {len(GROUPS[g])} {g.lower()}" for g in GROUPS)
    occurring = sum(row.verdict == OCCURS for row in failures(sources))
    return (
        f"**The objectives are {words}.** The ratings reach the target for agreement with listeners (r >"
        f" {TARGET.least_r['Technical']:.2f} technical, > {TARGET.least_r['Interpretive']:.2f}"
        f" interpretive) in {share} dimensions"
        + (f", not in {listed(missed)}. " if missed else ". ")
        + f"Of the criteria below that could be measured, {minimum[0]} of {minimum[1]} are met at the"
        f" minimum and {target[0]} of {target[1]} at the target; failure conditions that occur:"
        f" {occurring}."
    )


def works(sources: Sources) -> str:
    """What can be relied on."""
    r = {name: sources.ratings(name, "pearson_r").value for name in TECHNICAL + INTERPRETIVE}
    best = max(r, key=r.__getitem__)
    model = sources.listeners(MEAN_19, "r2")
    ceiling = sources.ceilings("19 descriptors")
    nothing = sources.leaderboard("percepiano_pianist_mean", "clusters", "19 descriptors")["r2"]["value"]
    met, total = sources.validity_count()
    wrong = sources.validity("wrong_notes_overall", "keys_score")["value"]
    rank = sources.validity("skill_all", "transcribed_score")["value"]
    return (
        f"**What works.** A model of the listeners alone explains R2 {with_interval(model)} of their 19"
        f" descriptors on new music; {number(ceiling['clusters'])} can be expected at most, and the"
        f" pianist's mean, which needs no listening, has {number(nothing)}. Of the ratings that people"
        f" see, which must also fall with damage, {plain(best)} is best (r {number(r[best])}). Their 90 %"
        f" intervals hold {coverage_range(sources)} of the listeners' means. Damage costs: wrong notes at"
        f" their full dose take {number(wrong, 1)} points off overall quality, and {met} of {total} bars"
        " of the validity suite are met. Takes of students are ordered much as four teachers order them"
        f" (rank correlation {number(rank, 2)})."
    )


def fails(sources: Sources) -> str:
    """What cannot be relied on."""
    r2 = {name: sources.ratings(name, "r2").value for name in TECHNICAL + INTERPRETIVE}
    worst = min(r2, key=r2.__getitem__)
    shown, alone = sources.ratings(MEAN_9, "r2").value, sources.listeners(MEAN_9, "r2").value
    linear = sources.listeners(MEAN_9, "r2", system=RIDGE).value
    within = sources.ratings(MEAN_9, "pair_accuracy_within").value
    mae, constant = sources.students("submission", "mae"), sources.students("constant", "mae")
    covered = sources.students("submission", "coverage_90")
    new_work = sources.leaderboard("percepiano_kernel_ridge", "work", "19 descriptors")["r2"]["value"]
    weak = "worse than a constant" if r2[worst] < 0 else "the weakest"
    gains = multimodal_gains(sources)
    sound = f" Sound beside notes: {gains[2]}." if gains else ""
    return (
        f"**What does not.** {plain(worst).capitalize()} is {weak} (R2 {number(r2[worst])}). Ratings that"
        " must also fall with damage agree less with these listeners, who heard advanced players: R2"
        f" {number(shown)} over nine dimensions, a model of the listeners alone {number(alone)}, linear"
        f" regression on ten features {number(linear)}. Of two human performances of the same bars, the"
        f" one that listeners rate higher is found in {percent(within, 0)} of pairs; half are right by"
        f" guessing. On takes of students the level is wrong: MAE {number(mae, 1)} where a constant has"
        f" {number(constant, 1)}, and 90 % intervals hold {percent(covered, 0)}. On a work of which"
        f" nothing was learned, R2 falls to {number(new_work)} (kernel ridge).{sound}"
    )


def limitations(sources: Sources) -> str:
    """What these figures do not say."""
    excerpts = int(sources.leaderboard("percepiano_constant", "clusters", "19 descriptors")["n_excerpts"])
    graded = int(sources.validity("skill_all", "transcribed_score")["n"])
    works_there = sources.found("results/calibration_methods/calibration.md", r"of: .*?, (\d+) works")
    return (
        f"**Limitations.** All agreement with listeners is on {excerpts} excerpts of {works_there} works"
        f" by Beethoven and Schubert, played by advanced pianists; all beginners are the {graded} takes of"
        " three easy pieces. The damage of the validity suite is made, on few pieces. Real microphones"
        " and rooms are hardly tried: recordings were synthesised but for two. One general factor carries"
        " much of what raters say, so the ten ratings are less independent than they look."
    )
