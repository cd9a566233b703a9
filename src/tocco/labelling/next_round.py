"""The next round: which candidates of the pool would teach most.

Uncertainty is what the bundle expects to err by, how far its members differ, and the same two of a quick
committee that has learned from the project's own ratings, once there are enough. The choice takes uncertain
candidates that are unlike each other and unlike what is in the project already.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from tocco.data.records import LabelRecord, read_labels, write_labels
from tocco.errors import InputError
from tocco.files import replacing
from tocco.inference.bundle import Bundle
from tocco.labelling.candidates import composer_of
from tocco.labelling.choosing import choose, relative_uncertainty
from tocco.labelling.committee import committee_rating
from tocco.labelling.consensus import expert_labels
from tocco.labelling.project import Project, SegmentFacts, write_project
from tocco.labelling.store import RatingStore
from tocco.models.blend import Blend
from tocco.models.predictor import Predictor, PredictorInput, StatisticsTable
from tocco.models.statistics_models import fit_statistics_scale
from tocco.music.excerpt import performance_excerpt
from tocco.music.measures import MEASURES, performance_measures
from tocco.music.midi import load_midi
from tocco.music.statistics import STATISTICS
from tocco.units import FloatArray

FEWEST_RATED: Final = 20
"""Rated segments from which on the project's own ratings count."""

_WHOLE: Final = np.array([MEASURES.index(statistic.name) for statistic in STATISTICS])
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class NextRound:
    """What is to be rated next.

    Attributes
    ----------
    number : of the round
    chosen : records, in the order in which they were chosen
    left : records that stay in the pool
    parts : what the uncertainty is made of, in words
    n_rated : segments whose ratings counted
    n_without_notes : candidates that cannot be measured, since they have no MIDI; they stay in the pool
    """

    number: int
    chosen: tuple[LabelRecord, ...]
    left: tuple[LabelRecord, ...]
    parts: tuple[str, ...]
    n_rated: int
    n_without_notes: int


def next_round(
    project: Project,
    store: RatingStore,
    n: int,
    bundle: Bundle | None,
    *,
    progress: Progress = lambda done, total: None,
) -> NextRound:
    """Choose the next `n` segments of the project's pool.

    Parameters
    ----------
    project, store
    n
    bundle : None to go without its members
    progress : called with (done, total) measured segments

    Raises
    ------
    InputError
        The pool is empty, or has no segment with notes.
    """
    pool = _pool(project)
    known = [one for one in project.segments.values() if one.midi_path is not None]
    candidates = [one for one in pool if one.midi_path is not None]
    if not candidates:
        raise InputError(
            project.pool_path,
            "has no segment with notes",
            next_step="transcribe the recordings (`tocco transcribe`), and prepare a project with both",
        )
    measures = _measured(project, [*known, *candidates], progress)
    of_known, of_candidates = measures[: len(known)], measures[len(known) :]
    scale = fit_statistics_scale(measures[:, _WHOLE])
    z_known, z = (scale.standardised(part[:, _WHOLE]) for part in (of_known, of_candidates))
    parts: dict[str, FloatArray] = {}
    if bundle is not None and bundle.whole is not None:
        parts |= _of_bundle(bundle.whole, of_candidates)
    rated, labels = _rated(project, store, known)
    if len(rated) >= FEWEST_RATED:
        own = committee_rating(z_known[rated], labels, z)
        parts["expected error, by the project's ratings"] = own.error_sd
        parts["disagreement of models of the project's ratings"] = own.disagreement
    uncertainty = relative_uncertainty(*parts.values()) if parts else None
    order = choose(z, z_known, n, uncertainty).tolist()
    chosen = tuple(candidates[i] for i in order)
    ids = {one.segment_id for one in chosen}
    return NextRound(
        1 + max(one.round for one in project.facts.values()),
        chosen,
        tuple(one for one in pool if one.segment_id not in ids),
        tuple(parts),
        len(rated) if len(rated) >= FEWEST_RATED else 0,
        len(pool) - len(candidates),
    )


def add_round(project: Project, found: NextRound) -> Project:
    """Add a round to the project's segments, and take it out of the pool.

    A run that is killed in between leaves segments in both; they are not chosen again.
    """
    records = dict(project.segments) | {one.segment_id: one for one in found.chosen}
    facts = dict(project.facts) | {
        one.segment_id: SegmentFacts(round=found.number, composer=composer_of(one.work_id, one.piece_id))
        for one in found.chosen
    }
    longer = Project(project.folder, project.settings, records, facts)
    write_project(longer)
    if found.left:
        write_labels(found.left, project.pool_path)
    else:
        project.pool_path.unlink(missing_ok=True)
    return longer


def _pool(project: Project) -> list[LabelRecord]:
    if not project.pool_path.is_file():
        raise InputError(
            project.folder,
            "has no candidates left",
            next_step="prepare another project from more performances (`tocco label prepare`)",
        )
    pool = [one for one in read_labels(project.pool_path) if one.segment_id not in project.segments]
    if not pool:
        raise InputError(project.pool_path, "has no candidates left", next_step="prepare another project")
    return pool


def _of_bundle(whole: Predictor, measures: FloatArray) -> dict[str, FloatArray]:
    """Expected error of the bundle, and the disagreement of its members on targets that several rate."""
    rows = PredictorInput(statistics=StatisticsTable(MEASURES, measures))
    parts = {"expected error, by the bundle": np.sqrt(np.square(whole.predict(rows).sd).mean(axis=1))}
    if isinstance(whole, Blend):
        ratings: dict[str, list[FloatArray]] = {}
        for member in whole.members:
            rating = member.predict(rows).rating
            for d, name in enumerate(member.names):
                ratings.setdefault(name, []).append(rating[:, d])
        several = [np.var(values, axis=0) for values in ratings.values() if len(values) > 1]
        if several:
            parts["disagreement of the bundle's members"] = np.sqrt(np.mean(several, axis=0))
    return parts


def _rated(
    project: Project, store: RatingStore, known: Sequence[LabelRecord]
) -> tuple[list[int], FloatArray]:
    """Index into `known` of the segments with a label in every dimension, and (R, D) their labels."""
    names = project.settings.dimensions
    try:
        labels = {one.segment_id: one.labels for one in expert_labels(project, store).debiased}
    except InputError:  # nothing is rated yet
        labels = {}
    usable = [name for name in names if sum(name in one for one in labels.values()) >= 0.5 * len(labels)]
    rows = [
        i
        for i, one in enumerate(known)
        if one.segment_id in labels and all(name in labels[one.segment_id] for name in usable)
    ]
    values = [[labels[known[i].segment_id][name] for name in usable] for i in rows]
    return rows, np.array(values).reshape(len(rows), len(usable))


def _measured(project: Project, records: Sequence[LabelRecord], progress: Progress) -> FloatArray:
    """(N, M) measures by the notes alone; those of an earlier run are read back."""
    path = project.folder / "measures.npz"
    keys = [_key(one) for one in records]
    cached = _read_cache(path)
    is_new = False
    for i, (key, record) in enumerate(zip(keys, records, strict=True)):
        if key not in cached:
            cached[key] = _measures(record)
            is_new = True
        progress(i + 1, len(records))
    if is_new:
        with replacing(path) as temporary, temporary.open("wb") as file:
            np.savez(file, keys=np.array(keys), measures=np.stack([cached[key] for key in keys]))
    return np.stack([cached[key] for key in keys])


def _read_cache(path: Path) -> dict[str, FloatArray]:
    try:
        with np.load(path) as stored:
            keys, measures = stored["keys"], stored["measures"]
    except (OSError, ValueError, KeyError):  # missing, or of another kind: measured anew
        return {}
    if measures.ndim != 2 or measures.shape[1] != len(MEASURES):
        return {}
    return dict(zip(keys.tolist(), measures, strict=True))


def _key(record: LabelRecord) -> str:
    assert record.midi_path is not None
    text = f"{record.midi_path}|{record.start_time}|{record.end_time}|{record.origin}|{','.join(MEASURES)}"
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _measures(record: LabelRecord) -> FloatArray:
    assert record.midi_path is not None
    assert record.end_time is not None
    performance = load_midi(record.midi_path)
    part, _ = performance_excerpt(performance, None, record.start_time, record.end_time)
    return performance_measures(part, None)
