"""From a table of marks and a folder of assessments to a personal calibration."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np

from tocco.errors import InputError, UsageError, short
from tocco.files import sha256_of
from tocco.inference.marks import MarkScale
from tocco.marking.assessed import Rated, piece_of, ratings_hash, read_rated
from tocco.marking.calibration import FittedMap, LeaveOneOut, MarksSource, PersonalCalibration
from tocco.marking.leave_one_out import LeftOut, enough, leave_out_marks, leave_out_votes, mean_gain
from tocco.marking.maps import fit_aggregate, fit_dimension
from tocco.marking.sentences import sentences
from tocco.marking.table import AGGREGATE, MarkedTake, Vote, read_table, scale_of
from tocco.marking.votes import fit_votes
from tocco.rubrics import AGGREGATE_WEIGHTS, DIMENSIONS


@dataclass(frozen=True)
class Calibrated:
    """A calibration and what was left out of it.

    Attributes
    ----------
    calibration
    left_out : what was marked and could not be used, in words
    """

    calibration: PersonalCalibration
    left_out: tuple[str, ...]


def calibrate(
    marks: Path, assessments: Path, name: str, given: Mapping[str | None, MarkScale] | None = None
) -> Calibrated:
    """Fit a personal calibration.

    Parameters
    ----------
    marks : table of marks or votes, see `table.read_table`
    assessments : folder that `tocco assess -o` wrote
    name : what the person is called beside the ratings
    given : column -> scale, None for all columns that are not named

    Raises
    ------
    InputError
        The table cannot be used, or a performance that it names has no assessment there.
    MismatchError
        The assessments were made by different bundles.
    """
    rows = read_table(marks)
    ids = _ids(rows)
    rated = read_rated(marks, assessments, ids)
    usable = {one for one in ids if not rated.assessments[one].abstained}
    left_out = [f"{one}: the assessment abstained, so it is left out" for one in ids if one not in usable]
    if isinstance(rows[0], Vote):
        votes = [row for row in rows if isinstance(row, Vote) and {row.better, row.worse} <= usable]
        fitted = _from_votes(marks, votes, rated, left_out)
    else:
        takes = [row for row in rows if isinstance(row, MarkedTake) and row.id in usable]
        fitted = _from_marks(marks, takes, rated, given or {}, left_out)
    return Calibrated(_document(marks, name, rated, fitted), tuple(left_out))


@dataclass(frozen=True)
class _Fitted:
    kind: str
    ids: tuple[str, ...]
    n_marks: int
    n_pieces: int
    scales: Mapping[str, MarkScale]
    maps: Mapping[str, FittedMap]
    aggregate: FittedMap | None


def _document(marks: Path, name: str, rated: Rated, fitted: _Fitted) -> PersonalCalibration:
    assessments = [rated.assessments[one] for one in fitted.ids]
    origins: list[Literal["keys", "transcribed"]] = [one.inputs.notes for one in assessments]
    source = MarksSource(
        kind=fitted.kind,  # pyright: ignore[reportArgumentType]
        file=marks.name.encode(errors="replace").decode(),
        sha256=sha256_of(marks),
        assessments_sha256=ratings_hash(rated, fitted.ids),
        n_takes=len(fitted.ids),
        n_marks=fitted.n_marks,
        n_pieces=fitted.n_pieces,
        notes={origin: origins.count(origin) for origin in sorted(set(origins))},
    )
    return PersonalCalibration(
        name=name,
        bundle=assessments[0].bundle,
        source=source,
        scales=dict(fitted.scales),
        maps=dict(fitted.maps),
        aggregate=fitted.aggregate,
        sentences=sentences(name, source, fitted.scales, fitted.maps, fitted.aggregate),
        tocco_version=assessments[0].tocco_version,
    )


def _from_marks(
    path: Path,
    takes: Sequence[MarkedTake],
    rated: Rated,
    given: Mapping[str | None, MarkScale],
    left_out: list[str],
) -> _Fitted:
    marked = [name for name in (*DIMENSIONS, AGGREGATE) if any(name in take.marks for take in takes)]
    scales = _scales(takes, marked, given)
    rows_of = {name: _rated_rows(takes, name, rated, left_out) for name in marked}
    rows_of = {name: rows for name, rows in rows_of.items() if rows}
    if not rows_of:
        raise InputError(
            path,
            "has no mark of a rating",
            next_step="mark a dimension that is rated, or the whole performance",
        )
    maps = {name: _fit_marks(path, name, rows, rated, scales[name]) for name, rows in rows_of.items()}
    used = [take for rows in rows_of.values() for take in rows]
    if AGGREGATE in maps:
        left_out += _without_weight(maps[AGGREGATE])
    return _Fitted(
        kind="marks",
        ids=tuple(dict.fromkeys(take.id for take in used)),
        n_marks=len(used),
        n_pieces=len({_piece(take, rated) for take in used}),
        scales={name: scales[name] for name in maps},
        maps={name: found for name, found in maps.items() if name != AGGREGATE},
        aggregate=maps.get(AGGREGATE),
    )


def _rated_rows(
    takes: Sequence[MarkedTake], name: str, rated: Rated, left_out: list[str]
) -> list[MarkedTake]:
    """The rows whose mark of a dimension has a rating beside it; the others are named."""
    marked = [take for take in takes if name in take.marks]
    without = [take for take in marked if name != AGGREGATE and not rated.rates(take.id, name)]
    left_out += [f"{take.id}: {name} is marked and not rated" for take in without]
    return [take for take in marked if take not in without]


def _without_weight(aggregate: FittedMap) -> list[str]:
    """The dimensions of the default aggregate that not every marked performance rates."""
    absent = [name for name in AGGREGATE_WEIGHTS if name not in aggregate.dimensions]
    return [
        f"{name}: has no weight in the whole, since not every marked performance is rated in it"
        for name in absent
    ]


def _fit_marks(
    path: Path, name: str, rows: Sequence[MarkedTake], rated: Rated, scale: MarkScale
) -> FittedMap:
    ids = [take.id for take in rows]
    names = (name,) if name != AGGREGATE else _weighted(path, rated.common(ids))
    fit = partial(fit_dimension, name) if name != AGGREGATE else partial(fit_aggregate, names)
    ratings, low, high = (rated.values(ids, names, end) for end in (None, 0, 1))
    points = np.array([scale.points(take.marks[name]) for take in rows])
    pieces = [_piece(take, rated) for take in rows]
    checks = []
    for unit, groups in _groupings(ids, pieces):
        members = [frozenset({one}) for one in groups]
        if enough(members):
            found = leave_out_marks(fit, ratings, low, high, points, groups)
            checks.append(_check(unit, found, is_marks=True))
    return FittedMap.of(fit(ratings, points), len(rows), tuple(checks))


def _from_votes(path: Path, votes: Sequence[Vote], rated: Rated, left_out: list[str]) -> _Fitted:
    if not votes:
        raise InputError(path, "has no vote between two rated takes", next_step="vote on other takes")
    ids = _ids(votes)
    names = _weighted(path, rated.common(ids))
    better, worse = (rated.values([getattr(v, end) for v in votes], names) for end in ("better", "worse"))
    piece = {one: piece_of(one, rated) for one in ids}
    fit = partial(fit_votes, names)
    checks = []
    for unit, of in _groupings(ids, [piece[one] for one in ids]):
        group = dict(zip(ids, of, strict=True))
        members = [frozenset({group[vote.better], group[vote.worse]}) for vote in votes]
        if enough(members):
            checks.append(_check(unit, leave_out_votes(fit, better - worse, members), is_marks=False))
    aggregate = FittedMap.of(fit(better - worse), len(votes), tuple(checks))
    left_out += _without_weight(aggregate)
    return _Fitted("votes", ids, len(votes), len(set(piece.values())), {}, {}, aggregate)


def _check(unit: str, found: LeftOut, *, is_marks: bool) -> LeaveOneOut:
    gains = found.default - found.personal if is_marks else found.personal - found.default
    gain = mean_gain(gains, found.members)
    return LeaveOneOut(
        left_out=unit,  # pyright: ignore[reportArgumentType]
        measure="points" if is_marks else "votes",
        n=len(gains),
        n_groups=len(frozenset().union(*found.members)),
        default=float(found.default.mean()),
        personal=float(found.personal.mean()),
        constant=None if found.constant is None else float(found.constant.mean()),
        within_90=None if found.within is None else float(found.within.mean()),
        gain=gain.value,
        gain_90=(gain.low, gain.high),
    )


def _groupings(ids: Sequence[str], pieces: Sequence[str]) -> list[tuple[str, Sequence[str]]]:
    """What is left out at a time: pieces where takes share them, and takes."""
    n_pieces = len(set(pieces))
    if n_pieces < len(set(ids)):
        return [("piece", pieces), ("take", ids)]
    return [("take", ids)]


def _scales(
    takes: Sequence[MarkedTake], marked: Sequence[str], given: Mapping[str | None, MarkScale]
) -> dict[str, MarkScale]:
    """The scale of each column; the dimensions share one where none of their own is given."""
    unused = [name for name in given if name is not None and name not in marked]
    if unused:
        raise UsageError(
            "--scale", f"names {short(unused[0])}, which has no marks", allowed=", ".join(marked)
        )
    found: dict[str, MarkScale] = {}
    for names in ([n for n in marked if n != AGGREGATE and n not in given], [AGGREGATE]):
        there = tuple(name for name in names if name in marked and name not in given)
        if there:
            found |= dict.fromkeys(there, scale_of(tuple(takes), there, given.get(None)))
    for name in marked:
        if name in given:
            found[name] = scale_of(tuple(takes), (name,), given[name])
    return found


def _weighted(path: Path, names: tuple[str, ...]) -> tuple[str, ...]:
    if not any(name in AGGREGATE_WEIGHTS for name in names):
        raise InputError(
            path,
            "marks performances that have no rating of the aggregate in common",
            next_step="mark performances that were assessed in one way, with their scores",
        )
    return names


def _ids(rows: Sequence[MarkedTake | Vote]) -> tuple[str, ...]:
    named = [(row.id,) if isinstance(row, MarkedTake) else (row.better, row.worse) for row in rows]
    return tuple(dict.fromkeys(one for names in named for one in names))


def _piece(take: MarkedTake, rated: Rated) -> str:
    return piece_of(take.id, rated) if take.piece is None else f"piece {take.piece}"
