"""Predictions of a system, as anyone writes them: a CSV with one row a segment, or one row a rating.

Wide     segment_id, [protocol], [fold], NAME, NAME, ..., [NAME_sd, ...]
Long     segment_id, name, rating, [sd], [protocol], [fold]

A NAME is a dimension or a descriptor (upper and lower case are equal), a rating is 0 to 100. `fold` is the
fold that the segment was held out in, as in the table of folds. A file with the column `protocol` has the
predictions of several protocols. Every fault of a file is listed, one line each.
"""

from __future__ import annotations

import csv
import hashlib
import io
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from tocco.csv_table import Row, Table, read_table
from tocco.data.records import LabelRecord
from tocco.errors import InputError, short
from tocco.evaluation.benchmark.protocols import PROTOCOLS, HeldOutFold
from tocco.files import sha256_of
from tocco.rubrics import DESCRIPTORS, DIMENSIONS_FROM_DESCRIPTORS, TARGETS
from tocco.schema import nearest
from tocco.units import FloatArray

SD_SUFFIX: Final = "_sd"
_KEYS: Final = ("segment_id", "protocol", "fold")
_LONG: Final = ("name", "rating", "sd")
_SHOWN_FAULTS: Final = 20
_DECIMALS: Final = 4  # of predictions that are made here, so that a file has all of them


class FaultyPredictionsError(InputError):
    """Predictions with faults; `faults` has a line for each of them."""

    faults: tuple[str, ...] = ()


@dataclass(frozen=True)
class Prediction:
    """Predictions for one segment.

    Attributes
    ----------
    fold : that it was held out in; "" where the file does not say
    rating : name -> 0 to 100
    sd : name -> standard deviation of the error to expect, in points; empty where not predicted
    """

    fold: str
    rating: Mapping[str, float]
    sd: Mapping[str, float]


@dataclass(frozen=True)
class Predictions:
    """Predictions of one system.

    Attributes
    ----------
    sha256 : of the file, or of its content in the order of the segments
    of : protocol -> segment_id -> prediction; the protocol is "" where the file does not say
    """

    sha256: str
    of: Mapping[str, Mapping[str, Prediction]]

    def for_protocol(self, protocol: str) -> Mapping[str, Prediction]:
        """Those of a protocol, or those that name none.

        Raises
        ------
        InputError
            The file has predictions of other protocols only.
        """
        found = self.of.get(protocol, self.of.get(""))
        if found is None:
            raise InputError(
                "predictions", f"have none of the protocol {protocol!r}", allowed=", ".join(sorted(self.of))
            )
        return found


@dataclass(frozen=True, eq=False)
class PredictedTable:
    """Predictions of one protocol in the order of the records.

    Attributes
    ----------
    names : (D,) what is predicted and rated, in the order of `TARGETS`
    rating : (N, D) NaN where not predicted
    sd : (N, D), NaN for what has none; None where nothing has one
    is_fold_stated : whether every tested segment states its fold, and the right one
    n_tested, n_predicted : segments that the protocol tests, and those of them with every prediction
    n_unknown : segments of the file that the labels have not
    """

    names: tuple[str, ...]
    rating: FloatArray
    sd: FloatArray | None
    is_fold_stated: bool
    n_tested: int
    n_predicted: int
    n_unknown: int


def read_predictions(path: Path) -> Predictions:
    """Read a CSV of predictions.

    Raises
    ------
    FaultyPredictionsError
        Names are unknown, ratings are no numbers of 0 to 100, or a segment is listed twice; with all faults.
    InputError
        The file cannot be read.
    """
    table = read_table(path)
    if "segment_id" not in table.columns:
        raise InputError(
            path, f"has no column segment_id among {short(','.join(table.columns))}", next_step="add it"
        )
    faults: list[str] = []
    is_long = {"name", "rating"} <= set(table.columns)
    of = _read_long(table, faults) if is_long else _read_wide(table, faults)
    faults += _scale_fault(of)
    if faults:
        raise faulty(path, faults)
    return Predictions(sha256_of(path), of)


def faulty(subject: str | Path, faults: Sequence[str]) -> FaultyPredictionsError:
    """The error of a list of faults; its message has the first."""
    more = f", and {len(faults) - 1} more" if len(faults) > 1 else ""
    error = FaultyPredictionsError(subject, f"{faults[0]}{more}", next_step="correct the file")
    error.faults = tuple(faults[:_SHOWN_FAULTS])
    if len(faults) > _SHOWN_FAULTS:
        error.faults = (*error.faults, f"and {len(faults) - _SHOWN_FAULTS} more")
    return error


def predicted_table(
    predictions: Predictions,
    records: Sequence[LabelRecord],
    protocol: str,
    folds: Sequence[HeldOutFold],
    *,
    allow_missing: bool = False,
) -> PredictedTable:
    """Predictions of a protocol, checked against its folds.

    Names without a label are left out. Dimensions that are means of descriptors are computed where all 19
    descriptors are predicted and they are not.

    Parameters
    ----------
    predictions, records, protocol, folds
    allow_missing
        Leave a missing prediction NaN, in place of refusing it.

    Raises
    ------
    FaultyPredictionsError
        A tested segment has no prediction, or states another fold than its own; with all faults.
    InputError
        Nothing is predicted that the labels rate.
    """
    given = {name: _with_read_off(one) for name, one in predictions.for_protocol(protocol).items()}
    labelled = {name for fold in folds for i in fold.test for name in records[i].labels}
    names = tuple(
        n for n in TARGETS if n in labelled and any(n in prediction.rating for prediction in given.values())
    )
    if not names:
        raise InputError(
            "predictions", "rate nothing that the labels rate", allowed=", ".join(sorted(labelled))
        )
    fold_of = {records[i].segment_id: fold.name for fold in folds for i in fold.test}
    faults = _fold_faults(given, fold_of, protocol)
    missing = [
        f"{name} has no {'prediction' if name not in given else lacking[0]}"
        for name in fold_of
        if (lacking := [n for n in names if name not in given or n not in given[name].rating])
    ]
    if faults or (missing and not allow_missing):
        raise faulty("predictions", faults + ([] if allow_missing else missing))
    rating = _table(given, records, names, "rating")
    sd = _table(given, records, names, "sd")
    tested = np.array([record.segment_id in fold_of for record in records])
    has_sd = np.isfinite(sd) & tested[:, None]
    needs_sd = np.isfinite(rating) & tested[:, None] & has_sd.any(axis=0)
    without_sd = np.argwhere(needs_sd & ~has_sd)
    if len(without_sd):
        raise faulty(
            "predictions",
            [f"{records[n].segment_id} has no sd of {names[d]}, others have" for n, d in without_sd],
        )
    return PredictedTable(
        names=names,
        rating=rating,
        sd=sd if has_sd.any() else None,
        is_fold_stated=all(given[name].fold for name in fold_of if name in given),
        n_tested=len(fold_of),
        n_predicted=len(fold_of) - len(missing),
        n_unknown=len(set(given) - {record.segment_id for record in records}),
    )


def predictions_csv(of: Mapping[str, Mapping[str, Prediction]]) -> str:
    """A CSV in the wide form, with the columns protocol and fold."""
    every = [one for by_segment in of.values() for one in by_segment.values()]
    names = [name for name in TARGETS if any(name in one.rating for one in every)]
    with_sd = [name for name in names if any(name in one.sd for one in every)]
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow([*_KEYS, *names, *(f"{name}{SD_SUFFIX}" for name in with_sd)])
    for protocol, by_segment in of.items():
        for segment, one in sorted(by_segment.items()):
            cells = [_cell(one.rating.get(name)) for name in names] + [_cell(one.sd.get(n)) for n in with_sd]
            writer.writerow([segment, protocol, one.fold, *cells])
    return stream.getvalue()


def from_table(
    segment_ids: Sequence[str],
    names: Sequence[str],
    rating: FloatArray,
    sd: FloatArray | None,
    folds: Sequence[HeldOutFold],
    protocol: str,
) -> Predictions:
    """Predictions from arrays in the order of the records, (N, D); what no fold tests is left out."""
    of: dict[str, Prediction] = {
        str(segment_ids[i]): Prediction(
            fold.name,
            _finite(names, rating[i]),
            {} if sd is None else _finite(names, sd[i]),
        )
        for fold in folds
        for i in fold.test.tolist()
    }
    text = predictions_csv({protocol: of})
    return Predictions(hashlib.sha256(text.encode()).hexdigest(), {protocol: of})


def _finite(names: Sequence[str], row: FloatArray) -> dict[str, float]:
    known = zip(names, row.tolist(), strict=True)
    return {name: round(value, _DECIMALS) for name, value in known if np.isfinite(value)}


def _cell(value: float | None) -> str:
    return "" if value is None else f"{value:.10g}"


def _read_wide(table: Table, faults: list[str]) -> dict[str, dict[str, Prediction]]:
    columns = [name for name in table.columns if name not in _KEYS]
    known: dict[str, tuple[str, bool]] = {}
    for column in columns:
        lower = column.casefold()
        is_sd = lower.endswith(SD_SUFFIX)
        name = lower.removesuffix(SD_SUFFIX) if is_sd else lower
        if name in TARGETS:
            known[column] = name, is_sd
        else:
            faults.append(f"{table.path}: column {nearest(column, TARGETS)}")
    if not any(not is_sd for _, is_sd in known.values()) and not faults:
        faults.append(f"{table.path}: has no column of ratings")
    of: dict[str, dict[str, Prediction]] = {}
    for row, protocol in _rows(table, faults):
        values: tuple[dict[str, float], dict[str, float]] = ({}, {})
        for column, (name, is_sd) in known.items():
            _read_number(row, column, is_sd, name, values[is_sd], faults)
        segment = row.cells["segment_id"]
        by_segment = of.setdefault(protocol, {})
        if segment in by_segment:
            faults.append(f"{row.subject}: {segment!r} is listed again")
        by_segment[segment] = Prediction(row.cells.get("fold", ""), *values)
    return of


def _read_long(table: Table, faults: list[str]) -> dict[str, dict[str, Prediction]]:
    extra = [name for name in table.columns if name not in (*_KEYS, *_LONG)]
    faults += [f"{table.path}: column {nearest(name, (*_KEYS, *_LONG))}" for name in extra]
    found: dict[str, dict[str, tuple[str, dict[str, float], dict[str, float]]]] = {}
    for row, protocol in _rows(table, faults):
        name = row.cells["name"].casefold()
        if name not in TARGETS:
            faults.append(f"{row.subject}: name {nearest(row.cells['name'], TARGETS)}")
            continue
        segment, fold = row.cells["segment_id"], row.cells.get("fold", "")
        stated, rating, sd = found.setdefault(protocol, {}).setdefault(segment, (fold, {}, {}))
        if name in rating:
            faults.append(f"{row.subject}: {name} of {segment!r} is listed again")
        if fold != stated:
            faults.append(f"{row.subject}: {segment!r} is in fold {fold!r} here, in {stated!r} above")
        _read_number(row, "rating", False, name, rating, faults)
        if "sd" in table.columns:
            _read_number(row, "sd", True, name, sd, faults)
    return {
        protocol: {segment: Prediction(*parts) for segment, parts in by_segment.items()}
        for protocol, by_segment in found.items()
    }


def _rows(table: Table, faults: list[str]) -> Iterator[tuple[Row, str]]:
    """The rows that name a segment, with their protocol."""
    for row in table.rows:
        protocol = row.cells.get("protocol", "")
        if not row.cells["segment_id"]:
            faults.append(f"{row.subject}: segment_id is empty")
        elif protocol and protocol not in PROTOCOLS:
            faults.append(f"{row.subject}: protocol {nearest(protocol, PROTOCOLS)}")
        else:
            yield row, protocol


def _read_number(
    row: Row, column: str, is_sd: bool, name: str, into: dict[str, float], faults: list[str]
) -> None:
    """Add a cell to the ratings or standard deviations; an empty one is missing."""
    text = row.cells[column]
    if not text:
        return
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if is_sd and not 0.0 < value <= 100.0:
        faults.append(f"{row.subject}: sd of {name} is {short(text)}, allowed is more than 0, to 100")
    elif not is_sd and not 0.0 <= value <= 100.0:
        faults.append(f"{row.subject}: {name} is {short(text)}, allowed is 0 to 100")
    else:
        into[name] = value


def _scale_fault(of: Mapping[str, Mapping[str, Prediction]]) -> list[str]:
    """Ratings of 0 to 1, as PercePiano publishes its labels, would count as very low ones."""
    values = [v for by_segment in of.values() for one in by_segment.values() for v in one.rating.values()]
    if len(values) >= 10 and max(values) <= 1.0:
        return ["no rating exceeds 1: these are on 0 to 1, multiply them by 100"]
    return []


def _fold_faults(given: Mapping[str, Prediction], fold_of: Mapping[str, str], protocol: str) -> list[str]:
    return [
        f"{name} states fold {given[name].fold!r}, in {protocol} it is held out in fold {fold!r}"
        for name, fold in fold_of.items()
        if name in given and given[name].fold not in ("", fold)
    ]


def _with_read_off(one: Prediction) -> Prediction:
    """With the dimensions that are means of descriptors, where these are predicted and they are not."""
    if not all(name in one.rating for name in DESCRIPTORS):
        return one
    rating = dict(one.rating)
    for dimension, parts in DIMENSIONS_FROM_DESCRIPTORS.items():
        read_off = [rating[d] if sign > 0 else 100.0 - rating[d] for d, sign in parts]
        rating.setdefault(dimension, sum(read_off) / len(read_off))
    return Prediction(one.fold, rating, one.sd)


def _table(
    given: Mapping[str, Prediction], records: Sequence[LabelRecord], names: Sequence[str], what: str
) -> FloatArray:
    empty = Prediction("", {}, {})
    rows = [getattr(given.get(record.segment_id, empty), what) for record in records]
    return np.array([[row.get(name, np.nan) for name in names] for row in rows], dtype=float)
