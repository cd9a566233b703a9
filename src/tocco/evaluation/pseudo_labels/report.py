"""The proof of the pseudo-labels as files: what was asked, what came out, and the figures.

`write_proof` leaves in one folder

    proof.md             thresholds first, then every result
    ladders.csv          every kind, severity and dimension: the mean change
    side_effects.csv     the 6 x 6 matrix of (b)
    proof_*.png          a figure for each claim
"""

from __future__ import annotations

import csv
import io
import itertools
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tocco.evaluation.cross_validation.figures import save_png
from tocco.evaluation.markdown import number, table, verdict
from tocco.evaluation.pseudo_labels.claims import (
    DIMENSIONS,
    LEAST_PRECISION,
    LEAST_RECALL,
    THRESHOLDS,
    Agreement,
    Climbed,
    climbed,
    compared,
    detection_interval,
    detection_table,
    difficulty,
    false_claims,
    is_playing,
    side_matrix,
)
from tocco.evaluation.pseudo_labels.figures import (
    agreement_figure,
    detection_figure,
    difficulty_figure,
    ladder_figure,
    matrix_figure,
    robustness_figure,
)
from tocco.evaluation.pseudo_labels.measures import PieceLadders, RatedTake
from tocco.evaluation.pseudo_labels.planted_errors import ERROR_KINDS, SAME_KEY_SEC
from tocco.evaluation.pseudo_labels.transcription import DRAWS_SEED, heard_agreement, transcription_section
from tocco.files import write_bytes
from tocco.music.corruption import CORRUPTIONS
from tocco.pseudo_labels.scale.model import ReferenceScale
from tocco.units import FloatArray

REPORT = "proof.md"

_MOST_CLAIMS = 3
"""So many excerpts are named."""


@dataclass(frozen=True)
class Proof:
    """Everything that was measured.

    Attributes
    ----------
    ladders : of held-out excerpts
    transcribed : the same of excerpts that were heard through a transcriber, and of their true keys
    takes : whole held-out performances
    scale : that rated what the keys sent
    agreements : with people; empty where no ratings were given
    transcriber : command of the one that took part; None for its noise
    """

    ladders: Sequence[PieceLadders]
    transcribed: Sequence[PieceLadders]
    takes: Sequence[RatedTake]
    agreements: Sequence[Agreement]
    scale: ReferenceScale
    transcriber: str | None = None


def write_proof(proof: Proof, facts: Mapping[str, str], folder: Path) -> str:
    """Write report, tables and figures; the same measures give the same text, which is returned."""
    keys, sound = (climbed(proof.ladders, heard) for heard in ("keys", "sound"))
    own, transcribed = (climbed(proof.transcribed, heard) for heard in ("keys", "transcribed"))
    heard_both = heard_agreement(proof.transcribed)
    told = [
        _monotone(keys),
        _specific(keys) + _sound(sound),
        _detection(proof.ladders),
        _difficulty(proof.takes, proof.scale),
        _people(proof.agreements),
        transcription_section(own, transcribed, heard_both, proof.transcriber),
    ]
    untold = [claim for claim, lines in zip(THRESHOLDS, told, strict=True) if not lines]
    parts = ["# Proof of the pseudo-labels", "", "## What is asked", ""]
    parts += [f"- **{claim}**: {asked}." for claim, asked in THRESHOLDS.items()]
    parts += [
        "",
        "## What it was measured on",
        "",
        *(f"- {name}: {fact}" for name, fact in facts.items()),
        *([f"- not measured here: {', '.join(untold)}"] if untold else []),
        "",
        *itertools.chain.from_iterable(told),
        *_left_out(proof),
    ]
    text = "\n".join(parts) + "\n"
    write_bytes(folder / REPORT, text.encode())
    _write_tables(keys, folder)
    _draw(proof, keys, (own, transcribed), folder)
    return text


def _monotone(kinds: Sequence[Climbed]) -> list[str]:
    if not kinds:
        return []
    rows = []
    for one in kinds:
        target = DIMENSIONS.index(one.target)
        rows.append(
            [
                one.kind,
                one.target,
                str(one.n),
                " ".join(number(change) for change in one.change[:, target]),
                number(one.rho, ".3f"),
                number(one.rho_pooled, ".3f"),
                verdict(one.is_monotone),
            ]
        )
    met = sum(one.is_monotone for one in kinds)
    header = [
        "corruption",
        "target",
        "n",
        "change up the ladder",
        "rho, mean of excerpts",
        "rho of means",
        "met",
    ]
    return [f"## (a) Monotone: {met} of {len(kinds)} kinds", "", *table(header, rows)]


def _specific(kinds: Sequence[Climbed]) -> list[str]:
    if not kinds:
        return []
    rows = [
        [
            one.kind,
            *(
                f"**{number(change)}**" if name == one.target else number(change)
                for name, change in zip(DIMENSIONS, one.mean_change, strict=True)
            ),
            f"{number(one.side_share, '.2f')} {one.most_moved}",
            verdict(one.is_specific),
        ]
        for one in kinds
    ]
    met = sum(one.is_specific for one in kinds)
    matrix = side_matrix(kinds)
    sides = side_shares(matrix)
    matrix_rows = [
        [name, *(number(value) for value in row), number(share, ".2f")]
        for name, row, share in zip(DIMENSIONS, matrix, sides, strict=True)
        if np.isfinite(row).any()
    ]
    return [
        f"## (b) Specific: {met} of {len(kinds)} kinds",
        "",
        "Mean change over the ladder, in points; the target's in bold.",
        "",
        *table(["corruption", *DIMENSIONS, "largest other / own", "met"], rows),
        "The same by dimension: mean size of the change, rows corrupted, columns rated.",
        "",
        *table(["corrupted", *DIMENSIONS, "largest other / own"], matrix_rows),
        f"{int((sides < 1 / 3).sum())} of {len(matrix_rows)} rows stay below a third.",
        "",
    ]


def side_shares(matrix: FloatArray) -> FloatArray:
    """(6,) the largest value of each row off the diagonal, as a share of that on it."""
    off = matrix.copy()
    np.fill_diagonal(off, np.nan)
    known = np.isfinite(off).any(axis=1) & np.isfinite(np.diag(matrix))
    shares = np.full(len(matrix), np.nan)
    shares[known] = np.nanmax(off[known], axis=1) / np.diag(matrix)[known]
    return shares


def _sound(kinds: Sequence[Climbed]) -> list[str]:
    if not kinds:
        return []
    rows = [
        [one.kind, str(one.n), *(number(change) for change in one.mean_change), number(one.rho, ".3f")]
        for one in kinds
    ]
    return [
        "## With the sound rendered",
        "",
        "Kinds of voicing on their whole ladder, others at their fourth step; mean change in points.",
        "",
        *table(["corruption", "n", *DIMENSIONS, "rho of the ladder"], rows),
    ]


def _detection(ladders: Sequence[PieceLadders]) -> list[str]:
    if not any(one.detections for one in ladders):
        return []
    by_key = detection_table(ladders, by_key=True)
    rows = []
    for kind, (precision, recall, n) in detection_table(ladders).items():
        met = precision >= LEAST_PRECISION and recall >= LEAST_RECALL
        shares = [number(share, ".4f") for share in (precision, recall, *by_key[kind][:2])]
        rows.append([kind, str(n), *shares, verdict(met)])
    return [
        "## (c) Detection",
        "",
        "A wrong note is two marks (the written note is missing, another key was struck), a missing or added "
        "note one. Mistakes of the pianist's own are counted neither way. Restarts, three a minute, count "
        "as such; a note of a first try that is taken for a mistake is a false claim. Of two strokes of a "
        f"key within {SAME_KEY_SEC:g} s either may be called the added one. The bar is for written notes to "
        "the very note. By the key, a missing note may also be called at a repetition of its key within "
        f"{SAME_KEY_SEC:g} s: in a repeated figure nothing but its time tells which one failed.",
        "",
        *table(["planted", "marks", "precision", "recall", "precision by key", "recall by key", "met"], rows),
        *_other_draws(ladders),
    ]


def _other_draws(ladders: Sequence[PieceLadders]) -> list[str]:
    """How far the figures of detection hang on these excerpts, and on which."""
    claimed = (detection for one in ladders for detection in one.detections)
    if len({one.piece for one in ladders}) < 2 or not any(d.kind in ERROR_KINDS for d in claimed):
        return []
    ranges = []
    for by_key in (False, True):
        drawn = detection_interval(ladders, np.random.default_rng(DRAWS_SEED), by_key=by_key)
        ranges.append(
            [
                f"{number(low, '.3f')} to {number(high, '.3f')}"
                for low, high in zip(drawn.low, drawn.high, strict=True)
            ]
        )
    claims = false_claims(ladders)
    most = ", ".join(f"{name} {n}" for name, n in claims[:_MOST_CLAIMS] if n)
    exact, by_key_ranges = ranges
    return [
        f"If other excerpts had been drawn (bootstrap over pieces, 95 %): precision {exact[0]}, recall "
        f"{exact[1]}; by the key {by_key_ranges[0]} and {by_key_ranges[1]}.",
        "",
        f"False claims of mistakes: {sum(n for _, n in claims)}" + f" in all; most in {most}." * bool(most),
        "",
    ]


def _difficulty(takes: Sequence[RatedTake], scale: ReferenceScale) -> list[str]:
    rows = [
        [
            alone.dimension,
            f"{alone.n_takes} of {alone.n_pieces}",
            number(alone.within),
            number(alone.between),
            number(peers.within),
            number(peers.piece_means),
            number(alone.density_r, ".3f"),
            number(peers.density_r, ".3f"),
            number(peers.density_r_takes, ".3f"),
            verdict(is_playing(alone, peers)),
        ]
        for alone, peers in zip(difficulty(takes), difficulty(compared(takes, scale)), strict=True)
    ]
    if not rows:
        return []
    header = ["dimension", "takes of pieces", "players, alone", "pieces, alone"]
    header += ["players, compared", "means of pieces, compared"]
    header += ["r with density, alone", "r, compared", "r of takes, compared", "met"]
    return [
        "## (d) Not difficulty",
        "",
        "Variance in points squared, between players of a piece and between pieces: of the scale alone, "
        "which is all there is for a piece that one person plays, and of the labels as they are written, "
        "each compared with the other pianists of its piece.",
        "",
        *table(header, rows),
    ]


def _people(agreements: Sequence[Agreement]) -> list[str]:
    if not agreements:
        return []
    rows = [
        [
            one.dimension,
            one.counterpart,
            str(one.n),
            number(one.rho, ".3f"),
            f"{number(one.rho_within, '.3f')} ({one.n_passages} passages)",
        ]
        for one in agreements
    ]
    header = ["dimension", "rated by people", "excerpts", "Spearman", "within a passage, mean"]
    return [
        "## (e) People: PercePiano, performances by pianists",
        "",
        "The raters were chosen with a look at PercePiano's development ratings, dynamics_control most of "
        "all: on them these are figures of the data that was tuned on, and no others were at hand.",
        "",
        *table(header, rows),
    ]


def _left_out(proof: Proof) -> list[str]:
    absent = Counter(reason.split(":")[0] for one in proof.ladders for reason in one.inapplicable)
    refused = [
        f"{one.performance}, {reason}"
        for one in (*proof.ladders, *proof.transcribed)
        for reason in one.refusals
    ]
    refused += [f"{take.performance}: {take.refusal}" for take in proof.takes if take.refusal]
    lines = ["## Left out", ""]
    lines += [f"- {kind} does not apply to {n} of the excerpts" for kind, n in sorted(absent.items())]
    # A folder is of the machine that measured, and says nothing of the music.
    lines += [f"- {re.sub(r'(?<![^ ])/[^ ]*/', '', reason)}" for reason in refused]
    return [*lines, ""] if len(lines) > 2 else []


def _write_tables(kinds: Sequence[Climbed], folder: Path) -> None:
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(["kind", "target", "severity", "unit", "excerpts", *DIMENSIONS])
    for one in kinds:
        kind = CORRUPTIONS[one.kind]
        for severity, row in zip(kind.ladder, one.change, strict=True):
            cells = [number(value, ".3f") for value in row]
            writer.writerow([one.kind, one.target, severity, kind.unit, one.n, *cells])
    write_bytes(folder / "ladders.csv", table.getvalue().encode())
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(["corrupted", *DIMENSIONS])
    for name, row in zip(DIMENSIONS, side_matrix(kinds), strict=True):
        writer.writerow([name, *(number(value, ".3f") for value in row)])
    write_bytes(folder / "side_effects.csv", table.getvalue().encode())


def _draw(
    proof: Proof,
    keys: Sequence[Climbed],
    heard: tuple[Sequence[Climbed], Sequence[Climbed]],
    folder: Path,
) -> None:
    if keys:
        save_png(ladder_figure(keys), folder / "proof_a_ladders.png")
        matrix = side_matrix(keys)
        save_png(matrix_figure(matrix, side_shares(matrix)), folder / "proof_b_side_effects.png")
    if any(one.detections for one in proof.ladders):
        save_png(detection_figure(detection_table(proof.ladders)), folder / "proof_c_detection.png")
    alone = difficulty(proof.takes)
    if alone:
        peers = difficulty(compared(proof.takes, proof.scale))
        save_png(difficulty_figure(alone, peers), folder / "proof_d_difficulty.png")
    if proof.agreements:
        save_png(agreement_figure(proof.agreements), folder / "proof_e_people.png")
    if heard[1]:
        save_png(robustness_figure(*heard), folder / "proof_f_transcription.png")
