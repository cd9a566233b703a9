"""Whether a comparison tells a damaged copy from its original: pairs of known order."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from tocco.data.records import LabelRecord
from tocco.errors import ToccoError
from tocco.evaluation.markdown import table, verdict
from tocco.evaluation.validity.case import Case, Rater
from tocco.evaluation.validity.kinds import DAMAGES, Group
from tocco.evaluation.validity.material import files_of
from tocco.evaluation.validity.plan import SCORED
from tocco.evaluation.validity.rows import RowPart
from tocco.inference.bundle import load_bundle
from tocco.inference.comparison import compare
from tocco.inference.difference import AGGREGATE
from tocco.metrics import bootstrap_interval
from tocco.rubrics import DIMENSIONS
from tocco.units import BoolArray, IntArray

STEPS: Final = (3, 5)
"""Of five: the middle and the gravest dose. A slight dose may be within what competent pianists do."""

RIGHT_BAR: Final = 0.97
SAID_BAR: Final = 0.80
"""Written down before the figures were looked at."""

_GROUPS: Final[tuple[Group, ...]] = ("seen", "held_out", "composite")
_DRAWS: Final = 1000


@dataclass(frozen=True)
class DamagedPair:
    """An original, which is compared with its damaged copy.

    Attributes
    ----------
    piece, kind, step
    verdicts : dimension, or "aggregate" -> what is said of the original
    """

    piece: str
    kind: str
    step: int
    verdicts: dict[str, str]

    @property
    def target(self) -> str | None:
        """What is said of the dimension that suffers most; None where it is not compared."""
        return self.verdicts.get(DAMAGES[self.kind].target)


@dataclass(frozen=True)
class PairTask:
    """A take with all its damaged copies, for one assessor."""

    take: LabelRecord
    rater: Rater
    kinds: tuple[str, ...]
    seconds: float
    seed: int


def compare_damaged(task: PairTask) -> list[DamagedPair]:
    """The original of a take compared with each damaged copy; what cannot be made or rated is absent."""
    assessor = task.rater.assessor_of(task.rater.bundle)
    bundle = load_bundle(task.rater.bundle)
    found: list[DamagedPair] = []
    with tempfile.TemporaryDirectory(prefix="tocco-") as folder:
        (_, files), *_ = files_of(_case(task, "clean", "", ()), Path(folder))
        original = assessor.assess(None, files.midi, files.score)
        for kind in task.kinds:
            try:
                for name, damaged in files_of(_case(task, "damage", kind, STEPS), Path(folder)):
                    copy = assessor.assess(None, damaged.midi, damaged.score)
                    pair = compare({"copy": copy, "original": original}, bundle).pairs[0]
                    said = {key: one.verdict for key, one in pair.differences.items()}
                    found.append(DamagedPair(task.take.piece_id, kind, name.step, said))
            except ToccoError:
                continue  # such as a piece without pedal for a damage of the pedal
    return found


def _case(task: PairTask, part: RowPart, kind: str, steps: tuple[int, ...]) -> Case:
    return Case(
        part=part,
        kind=kind,
        modality=SCORED,
        take=task.take.segment_id,
        piece=task.take.piece_id,
        midi=task.take.midi_path,
        score=task.take.score_path,
        steps=steps,
        seconds=task.seconds,
        seed=task.seed,
    )


def document(facts: dict[str, str], pairs: Sequence[DamagedPair], *, seed: int) -> str:
    """`damage.md`: how often the original is said to be better, by kind and by group."""
    lines = ["# Damaged copies compared with their originals", ""]
    lines += [f"- {key}: {value}" for key, value in facts.items()]
    lines += [
        "",
        "An excerpt is compared with a copy that was damaged in one respect; the original is the better one",
        "by construction. **said**: how often one of the two is said to be better, in the dimension that",
        "the damage harms most, and on the whole (aggregate). **right**: how often that is the original.",
        f"Bars: said {SAID_BAR:.0%}, right {RIGHT_BAR:.0%}. Brackets: 95 % bootstrap intervals over pieces.",
        "",
    ]
    lines += table(
        ("damage", "pairs", "said, dimension", "right", "bar met", "said, on the whole", "right", "bar met"),
        (
            _row(name, [p for p in pairs if DAMAGES[p.kind].group in groups], seed)
            for name, groups in (("all", _GROUPS), *((group, (group,)) for group in _GROUPS))
            if any(DAMAGES[p.kind].group in groups for p in pairs)
        ),
    )
    lines += ["## Every dimension", "", *_EVERY, ""]
    lines += table(
        ("dimension", "original better", "copy better", "right"),
        (_of_dimension(name, pairs) for name in DIMENSIONS),
    )
    lines += ["## By kind", ""]
    lines += table(
        ("damage", "dimension", "pairs", "said, dimension", "right", "said, on the whole", "right"),
        (_by_kind(kind, [p for p in pairs if p.kind == kind]) for kind in sorted({p.kind for p in pairs})),
    )
    return "\n".join(lines)


_EVERY: Final = (
    "A damage of one respect leaves the others alone or harms them too; it makes none better.",
    "**copy better**: how often the damaged copy is said to be better all the same. **right**: the share",
    f"of what is said that prefers the original; bar {RIGHT_BAR:.0%}.",
)


def _of_dimension(name: str, pairs: Sequence[DamagedPair]) -> tuple[str, ...]:
    verdicts = [pair.verdicts[name] for pair in pairs if name in pair.verdicts]
    better, worse = verdicts.count("better"), verdicts.count("worse")
    right = f"{100 * better / (better + worse):.1f} %" if better + worse else "-"
    return name.replace("_", " "), f"{better} of {len(verdicts)}", f"{worse} of {len(verdicts)}", right


def _row(name: str, pairs: Sequence[DamagedPair], seed: int) -> tuple[str, ...]:
    cells = [name.replace("_", " "), str(len(pairs))]
    pieces = np.array([pair.piece for pair in pairs])
    for verdicts in ([p.target for p in pairs], [p.verdicts.get(AGGREGATE) for p in pairs]):
        said = np.array([one in ("better", "worse") for one in verdicts])
        right = np.array([one == "better" for one in verdicts])
        share, correct = _share(said, None, pieces, seed), _share(right, said, pieces, seed)
        met = said.mean() >= SAID_BAR and right[said].mean() >= RIGHT_BAR if said.any() else False
        cells += [share, correct, verdict(bool(met))]
    return tuple(cells)


def _share(what: BoolArray, among: BoolArray | None, pieces: np.ndarray, seed: int) -> str:
    weight = np.ones(len(what)) if among is None else among.astype(float)
    if not weight.sum():
        return "-"

    def share(index: IntArray) -> float:
        total = weight[index].sum()
        return float((weight[index] * what[index]).sum() / total) if total else float("nan")

    value = f"{100 * share(np.arange(len(what))):.1f} %"
    if len(np.unique(pieces)) < 2:
        return value
    ends = bootstrap_interval(share, pieces, np.random.default_rng(seed), n=_DRAWS)
    return f"{value} [{100 * float(ends.low):.0f}, {100 * float(ends.high):.0f}]"


def _by_kind(kind: str, pairs: Sequence[DamagedPair]) -> tuple[str, ...]:
    cells = [kind.replace("_", " "), DAMAGES[kind].target.replace("_", " "), str(len(pairs))]
    for verdicts in ([p.target for p in pairs], [p.verdicts.get(AGGREGATE) for p in pairs]):
        said = [one for one in verdicts if one in ("better", "worse")]
        cells += [f"{len(said)}", f"{sum(one == 'better' for one in said)}"]
    return tuple(cells)
