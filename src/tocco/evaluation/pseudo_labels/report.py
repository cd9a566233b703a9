"""Report of the validation: criteria, results and figures.

`write_validation` writes into one folder

    validation.md        criteria first, then every result
    ladders.csv          mean change for every kind, severity and dimension
    side_effects.csv     the 6 x 6 matrix of claim (b)
    a_ladders.png, ...   one figure per claim
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

from tocco.evaluation.markdown import number, table, verdict
from tocco.evaluation.png import save_png
from tocco.evaluation.pseudo_labels.claims import (
    LEAST_PRECISION,
    LEAST_RECALL,
    TECHNICAL_DIMENSIONS,
    THRESHOLDS,
    Agreement,
    LadderResult,
    compared_with_peers,
    detection_interval,
    detection_table,
    difficulty,
    false_claims,
    is_playing,
    ladder_results,
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
from tocco.evaluation.pseudo_labels.transcription import (
    DRAWS_SEED,
    transcription_agreement,
    transcription_section,
)
from tocco.files import write_bytes
from tocco.music.corruption import CORRUPTIONS
from tocco.pseudo_labels.scale.model import ReferenceScale
from tocco.units import FloatArray

REPORT = "validation.md"

_MOST_CLAIMS = 3
"""Number of excerpts that are named."""


@dataclass(frozen=True)
class Validation:
    """All measures of a validation.

    Attributes
    ----------
    ladders : of held-out excerpts
    transcribed : of excerpts rated both on transcriptions and on recorded MIDI
    takes : whole held-out performances
    scale : for recorded MIDI
    agreements : with listeners; empty where no ratings were given
    transcriber : command of the transcriber; None where its errors were simulated
    """

    ladders: Sequence[PieceLadders]
    transcribed: Sequence[PieceLadders]
    takes: Sequence[RatedTake]
    agreements: Sequence[Agreement]
    scale: ReferenceScale
    transcriber: str | None = None


def write_validation(validation: Validation, facts: Mapping[str, str], folder: Path) -> str:
    """Write report, tables and figures; equal measures give equal text, which is returned."""
    keys, sound = (ladder_results(validation.ladders, modality) for modality in ("keys", "sound"))
    own, transcribed = (
        ladder_results(validation.transcribed, modality) for modality in ("keys", "transcribed")
    )
    both_ways = transcription_agreement(validation.transcribed)
    sections = [
        _monotone(keys),
        _specific(keys) + _sound(sound),
        _detection(validation.ladders),
        _difficulty(validation.takes, validation.scale),
        _listeners(validation.agreements),
        transcription_section(own, transcribed, both_ways, validation.transcriber),
    ]
    unmeasured = [claim for claim, lines in zip(THRESHOLDS, sections, strict=True) if not lines]
    parts = ["# Validation of the pseudo-labels", "", "## Criteria", ""]
    parts += [f"- **{claim}**: {criterion}." for claim, criterion in THRESHOLDS.items()]
    parts += [
        "",
        "## Data",
        "",
        *(f"- {name}: {fact}" for name, fact in facts.items()),
        *([f"- not measured here: {', '.join(unmeasured)}"] if unmeasured else []),
        "",
        *itertools.chain.from_iterable(sections),
        *_left_out(validation),
    ]
    text = "\n".join(parts) + "\n"
    write_bytes(folder / REPORT, text.encode())
    _write_tables(keys, folder)
    _draw(validation, keys, (own, transcribed), folder)
    return text


def _monotone(kinds: Sequence[LadderResult]) -> list[str]:
    if not kinds:
        return []
    rows = []
    for one in kinds:
        target = TECHNICAL_DIMENSIONS.index(one.target)
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
        "change over the ladder",
        "rho, mean of excerpts",
        "rho of means",
        "met",
    ]
    return [f"## (a) Monotone: {met} of {len(kinds)} kinds", "", *table(header, rows)]


def _specific(kinds: Sequence[LadderResult]) -> list[str]:
    if not kinds:
        return []
    rows = [
        [
            one.kind,
            *(
                f"**{number(change)}**" if name == one.target else number(change)
                for name, change in zip(TECHNICAL_DIMENSIONS, one.mean_change, strict=True)
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
        for name, row, share in zip(TECHNICAL_DIMENSIONS, matrix, sides, strict=True)
        if np.isfinite(row).any()
    ]
    return [
        f"## (b) Specific: {met} of {len(kinds)} kinds",
        "",
        "Mean change over the ladder, in points; the target's in bold.",
        "",
        *table(["corruption", *TECHNICAL_DIMENSIONS, "largest other / own", "met"], rows),
        "The same by dimension: mean size of the change, rows corrupted, columns rated.",
        "",
        *table(["corrupted", *TECHNICAL_DIMENSIONS, "largest other / own"], matrix_rows),
        f"{int((sides < 1 / 3).sum())} of {len(matrix_rows)} rows are below a third.",
        "",
    ]


def side_shares(matrix: FloatArray) -> FloatArray:
    """(6,) the largest off-diagonal value of each row, as a share of the diagonal one."""
    off = matrix.copy()
    np.fill_diagonal(off, np.nan)
    known = np.isfinite(off).any(axis=1) & np.isfinite(np.diag(matrix))
    shares = np.full(len(matrix), np.nan)
    shares[known] = np.nanmax(off[known], axis=1) / np.diag(matrix)[known]
    return shares


def _sound(kinds: Sequence[LadderResult]) -> list[str]:
    if not kinds:
        return []
    rows = [
        [one.kind, str(one.n), *(number(change) for change in one.mean_change), number(one.rho, ".3f")]
        for one in kinds
    ]
    return [
        "## With rendered audio",
        "",
        "Voicing corruptions over the whole ladder, others at their fourth step; mean change in points.",
        "",
        *table(["corruption", "n", *TECHNICAL_DIMENSIONS, "rho of the ladder"], rows),
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
        "A wrong note makes two marks (the missing written note and the played key), a missing or added note "
        "one. Errors of the pianist are not counted. Restarts, three per minute, are counted as such; a note "
        "of the first attempt reported as an error is false. Of two notes of a key within "
        f"{SAME_KEY_SEC:g} s either may be reported as the added one. The criterion is for exact written "
        "notes. By key, a missing note may also be reported at a repetition of its key within "
        f"{SAME_KEY_SEC:g} s: in a repeated figure only its time distinguishes it.",
        "",
        *table(["planted", "marks", "precision", "recall", "precision by key", "recall by key", "met"], rows),
        *_other_draws(ladders),
    ]


def _other_draws(ladders: Sequence[PieceLadders]) -> list[str]:
    """Bootstrap intervals of the detection figures, and the excerpts with most false detections."""
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
        f"95 % interval (bootstrap over pieces): precision {exact[0]}, recall {exact[1]}; by key "
        f"{by_key_ranges[0]} and {by_key_ranges[1]}.",
        "",
        f"False detections: {sum(n for _, n in claims)}" + f" in all; most in {most}." * bool(most),
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
        for alone, peers in zip(difficulty(takes), difficulty(compared_with_peers(takes, scale)), strict=True)
    ]
    if not rows:
        return []
    header = ["dimension", "takes of pieces", "players, alone", "pieces, alone"]
    header += ["players, compared", "means of pieces, compared"]
    header += ["r with density, alone", "r, compared", "r of takes, compared", "met"]
    return [
        "## (d) Not difficulty",
        "",
        "Variance in points squared, between players of a piece and between pieces: on the scale alone, as "
        "for a piece with a single pianist, and of the labels as written, compared with the other pianists "
        "of the piece.",
        "",
        *table(header, rows),
    ]


def _listeners(agreements: Sequence[Agreement]) -> list[str]:
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
    header = ["dimension", "rated by listeners", "excerpts", "Spearman", "within a passage, mean"]
    return [
        "## (e) Listeners: PercePiano, performances by pianists",
        "",
        "The raters were developed with PercePiano's development ratings in view, dynamics_control most of "
        "all: these are figures on development data, and no other ratings were available.",
        "",
        *table(header, rows),
    ]


def _left_out(validation: Validation) -> list[str]:
    absent = Counter(reason.split(":")[0] for one in validation.ladders for reason in one.inapplicable)
    refused = [
        f"{one.performance}, {reason}"
        for one in (*validation.ladders, *validation.transcribed)
        for reason in one.refusals
    ]
    refused += [f"{take.performance}: {take.refusal}" for take in validation.takes if take.refusal]
    lines = ["## Left out", ""]
    lines += [f"- {kind} does not apply to {n} of the excerpts" for kind, n in sorted(absent.items())]
    # Folders of the machine that measured are removed from the reasons.
    lines += [f"- {re.sub(r'(?<![^ ])/[^ ]*/', '', reason)}" for reason in refused]
    return [*lines, ""] if len(lines) > 2 else []


def _write_tables(kinds: Sequence[LadderResult], folder: Path) -> None:
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(["kind", "target", "severity", "unit", "excerpts", *TECHNICAL_DIMENSIONS])
    for one in kinds:
        kind = CORRUPTIONS[one.kind]
        for severity, row in zip(kind.ladder, one.change, strict=True):
            cells = [number(value, ".3f") for value in row]
            writer.writerow([one.kind, one.target, severity, kind.unit, one.n, *cells])
    write_bytes(folder / "ladders.csv", table.getvalue().encode())
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(["corrupted", *TECHNICAL_DIMENSIONS])
    for name, row in zip(TECHNICAL_DIMENSIONS, side_matrix(kinds), strict=True):
        writer.writerow([name, *(number(value, ".3f") for value in row)])
    write_bytes(folder / "side_effects.csv", table.getvalue().encode())


def _draw(
    validation: Validation,
    keys: Sequence[LadderResult],
    both_ways: tuple[Sequence[LadderResult], Sequence[LadderResult]],
    folder: Path,
) -> None:
    if keys:
        save_png(ladder_figure(keys), folder / "a_ladders.png")
        matrix = side_matrix(keys)
        save_png(matrix_figure(matrix, side_shares(matrix)), folder / "b_side_effects.png")
    if any(one.detections for one in validation.ladders):
        save_png(detection_figure(detection_table(validation.ladders)), folder / "c_detection.png")
    alone = difficulty(validation.takes)
    if alone:
        peers = difficulty(compared_with_peers(validation.takes, validation.scale))
        save_png(difficulty_figure(alone, peers), folder / "d_difficulty.png")
    if validation.agreements:
        save_png(agreement_figure(validation.agreements), folder / "e_listeners.png")
    if both_ways[1]:
        save_png(robustness_figure(*both_ways), folder / "f_transcription.png")
