"""Protocols of the benchmark: who is held out together, and what a model of a fold may be trained on.

    clusters    new music: no excerpt of the test part shares bars with the training part
    performer   a new pianist
    both        new music by a new pianist: one fold for every cell of the two protocols above
    work        a new work
    published   the performer split of the publication, to compare with published figures only

The rule is the same everywhere: a model that rates a fold has been trained on `train` of that fold at most.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from tocco.csv_table import read_table
from tocco.data.records import LabelRecord
from tocco.data.splits import Barrier, assert_disjoint
from tocco.errors import InputError
from tocco.units import IntArray

PROTOCOLS: Final[Mapping[str, str]] = {
    "clusters": "new music",
    "performer": "a new pianist",
    "both": "new music by a new pianist",
    "work": "a new work",
    "published": "the published performer split",
}
"""Protocol -> what is new in the test part."""

N_FOLDS: Final = 4
"""Folds of clusters and of pianists where the label file states none."""

TRAIN_ONLY: Final = "train_only"
"""Part of a published split that every model may be trained on, and that is never tested."""

HELD_OUT_TEST: Final = "test"
"""Part of a published split that no other fold's model may be trained on."""

_STATED: Final[Mapping[str, str]] = {"clusters": "cv4_cluster", "performer": "cv4_performer"}
_BARRIERS: Final[Mapping[str, tuple[Barrier, ...]]] = {
    "clusters": ("cluster",),
    "performer": ("performer",),
    "both": ("cluster", "performer"),
    "work": ("work", "cluster"),
}


@dataclass(frozen=True, eq=False)
class HeldOutFold:
    """One fold of a protocol.

    Attributes
    ----------
    name : as in the column `fold` of predictions
    train : indices into the records, ascending: all that a model of this fold may be trained on
    test : indices into the records, ascending: what it rates
    """

    name: str
    train: IntArray
    test: IntArray


def folds_of(
    records: Sequence[LabelRecord], protocol: str, published: Mapping[str, str] | None = None
) -> tuple[HeldOutFold, ...]:
    """The folds of a protocol, in order of their names.

    No record is tested twice. A score rendering has no pianist: with "performer" and "both" it is never
    tested, and may be trained on wherever its music may. A performance by an unknown pianist is in neither
    part there.

    Parameters
    ----------
    records
        Where they state `folds`, these are used; else groups are shared out over four folds of like size.
    protocol : a name of `PROTOCOLS`
    published : segment_id -> part of the published split

    Raises
    ------
    InputError
        The protocol is unknown, the records do not state what it needs, it has fewer than two folds, or
        training and test part of a fold share what they must not.
    """
    if protocol not in PROTOCOLS:
        raise InputError("protocol", f"is {protocol!r}", allowed=", ".join(PROTOCOLS))
    folds = tuple(fold for fold in _MAKERS[protocol](records, published) if len(fold.test))
    if len(folds) < 2:
        raise InputError(protocol, f"has {len(folds)} folds in these records", allowed="two or more")
    for fold in folds:
        _check(records, protocol, fold)
    return folds


def available_protocols(
    records: Sequence[LabelRecord], published: Mapping[str, str] | None = None
) -> tuple[dict[str, tuple[HeldOutFold, ...]], dict[str, str]]:
    """Protocol -> its folds, for all that the records allow; and protocol -> why not, for the others."""
    found: dict[str, tuple[HeldOutFold, ...]] = {}
    refused: dict[str, str] = {}
    for protocol in PROTOCOLS:
        try:
            found[protocol] = folds_of(records, protocol, published)
        except InputError as reason:
            refused[protocol] = f"{reason.subject} {reason.problem}"
    return found, refused


def balanced_folds(groups: Iterable[str], n_folds: int = N_FOLDS) -> dict[str, int]:
    """Share groups out over folds of like size: the largest first, each to the smallest fold.

    Parameters
    ----------
    groups : of each record
    n_folds : at most; fewer if there are fewer groups

    Returns
    -------
    group -> fold, 0..

    Examples
    --------
    >>> balanced_folds(["a", "a", "a", "b", "b", "c"], 2)
    {'a': 0, 'b': 1, 'c': 1}
    """
    count = Counter(groups)
    size = [0] * min(n_folds, len(count))
    fold_of: dict[str, int] = {}
    for group in sorted(count, key=lambda name: (-count[name], name)):
        fold = size.index(min(size))
        fold_of[group] = fold
        size[fold] += count[group]
    return fold_of


def read_published_split(path: Path, records: Sequence[LabelRecord]) -> dict[str, str]:
    """Segment_id -> part of the published performer split, from a table with the column performer.

    Raises
    ------
    InputError
        A column is missing, or a record is not in the table.
    """
    table = read_table(path)
    table.require(("segment_id", "performer"), ("passage",))
    part_of = {row.filled("segment_id"): row.filled("performer") for row in table.rows}
    lacking = [record.segment_id for record in records if record.segment_id not in part_of]
    if lacking:
        raise InputError(path, f"has no part for {lacking[0]!r}", next_step="import the data set again")
    return part_of


def _clusters(records: Sequence[LabelRecord], _: object) -> list[HeldOutFold]:
    key = _stated_or_balanced(records, "clusters", [_cluster(record) for record in records])
    return [_fold(str(k), (key >= 0) & (key != k), key == k) for k in _values(key)]


def _performers(records: Sequence[LabelRecord], _: object) -> list[HeldOutFold]:
    key, renders = _performer_keys(records)
    return [_fold(str(k), renders | ((key >= 0) & (key != k)), key == k) for k in _values(key)]


def _both(records: Sequence[LabelRecord], _: object) -> list[HeldOutFold]:
    music = _stated_or_balanced(records, "clusters", [_cluster(record) for record in records])
    pianist, renders = _performer_keys(records)
    return [
        _fold(
            f"c{c}p{p}",
            (music >= 0) & (music != c) & (renders | ((pianist >= 0) & (pianist != p))),
            (music == c) & (pianist == p),
        )
        for c in _values(music)
        for p in _values(pianist)
    ]


def _works(records: Sequence[LabelRecord], _: object) -> list[HeldOutFold]:
    for record in records:
        if record.work_id is None:
            raise InputError(record.segment_id, "has no work_id")
    work = np.array([str(record.work_id) for record in records])
    return [_fold(str(name), work != name, work == name) for name in np.unique(work)]


def _published(records: Sequence[LabelRecord], published: Mapping[str, str] | None) -> list[HeldOutFold]:
    if published is None:
        raise InputError("the published split", "is not known for these labels")
    part = np.array([published[record.segment_id] for record in records])
    names = [name for name in np.unique(part).tolist() if name != TRAIN_ONLY]
    may_train = part != HELD_OUT_TEST
    return [_fold(name, may_train & (part != name), part == name) for name in names]


_MAKERS: Final[Mapping[str, Callable[..., list[HeldOutFold]]]] = {
    "clusters": _clusters,
    "performer": _performers,
    "both": _both,
    "work": _works,
    "published": _published,
}


def _fold(name: str, train: IntArray, test: IntArray) -> HeldOutFold:
    return HeldOutFold(name, np.flatnonzero(train), np.flatnonzero(test))


def _values(key: IntArray) -> list[int]:
    return [int(k) for k in np.unique(key) if k >= 0]


def _cluster(record: LabelRecord) -> str:
    if record.cluster_id is None:
        raise InputError(record.segment_id, "has no cluster_id")
    return record.cluster_id


def _performer_keys(records: Sequence[LabelRecord]) -> tuple[IntArray, IntArray]:
    """Fold of each record by its pianist, -1 where there is none; and which are score renderings."""
    renders = np.array([record.is_score_rendering for record in records])
    names = ["" if record.is_score_rendering else record.performer_id or "" for record in records]
    key = _stated_or_balanced(records, "performer", names)
    unknown = np.array([name == "" for name in names])
    return np.where(unknown, -1, key), renders


def _stated_or_balanced(records: Sequence[LabelRecord], protocol: str, groups: Sequence[str]) -> IntArray:
    stated = _STATED[protocol]
    if all(stated in record.folds for record in records):
        return np.array([record.folds[stated] for record in records], dtype=np.int64)
    fold_of = balanced_folds(group for group in groups if group)
    return np.array([fold_of.get(group, -1) for group in groups], dtype=np.int64)


def _check(records: Sequence[LabelRecord], protocol: str, fold: HeldOutFold) -> None:
    """Refuse a fold whose parts share what they must not; the published split is reported on, not refused."""
    barriers = _BARRIERS.get(protocol)
    if barriers is None:
        return
    test = [records[i] for i in fold.test]
    if "performer" in barriers:
        train = [records[i] for i in fold.train if not records[i].is_score_rendering]
        assert_disjoint(train, test, by=("performer",))
    others: tuple[Barrier, ...] = tuple(barrier for barrier in barriers if barrier != "performer")
    assert_disjoint([records[i] for i in fold.train], test, by=others)
