"""Fit `src/tocco/pseudo_labels/norms/competent.json`: what is usual in competent playing.

    python scripts/fit_competent.py LABELS --pieces results/pseudo_labels/pool_pieces.txt --work DIR -o FILE

Each performance leaves one file in the work folder, and one that is there is not measured again.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path

from tocco.apps.commands.reference_pool import aligned, facts_of, read_pool
from tocco.data.records import LabelRecord
from tocco.errors import ToccoError
from tocco.files import file_name, sha256_of, writable_folder, write_bytes
from tocco.pseudo_labels.fitting.competent import TakeFindings, fit_competent, read_take
from tocco.pseudo_labels.observed.evidence import Evidence
from tocco.pseudo_labels.pool import PoolFacts
from tocco.schema import laid_out


def _measured(record: LabelRecord, work: Path) -> TakeFindings | None:
    path = work / f"{file_name(record.segment_id)}.json"
    if not path.exists():
        try:
            performance, alignment = aligned(record)
        except ToccoError as error:
            print(f"left out: {error}", flush=True)
            return None
        write_bytes(path, json.dumps(asdict(read_take(Evidence(performance, alignment)))).encode())
    return TakeFindings(**json.loads(path.read_text(encoding="utf-8")))


def main() -> None:
    """Measure the pool, and write the fit."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("labels", type=Path)
    parser.add_argument("--pieces", type=Path, required=True)
    parser.add_argument("--takes", type=int, default=1, help="performances of a piece, at most")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("-o", "--output", type=Path, required=True)
    given = parser.parse_args()
    chosen = read_pool(given.labels, share=1.0, takes=given.takes, seed=given.seed, pieces=given.pieces)
    work = writable_folder(given.work)
    used, takes = [], []
    for record in chosen:
        take = _measured(record, work)
        if take is not None:
            used.append(record)
            takes.append(take)
            print(f"{len(takes)} of {len(chosen)}: {record.segment_id}", flush=True)
    facts = PoolFacts(**facts_of(used, sha256_of(given.labels), seed=given.seed))
    fitted = fit_competent(takes, facts)
    write_bytes(given.output, (laid_out(fitted.model_dump(mode="json")) + "\n").encode())


if __name__ == "__main__":
    main()
