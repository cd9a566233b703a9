"""The benchmark of a label file: folds that anyone trains on, predictions that anyone sends, figures.

    from tocco.evaluation.benchmark import percepiano

    benchmark = percepiano("percepiano/labels.jsonl")
    for fold in benchmark.folds("clusters"):
        ...                                             # learn from fold.train, rate fold.test
    result = benchmark.evaluate("mine.csv", ["clusters"])

Any label file with clusters is a benchmark; PercePiano is one of them, with a published split and figures.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Final

import numpy as np

from tocco.data.corpora.percepiano import PUBLISHED_FOLDS
from tocco.data.records import LabelRecord, read_labels
from tocco.engines import Progress
from tocco.errors import InputError
from tocco.evaluation.benchmark.figures import NO_LISTENING, ProtocolFigures, evaluate_protocol, no_listening
from tocco.evaluation.benchmark.leaks import LeakReport, find_leaks
from tocco.evaluation.benchmark.predictions import (
    Predictions,
    from_table,
    predicted_table,
    predictions_csv,
    read_predictions,
)
from tocco.evaluation.benchmark.protocols import (
    PROTOCOLS,
    HeldOutFold,
    available_protocols,
    read_published_split,
)
from tocco.evaluation.benchmark.published import PublishedFigure, published_figures
from tocco.rubrics import DESCRIPTORS, TARGETS
from tocco.schema import laid_out
from tocco.units import FloatArray

DRAWS: Final = 2000
"""Draws of the bootstrap over clusters."""

SEED: Final = 0
"""Seed of the bootstrap."""


@dataclass(frozen=True, eq=False)
class BenchmarkResult:
    """Figures of one system.

    Attributes
    ----------
    benchmark, title
    labels_sha256 : `Benchmark.labels_sha256`
    predictions_sha256 : of the file of predictions
    is_untrained : whether the system has learned nothing from these labels
    protocols : in the order of `PROTOCOLS`
    published : figures of others on this data set
    """

    benchmark: str
    title: str
    labels_sha256: str
    predictions_sha256: str
    is_untrained: bool
    protocols: tuple[ProtocolFigures, ...]
    published: tuple[PublishedFigure, ...]


@dataclass(frozen=True, eq=False)
class Benchmark:
    """A label file and its protocols.

    Attributes
    ----------
    name : in files
    title : in texts
    records
    published_split : segment_id -> part, where one was published
    published : figures of others
    """

    name: str
    title: str
    records: tuple[LabelRecord, ...]
    published_split: Mapping[str, str] | None = None
    published: tuple[PublishedFigure, ...] = field(default=())

    @cached_property
    def _available(self) -> tuple[dict[str, tuple[HeldOutFold, ...]], dict[str, str]]:
        return available_protocols(self.records, self.published_split)

    @property
    def protocols(self) -> tuple[str, ...]:
        """The protocols that these labels allow."""
        return tuple(self._available[0])

    def require_protocol(self) -> None:
        """Refuse labels that allow no protocol.

        Raises
        ------
        InputError
            With what each protocol lacks.
        """
        found, refused = self._available
        if not found:
            reasons = "; ".join(f"{name}: {reason}" for name, reason in refused.items())
            raise InputError(
                self.title,
                f"allows no protocol ({reasons})",
                next_step="state cluster_id, performer_id or work_id in the label file",
            )

    @cached_property
    def segment_ids(self) -> tuple[str, ...]:
        """Of the records, in their order: what the indices of a fold mean."""
        return tuple(record.segment_id for record in self.records)

    def labels(self, names: Sequence[str] = DESCRIPTORS) -> FloatArray:
        """(N, len(names)) ratings of 0 to 100 in the order of the records, NaN where missing."""
        return np.array([[record.labels.get(name, np.nan) for name in names] for record in self.records])

    @property
    def labels_sha256(self) -> str:
        """SHA-256 of ids, labels and folds: figures of different ones are not comparable."""
        content = {
            record.segment_id: [
                record.labels,
                {name: self.fold_table[record.segment_id].get(name) for name in self.protocols},
            ]
            for record in self.records
        }
        return hashlib.sha256(laid_out(content).encode()).hexdigest()

    @cached_property
    def fold_table(self) -> dict[str, dict[str, str]]:
        """Segment_id -> protocol -> the fold that holds it out; absent where it is never tested."""
        table: dict[str, dict[str, str]] = {name: {} for name in self.segment_ids}
        for protocol, folds in self._available[0].items():
            for fold in folds:
                for i in fold.test:
                    table[self.segment_ids[i]][protocol] = fold.name
        return table

    def folds(self, protocol: str) -> tuple[HeldOutFold, ...]:
        """The folds of a protocol.

        Raises
        ------
        InputError
            It is unknown, or these labels do not allow it.
        """
        found, refused = self._available
        if protocol in refused:
            raise InputError(
                f"protocol {protocol}", f"is not possible: {refused[protocol]}", allowed=", ".join(found)
            )
        if protocol not in found:
            raise InputError("protocol", f"is {protocol!r}", allowed=", ".join(PROTOCOLS))
        return found[protocol]

    def folds_csv(self) -> str:
        """The folds as a table: segment_id, what it shares with others, and its fold in each protocol."""
        stream = io.StringIO()
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(
            ["segment_id", "cluster", "passage", "pianist", "is_score_rendering", *self.protocols]
        )
        for record in self.records:
            folds = self.fold_table[record.segment_id]
            about = [record.cluster_id, record.passage_id, record.performer_id]
            writer.writerow(
                [
                    record.segment_id,
                    *(value or "" for value in about),
                    "yes" if record.is_score_rendering else "no",
                    *(folds.get(protocol, "") for protocol in self.protocols),
                ]
            )
        return stream.getvalue()

    def evaluate(
        self,
        predictions: Path | str | Predictions,
        protocols: Iterable[str] | None = None,
        *,
        is_untrained: bool = False,
        allow_missing: bool = False,
        draws: int = DRAWS,
        seed: int = SEED,
        progress: Progress | None = None,
    ) -> BenchmarkResult:
        """Figures of predictions under each protocol, beside what needs no listening.

        Parameters
        ----------
        predictions : a CSV, or what was read of one
        protocols
            By default those that the file names in its column `protocol`; "clusters" without that column;
            with `is_untrained` all that the labels allow.
        is_untrained
            The system has learned nothing from these labels, so that the same predictions count in every
            protocol.
        allow_missing
            A missing prediction counts as the constant, in place of being refused.
        draws, seed : of the bootstrap
        progress
            Called after each protocol.

        Raises
        ------
        FaultyPredictionsError
            Predictions are faulty; with a line for each fault.
        InputError
            A protocol is unknown, or not possible with these labels; none is.
        """
        self.require_protocol()
        given = predictions if isinstance(predictions, Predictions) else read_predictions(Path(predictions))
        chosen = tuple(protocols) if protocols is not None else self._protocols_of(given, is_untrained)
        if len(chosen) > 1 and "" in given.of and not is_untrained:
            raise InputError(
                "predictions",
                f"have no column protocol, and count in one protocol, not in {', '.join(chosen)}",
                next_step="predict each segment anew in each protocol, by a model of its fold",
            )
        tables = {
            protocol: predicted_table(
                given, self.records, protocol, self.folds(protocol), allow_missing=allow_missing
            )
            for protocol in sorted(chosen, key=lambda name: [*PROTOCOLS, name].index(name))
        }
        found = []
        for protocol, table in tables.items():
            folds = self.folds(protocol)
            found.append(evaluate_protocol(self.records, protocol, folds, table, draws=draws, seed=seed))
            if progress is not None:
                progress(len(found), len(tables))
        return BenchmarkResult(
            self.name,
            self.title,
            self.labels_sha256,
            given.sha256,
            is_untrained,
            tuple(found),
            self.published,
        )

    def baseline(self, system: str) -> Predictions:
        """Predictions of a system that needs no listening, in every protocol.

        Parameters
        ----------
        system : of `NO_LISTENING`

        Raises
        ------
        InputError
            It is none of them.
        """
        if system not in NO_LISTENING:
            raise InputError("baseline", f"is {system!r}", allowed=", ".join(NO_LISTENING))
        labels, parts = self.labels(TARGETS), list[Predictions]()
        for protocol in self.protocols:
            folds = self.folds(protocol)
            rating = no_listening(self.records, labels, folds)[system]
            parts.append(from_table(self.segment_ids, TARGETS, rating, None, folds, protocol))
        return joined(parts)

    def leaks(
        self, split: Mapping[str, str], *, compare_notes: bool = True, progress: Progress | None = None
    ) -> LeakReport:
        """What a split of these segments leaks; see `find_leaks`."""
        return find_leaks(self.records, split, compare_notes=compare_notes, progress=progress)

    def _protocols_of(self, given: Predictions, is_untrained: bool) -> tuple[str, ...]:
        if is_untrained:
            return self.protocols
        return ("clusters",) if "" in given.of else tuple(given.of)


def joined(parts: Sequence[Predictions]) -> Predictions:
    """Predictions of several protocols as one."""
    of = {protocol: by_segment for part in parts for protocol, by_segment in part.of.items()}
    return Predictions(hashlib.sha256(predictions_csv(of).encode()).hexdigest(), of)


def percepiano(labels: Path | str) -> Benchmark:
    """PercePiano: 19 perceptual descriptors, and nine dimensions that are means of them.

    Parameters
    ----------
    labels : `labels.jsonl` of `tocco data percepiano`; the published split is read from beside it
    """
    path = Path(labels)
    records = read_labels(path)
    split = path.parent / PUBLISHED_FOLDS
    return Benchmark(
        "percepiano",
        "PercePiano",
        records,
        read_published_split(split, records) if split.is_file() else None,
        published_figures("percepiano"),
    )


def ratings(labels: Path | str, title: str | None = None) -> Benchmark:
    """The benchmark of any label file.

    Parameters
    ----------
    labels : JSONL
    title : in texts; the source of the labels if not given
    """
    records = read_labels(Path(labels))
    source = title or records[0].source
    return Benchmark(source.lower().replace(" ", "-"), source, records)
