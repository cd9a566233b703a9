"""`tocco statistics fit-differences`: how far differences of a bundle's ratings can be trusted."""

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
from tocco.files import sha256_of, writable_folder, write_bytes
from tocco.inference.bundle import CARD, load_bundle, replace_calibration
from tocco.inference.difference import timing_distance
from tocco.inference.evidence import AlignmentReport
from tocco.inference.note_report import alignment_report
from tocco.units import FloatArray

REPORT = "report.md"
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
