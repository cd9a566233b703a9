"""What each measure of damage answers to: `python benchmarks/damage.py --asap FILE --pieces FILE`.

On excerpts of pieces that the anchors were not fitted to: the harm of every measure before and after each
corruption and composite damage (responses.csv), and after changes that are no damage (invariance.csv). On
whole takes of each corpus the harm of undamaged play (clean.csv). With `--students`, takes graded by
teachers: rank correlation of the mean harm with the mean grade. README.md sums up. Nothing is fitted.
"""

from __future__ import annotations

import argparse
import csv
import io
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from damage_material import Take, read_students, read_takes
from damage_report import medians, summary

from tocco.errors import ToccoError
from tocco.evaluation.validity.composites import damaged_by
from tocco.files import write_bytes
from tocco.music.alignment import Alignment
from tocco.music.corruption import CORRUPTIONS
from tocco.music.performance import Performance
from tocco.music.symbolic_augmentation import scale_tempo, transpose
from tocco.pseudo_labels.damage.anchors import DamageAnchors, load_anchors, reference_anchors
from tocco.pseudo_labels.damage.harm import harm
from tocco.pseudo_labels.damage.measure import measure_damage
from tocco.pseudo_labels.fitting.damage import WINDOW_SEC, cut_window, damaged
from tocco.pseudo_labels.fitting.heavy_damage import HeavyDamage, Make, corrupted
from tocco.pseudo_labels.observed.evidence import Evidence

STEPS: Final = (3, 5)
EXCERPTS: Final = 12
SHIFT_SEC: Final = 2.0
SAME_NOTES: Final = frozenset(
    {kind.name for kind in CORRUPTIONS.values() if kind.target in ("dynamics_control", "tone_quality")}
    | {"clipped_articulation", "smeared_articulation"}
    | {kind.name for kind in CORRUPTIONS.values() if kind.target == "pedaling_technique"}
)
"""Corruptions that leave every onset and pitch, so that the alignment stays true."""


def damages() -> list[HeavyDamage]:
    """Every corruption at two steps of its ladder, and the composites."""
    found = [
        HeavyDamage(
            f"{kind.name} {kind.ladder[step - 1]:g}",
            (),
            "kept" if kind.name in SAME_NOTES else "found",
            corrupted(kind.name, kind.ladder[step - 1]),
        )
        for kind in CORRUPTIONS.values()
        for step in STEPS
    ]
    composites = (
        ("sustain held throughout", "kept", composite("sustain_held", 1.0)),
        ("no pedal", "kept", composite("no_pedal", 1.0)),
        ("random velocities", "kept", composite("random_velocities", 1.0)),
        ("legatissimo", "kept", composite("legatissimo", 4.0)),
        ("jitter 50 ms", "found", composite("jitter", 50.0)),
        ("jitter 150 ms", "found", composite("jitter", 150.0)),
        ("hand a semitone off", "found", composite("hand_semitone_off", 1.0)),
        ("hands 200 ms apart", "found", composite("hands_apart", 200.0)),
        ("25 % wrong notes", "found", corrupted("wrong_notes", 0.25)),
        ("40 % wrong notes", "found", corrupted("wrong_notes", 0.40)),
        ("mess", "found", composite("mess", 1.0)),
        ("mashing", "none", composite("mashing", 1.0)),
    )
    return [*found, *(HeavyDamage(name, (), how, make) for name, how, make in composites)]


def composite(name: str, dose: float) -> Make:
    """One of the composites of the validity suite."""

    def make(performance: Performance, alignment: Alignment, rng: np.random.Generator) -> Performance:
        return damaged_by(name, performance, dose, rng, alignment).performance

    return make


@dataclass(frozen=True)
class Change:
    """Harm of one excerpt before and after a change.

    Attributes
    ----------
    excerpt, change : names
    before, after : measure -> harm
    """

    excerpt: str
    change: str
    before: Mapping[str, float]
    after: Mapping[str, float]


def harm_of(evidence: Evidence, anchors: DamageAnchors) -> dict[str, float]:
    """Harm of every measure that there is."""
    return harm(measure_damage(evidence), anchors)


def excerpts(takes: Sequence[Take], n: int) -> list[tuple[Take, float]]:
    """One place of one take of each of n pieces, spread evenly over the pieces."""
    of_piece = {
        take.piece: take for take in reversed(takes) if take.performance.duration_sec > 2 * WINDOW_SEC
    }
    pieces = sorted(of_piece)
    chosen = [pieces[k] for k in np.unique(np.linspace(0, len(pieces) - 1, n).round().astype(int))]
    return [(of_piece[name], 0.4 * (of_piece[name].performance.duration_sec - WINDOW_SEC)) for name in chosen]


def responses(takes: Sequence[Take], anchors: DamageAnchors, n: int) -> Iterator[Change]:
    """Harm before and after every damage."""
    for take, start in excerpts(takes, n):
        performance, alignment = cut_window(take.performance, take.alignment, start, start + WINDOW_SEC)
        before = harm_of(Evidence(performance, alignment), anchors)
        for damage in damages():
            rng = np.random.default_rng(zlib.crc32(f"{take.name} {damage.name}".encode()))
            evidence = damaged(damage, performance, alignment, rng)
            if evidence is not None:
                yield Change(take.name, damage.name, before, harm_of(evidence, anchors))


def invariance(takes: Sequence[Take], anchors: DamageAnchors, n: int) -> Iterator[Change]:
    """Harm before and after changes that are no damage."""
    for take, start in excerpts(takes, n):
        part = cut_window(take.performance, take.alignment, start, start + WINDOW_SEC)
        before = harm_of(Evidence(*part), anchors)
        for name, changed in _unharmed(*part):
            yield Change(take.name, name, before, harm_of(changed, anchors))
        for shift in (-SHIFT_SEC, SHIFT_SEC):
            moved = cut_window(take.performance, take.alignment, start + shift, start + shift + WINDOW_SEC)
            yield Change(take.name, f"cut {shift:+g} s", before, harm_of(Evidence(*moved), anchors))
        whole = harm_of(Evidence(take.performance, take.alignment), anchors)
        yield Change(take.name, "whole take", before, whole)


def _unharmed(performance: Performance, alignment: Alignment) -> Iterator[tuple[str, Evidence]]:
    """The excerpt faster, slower, higher and lower."""
    for ratio in (0.9, 1.1):
        changed = scale_tempo(performance, ratio)
        yield f"tempo {ratio:g}", Evidence(changed.performance, changed.alignment(alignment))
    for semitones in (-2, 2):
        try:
            changed = transpose(performance, semitones)
        except ToccoError:
            continue
        yield f"transposed {semitones:+d}", Evidence(changed.performance, changed.alignment(alignment))


def clean(corpora: Mapping[str, Sequence[Take]], anchors: DamageAnchors) -> list[dict[str, object]]:
    """Harm of every whole take: one row each."""
    return [
        {"corpus": name, "take": take.name, "piece": take.piece, "grade": take.grade}
        | harm_of(Evidence(take.performance, take.alignment), anchors)
        for name, takes in corpora.items()
        for take in takes
    ]


def _rows_of(changes: Sequence[Change]) -> list[dict[str, object]]:
    """One row for each measure of each change."""
    return [
        {
            "excerpt": one.excerpt,
            "change": one.change,
            "measure": name,
            "before": one.before.get(name, float("nan")),
            "after": one.after.get(name, float("nan")),
        }
        for one in changes
        for name in sorted({*one.before, *one.after})
    ]


def write_csv(path: Path, rows: Sequence[Mapping[str, object]]) -> None:
    """Rows with all their columns; numbers with four decimals."""
    columns = list(dict.fromkeys(name for row in rows for name in row))
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    for row in rows:
        writer.writerow({k: round(v, 4) if isinstance(v, float) else v for k, v in row.items()})
    write_bytes(path, text.getvalue().encode())


def main() -> None:
    """Measure, and write the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--asap", type=Path, required=True, help="label file of performances with scores")
    parser.add_argument("--pieces", type=Path, required=True, help="pieces to use, one a line")
    parser.add_argument("--without", type=Path, help="pieces not to use: those of the fit")
    parser.add_argument("--takes", type=int, default=2, help="takes for each piece")
    parser.add_argument("--other", type=Path, nargs="*", default=[], help="label files of other corpora")
    parser.add_argument("--students", type=Path, help="CSV: id, midi, score, piece, instructor1, ...")
    parser.add_argument("--anchors", type=Path, help="in place of those that ship")
    parser.add_argument("--excerpts", type=int, default=EXCERPTS)
    parser.add_argument("-o", "--output", type=Path, default=Path("results/damage"))
    options = parser.parse_args()
    anchors = reference_anchors() if options.anchors is None else load_anchors(options.anchors)
    asap = read_takes(options.asap, options.pieces, options.without, takes=options.takes)
    corpora = {"ASAP": asap}
    for path in options.other:
        taken = read_takes(path)
        corpora[taken[0].corpus] = taken
    if options.students is not None:
        corpora["students"] = read_students(options.students)
    options.output.mkdir(parents=True, exist_ok=True)
    undamaged = clean(corpora, anchors)
    write_csv(options.output / "clean.csv", undamaged)
    answered = list(responses(asap, anchors, options.excerpts))
    write_csv(options.output / "responses.csv", medians(_rows_of(answered)))
    kept = list(invariance(asap, anchors, options.excerpts))
    write_csv(options.output / "invariance.csv", medians(_rows_of(kept)))
    text = summary(undamaged, _rows_of(answered), _rows_of(kept), anchors)
    write_bytes(options.output / "README.md", text.encode())


if __name__ == "__main__":
    main()
