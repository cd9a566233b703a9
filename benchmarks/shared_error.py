"""Share of the held-out error that the excerpts of one performance have in common, by dimension.

    tocco benchmark trees --labels data/percepiano/labels.jsonl -o DIR
    python benchmarks/shared_error.py --predictions DIR/predictions --labels data/percepiano/labels.jsonl

`SHARED_ERROR` of `tocco.inference.passages` is such a mean. A performance is one player's of one piece; score
renderings, excerpts without a player and excerpts that no fold held out do not count.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from tocco.data.records import LabelRecord, read_labels
from tocco.errors import InputError
from tocco.evaluation.cross_validation.result import CrossValidationResult
from tocco.evaluation.cross_validation.shared_error import shared_error_share
from tocco.rubrics import DIMENSIONS


def shares(
    result: CrossValidationResult, records: Sequence[LabelRecord], system: str
) -> tuple[int, Mapping[str, float]]:
    """Number of excerpts that count, and dimension -> share; without dimensions that nobody rated."""
    if system not in result.predictions:
        raise InputError("--system", f"is {system!r}", allowed=", ".join(result.predictions))
    by_id = {record.segment_id: record for record in records}
    missing = [name for name in result.segment_ids.tolist() if name not in by_id]
    if missing:
        raise InputError("--labels", f"lacks {missing[0]}", next_step="give the labels of these predictions")
    of_result = [by_id[name] for name in result.segment_ids.tolist()]
    # A pair as text: a separator that no name contains keeps performances apart.
    take = np.array([f"{record.performer_id}\n{record.piece_id}" for record in of_result])
    has_player = np.array([record.performer_id is not None for record in of_result])
    counts = has_player & ~result.is_score & (result.fold >= 0)
    error = result.predictions[system] - result.labels
    found = {}
    for name in (name for name in DIMENSIONS if name in result.names):
        column = error[:, result.names.index(name)]
        is_rated = counts & np.isfinite(column)
        if is_rated.any():
            found[name] = shared_error_share(column[is_rated], take[is_rated])
    return int(counts.sum()), found


def main() -> None:
    """Print the shares."""
    parser = argparse.ArgumentParser(description="Share of the error that a performance has in common.")
    parser.add_argument("--predictions", type=Path, required=True, help="as written, without suffix")
    parser.add_argument("--labels", type=Path, required=True, help="label file, JSONL")
    parser.add_argument("--system", default="trees", help="system whose errors are examined")
    options = parser.parse_args()
    result = CrossValidationResult.load(options.predictions)
    n_excerpts, found = shares(result, read_labels(options.labels), options.system)
    print(f"{n_excerpts} excerpts, {options.system}")
    for name, share in found.items():
        print(f"{name:<24} {share:5.2f}")
    print(f"{'mean':<24} {np.mean(list(found.values())):5.2f}")


if __name__ == "__main__":
    main()
