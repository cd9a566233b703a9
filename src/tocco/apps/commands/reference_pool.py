"""The reference pool: choice and reading of the performances that scale and norms are fitted to."""

from __future__ import annotations

import hashlib
import math
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tocco.data.pseudo_labelling import with_printed_score
from tocco.data.records import LabelRecord, read_labels
from tocco.data.sources import read_record
from tocco.errors import InputError, UsageError
from tocco.files import file_name, read_names, sha256_of
from tocco.music.alignment import Alignment
from tocco.music.performance import Performance

Aligned = tuple[Performance, Alignment]


def read_pool(
    labels: Path, *, share: float, takes: int, seed: int, pieces: Path | None = None
) -> list[LabelRecord]:
    """Select the performances of a label file for a fit, with printed scores where there are any.

    Parameters
    ----------
    labels
    share, takes : as of `choose_pool`
    seed : of the choice
    pieces : a file that names the pieces of the pool, one per line; all of them are used, whatever the share

    Raises
    ------
    InputError
        The share is not in (0, 1], a file or a named piece is missing, or a record has no MIDI or no score,
        or was transcribed.
    """
    if not 0.0 < share <= 1.0:
        raise UsageError("--share", f"is {share:g}", allowed="more than 0, up to 1")
    records = [with_printed_score(record) for record in read_labels(labels, must_exist=True)]
    if pieces is not None:
        records, share = named_pieces(records, pieces, labels), 1.0
    for record in records:
        lacks = [name for name in ("midi_path", "score_path") if getattr(record, name) is None]
        if lacks:
            raise InputError(
                f"{labels}, {record.segment_id}",
                f"has no {lacks[0]}",
                next_step="list performances that have MIDI and a score",
            )
        if record.is_transcribed:
            raise InputError(
                f"{labels}, {record.segment_id}",
                "is transcribed",
                allowed="recorded MIDI",
                next_step="list performances recorded as MIDI",
            )
    return choose_pool(records, share=share, takes=takes, generator=np.random.default_rng(seed))


def named_pieces(records: Sequence[LabelRecord], pieces: Path, labels: Path) -> list[LabelRecord]:
    """Performances of the named pieces; names are compared as file names, "a/b" as "a_b"."""
    names = {file_name(name): name for name in read_names(pieces)}
    found = [record for record in records if file_name(record.piece_id) in names]
    present = {file_name(record.piece_id) for record in found}
    absent = [name for known, name in names.items() if known not in present]
    if absent or not found:
        raise InputError(
            pieces,
            f"names {absent[0]!r}, and {labels} has no such piece" if absent else "names no piece",
            next_step="name pieces by their piece_id, one per line",
        )
    return found


def choose_pool(
    records: Sequence[LabelRecord], *, share: float, takes: int, generator: np.random.Generator
) -> list[LabelRecord]:
    """A share of the pieces of every composer, and some performances of each piece, in random order.

    Parameters
    ----------
    records
        The part of a piece_id before the first "/" or "_" is the composer, or the corpus.
    share : 0..1 of the pieces, rounded up
    takes : maximum number of performances per piece
    generator
    """
    composers: dict[str, dict[str, list[LabelRecord]]] = {}
    for record in records:
        pieces = composers.setdefault(re.split("[/_]", record.piece_id)[0], {})
        pieces.setdefault(record.piece_id, []).append(record)
    chosen: list[LabelRecord] = []
    for composer in sorted(composers):
        pieces = composers[composer]
        names = sorted(pieces)
        order = generator.permutation(len(names))
        for rank, place in enumerate(order):
            ordered = sorted(pieces[names[place]], key=lambda record: record.segment_id)
            drawn = [ordered[k] for k in generator.permutation(len(ordered))[:takes]]
            if rank < math.ceil(share * len(names)):
                chosen.extend(drawn)
    return [chosen[k] for k in generator.permutation(len(chosen))]


def aligned(record: LabelRecord) -> Aligned:
    """Read a performance of the pool and align it with its score.

    Raises
    ------
    InputError
        It has no MIDI or no score, or a file cannot be read.
    MismatchError
        The score is of other music.
    """
    if record.midi_path is None or record.score_path is None:
        raise InputError(record.segment_id, "has no MIDI or no score")
    read = read_record(record)
    assert read.alignment is not None
    return read.performance, read.alignment


def facts_of(used: Sequence[LabelRecord], labels_sha256: str, *, seed: int) -> dict[str, Any]:
    """Provenance of a fit: the fields of `tocco.pseudo_labels.pool.PoolFacts`.

    Parameters
    ----------
    used : what was fitted to, in order
    labels_sha256 : of the label file
    seed : of the choice
    """
    content = hashlib.sha256()
    for record in used:
        for path in (record.midi_path, record.score_path):
            if path is not None:
                content.update(sha256_of(path).encode())
    return {
        "corpora": dict(sorted(Counter(record.source for record in used).items())),
        "n_performances": len(used),
        "seed": seed,
        "pieces": tuple(sorted({record.piece_id for record in used})),
        "labels_sha256": labels_sha256,
        "content_sha256": content.hexdigest(),
    }
