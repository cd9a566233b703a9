"""Whether intervals of ranks hold the true rank, in fields of performances whose merits are known.

    python benchmarks/ranking.py -o results/ranking/report.md [--fields 200]

Merits, errors of ratings and errors of jurors are normal; each juror has a scale of their own.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tocco.files import write_bytes
from tocco.ranking.comparisons import Comparisons, jury_comparisons
from tocco.ranking.davidson import strength_posterior
from tocco.ranking.joint import (
    Merits,
    PairedDifferences,
    chance_of_being_better,
    joint_merits,
    rank_intervals,
    ranks_of,
)
from tocco.ranking.jury import Jury, Mark
from tocco.ranking.measured import readings
from tocco.units import FloatArray

SEED = 1
N_DRAWS = 1000
SURE = 0.95


@dataclass(frozen=True)
class Setting:
    """A kind of field: numbers of performances and jurors, and standard deviations in points."""

    name: str
    n: int = 8
    n_jurors: int = 4
    merit: float = 6.0
    of_rating: float = 5.0
    of_juror: float = 10.0
    is_related: bool = True


SETTINGS = (
    Setting("8 performances, 4 jurors"),
    Setting("16 performances", n=16),
    Setting("3 jurors", n_jurors=3),
    Setting("9 jurors", n_jurors=9),
    Setting("performances nearly alike", merit=2.0),
    Setting("performances far apart", merit=18.0),
    Setting("ratings hardly related to merit", of_rating=15.0),
    Setting("ratings of something else", is_related=False),
)


def judged(setting: Setting, rng: np.random.Generator) -> tuple[FloatArray, Merits, Comparisons]:
    """True merits of one field, what ratings say about them, and what jurors do."""
    true = rng.normal(0.0, setting.merit, setting.n)
    meant = true if setting.is_related else rng.normal(0.0, setting.merit, setting.n)
    rating = meant + rng.normal(0.0, setting.of_rating, setting.n)
    gain = setting.merit**2 / (setting.merit**2 + setting.of_rating**2)
    sd = np.full((setting.n, setting.n), np.sqrt(2.0 * gain) * setting.of_rating)
    np.fill_diagonal(sd, 0.0)
    merits = joint_merits(PairedDifferences(gain * (rating[:, None] - rating[None, :]), sd))
    names = [str(k) for k in range(setting.n)]
    marks = []
    for juror in range(setting.n_jurors):
        mark = true + rng.normal(0.0, setting.of_juror, setting.n)
        mark = np.round(50.0 + rng.uniform(0.3, 1.0) * mark)
        marks += [
            Mark(str(juror), name, max(float(value), 0.0)) for name, value in zip(names, mark, strict=True)
        ]
    return true, merits, jury_comparisons(Jury(tuple(marks)), names)


def methods(merits: Merits, jury: Comparisons, rng: np.random.Generator) -> Iterator[tuple[str, FloatArray]]:
    """Draws by each way to rank, and by the two that take all pairs for independent."""
    n = len(merits.mean)
    yield "ratings", merits.draws(rng, N_DRAWS)
    yield "ratings, pairs independent", Merits(merits.mean, merits.covariance * 2.0 / n).draws(rng, N_DRAWS)
    yield "jury", strength_posterior(jury.better, jury.tied, rng, N_DRAWS).draws
    every = (n + 1.0) / 3.0
    yield (
        "jury, pairs independent",
        strength_posterior(jury.better * every, jury.tied * every, rng, N_DRAWS).draws,
    )
    known = list(readings(merits.mean, merits.covariance))
    yield "both", strength_posterior(jury.better, jury.tied, rng, N_DRAWS, known).draws


def figures(setting: Setting, n_fields: int) -> dict[str, FloatArray]:
    """(4,) a method: share of true ranks held, width of the interval, share of pairs said, right of these."""
    rng = np.random.default_rng(SEED)
    total: dict[str, FloatArray] = {}
    for _ in range(n_fields):
        true, merits, jury = judged(setting, rng)
        rank, better = ranks_of(true[None])[0], true[:, None] > true[None, :]
        for name, draws in methods(merits, jury, rng):
            interval = rank_intervals(ranks_of(draws))
            said = chance_of_being_better(draws) > SURE
            held = (rank >= interval[:, 0]) & (rank <= interval[:, 1])
            row = [
                held.mean(),
                np.diff(interval, axis=1).mean() + 1.0,
                said.sum() / (setting.n * (setting.n - 1) / 2),
                (said & better).sum() / (setting.n * (setting.n - 1) / 2),
            ]
            total[name] = total.get(name, np.zeros(4)) + np.array(row) / n_fields
    return total


def report(n_fields: int) -> str:
    """All figures as Markdown."""
    lines = [
        "# Ranks of performances whose merits are known",
        "",
        f"- command: python benchmarks/ranking.py -o results/ranking/report.md --fields {n_fields}",
        f"- fields of each kind: {n_fields}; seed: {SEED}",
        "- standard deviations in points, unless said: merits 6, errors of ratings 5, of a juror's mark 10",
        "",
        "**held**: true ranks inside the 90 % interval. **width**: ranks in it. **said**: pairs that are",
        'called distinguished. **right**: how many of these are. "Pairs independent": what the mistake of',
        "taking the pairs for independent evidence would give.",
    ]
    for setting in SETTINGS:
        lines += ["", f"## {setting.name[:1].upper()}{setting.name[1:]}", ""]
        lines += ["| by | held | width | said | right |", "| --- | --- | --- | --- | --- |"]
        for name, (held, width, said, right) in figures(setting, n_fields).items():
            of_said = f"{100.0 * right / said:.1f} %" if said > 0.0 else "-"
            lines.append(
                f"| {name} | {100.0 * held:.1f} % | {width:.1f} | {100.0 * said:.1f} % | {of_said} |"
            )
    return "\n".join(lines) + "\n"


def main() -> None:
    """Print the report, and write it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--fields", type=int, default=200)
    options = parser.parse_args()
    print(text := report(options.fields))
    write_bytes(options.output, text.encode())


if __name__ == "__main__":
    main()
