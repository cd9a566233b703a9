"""How far differences of ratings can be trusted: fitted on rated pairs, tried on damaged copies."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import typer

from tocco.apps.progress import progress_bar
from tocco.data.records import LabelRecord, read_labels
from tocco.data.sources import read_record
from tocco.engines import LocalEngine
from tocco.evaluation.cross_validation.difference_pairs import same_music
from tocco.evaluation.cross_validation.difference_report import document
from tocco.evaluation.cross_validation.differences import all_pairs, calibrate, held_out, rows_of
from tocco.evaluation.cross_validation.result import CrossValidationResult
from tocco.evaluation.validity.case import Rater
from tocco.evaluation.validity.damaged_pairs import PairTask, compare_damaged
from tocco.evaluation.validity.damaged_pairs import document as damage_document
from tocco.evaluation.validity.excerpts import chosen_takes
from tocco.evaluation.validity.kinds import DAMAGES
from tocco.files import read_names, sha256_of, writable_folder, write_bytes
from tocco.inference.batch import shared_assessor
from tocco.inference.bundle import CARD, load_bundle, replace_calibration
from tocco.inference.difference import timing_distance
from tocco.inference.evidence import AlignmentReport
from tocco.inference.note_report import alignment_report
from tocco.units import FloatArray

REPORT = "report.md"
DAMAGE = "damage.md"
CARD_HEADING = "## Differences"
_DRAWS = 1000


def fit_differences(
    bundle: Path,
    labels: Path,
    ratings: Path,
    predictions: Path,
    results: Path,
    *,
    seed: int,
    jobs: int,
) -> None:
    """Test the figures on other music, write the report, and put the figures of all pairs into the bundle.

    Parameters
    ----------
    bundle : whose calibration and card are replaced
    labels : means of the raters
    ratings : of single raters
    predictions : held-out ratings, as `tocco statistics fit-perception` writes them, without suffix
    results : folder of the report
    seed : of the pairs of other music, and of the bootstrap
    jobs : processes
    """
    loaded = load_bundle(bundle)
    output = writable_folder(results)
    result = CrossValidationResult.load(predictions)
    records = read_labels(labels)
    pairs = all_pairs(result, records, read_labels(ratings), seed=seed)
    rows = {key: rows_of(held_out(of_key), seed=seed, draws=_DRAWS) for key, of_key in pairs.items()}
    protocol = f"4 folds of clusters of shared music, {len(result)} excerpts"
    facts = {
        "labels": f"{len(result)} excerpts, sha256 {sha256_of(labels)[:16]}",
        "single raters": f"sha256 {sha256_of(ratings)[:16]}",
        "ratings": f"held out, {protocol}",
        "command": "tocco statistics fit-differences BUNDLE --labels LABELS --ratings RATINGS "
        f"--predictions PREDICTIONS --results {results.name}",
        "seed": str(seed),
    }
    distance = _timing_distances(records, same_music(result), result, jobs)
    write_bytes(output / REPORT, document(facts, pairs, rows, distance).encode())
    calibration = loaded.calibration.model_copy(update={"differences": calibrate(pairs, protocol)})
    replace_calibration(bundle, calibration, _card((bundle / CARD).read_text(encoding="utf-8"), facts))
    typer.echo(str(output / REPORT))


def _timing_distances(
    records: Sequence[LabelRecord], pairs: np.ndarray, result: CrossValidationResult, jobs: int
) -> FloatArray:
    """(P,) of pairs of the same passage; NaN where a score is not found, or too little is common."""
    by_id = {record.segment_id: record for record in records}
    ordered = [by_id[name] for name in result.segment_ids.tolist()]
    with progress_bar("aligning") as advance:
        reports = list(LocalEngine(jobs).map(_aligned, ordered, advance))
    found = [timing_distance(reports[one], reports[other]) for one, other in pairs.tolist()]
    return np.array([np.nan if distance is None else distance for distance in found])


def _aligned(record: LabelRecord) -> AlignmentReport | None:
    read = read_record(record, refuse_other_score=False)
    return None if read.alignment is None else alignment_report(read.alignment, read.performance)


def _card(card: str, facts: dict[str, str]) -> str:
    """The card with a section on differences, in place of an earlier one."""
    before, _, after = card.partition(CARD_HEADING)
    _, _, rest = after.partition("\n## ")
    section = [
        CARD_HEADING,
        "",
        "Whether one of two performances is better, and the 90 % interval of the difference: found on pairs",
        "of PercePiano's performances, held out by music, with the chance of the raters taken off",
        "(`results/differences/report.md`).",
        "",
        *(f"- {key}: {value}" for key, value in facts.items()),
        "",
    ]
    tail = f"\n## {rest}" if rest else ""
    return before.rstrip("\n") + "\n\n" + "\n".join(section) + tail


def damaged_copies(
    takes: Path,
    pieces: Path | None,
    results: Path,
    *,
    bundle: Path | None,
    n_excerpts: int,
    seconds: float,
    seed: int,
    jobs: int,
) -> None:
    """Compare excerpts with damaged copies of them, and write `damage.md`.

    Parameters
    ----------
    takes : pianists' takes with MIDI and score
    pieces : names of the pieces that may be used, one per line; all if None
    results : folder of the report
    bundle : that of the package if None
    n_excerpts : so many, of one piece each
    seconds : length of the excerpts
    seed
    jobs : processes
    """
    output = writable_folder(results)
    records = read_labels(takes, must_exist=True)
    names = sorted({take.piece_id for take in records}) if pieces is None else read_names(pieces)
    chosen = chosen_takes(records, names, n_excerpts, seconds, seed)
    rater = Rater(bundle, load_bundle(bundle).sha256, shared_assessor)
    tasks = [PairTask(take, rater, tuple(DAMAGES), seconds, seed) for take in chosen.takes]
    with progress_bar("comparing") as advance:
        found = [
            pair for of_take in LocalEngine(jobs).map(compare_damaged, tasks, advance) for pair in of_take
        ]
    facts = {
        "bundle": f"sha256 {rater.identity[:16]}",
        "takes": f"{takes.name}, sha256 {sha256_of(takes)[:16]}; one of each of {len(tasks)} pieces, "
        f"{seconds:g} s each, seed {seed}",
        "pieces": "all" if pieces is None else pieces.name,
        "command": "tocco benchmark differences --takes TAKES --pieces PIECES --results differences",
    }
    write_bytes(output / DAMAGE, damage_document(facts, found, seed=seed).encode())
    typer.echo(str(output / DAMAGE))
