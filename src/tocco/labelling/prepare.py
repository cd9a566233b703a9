"""Make a labelling project: choose diverse segments, a calibration set and anchors."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tocco.data.records import LabelRecord, write_labels
from tocco.errors import InputError, OutputError
from tocco.files import writable_folder
from tocco.inference.assessment import Assessment
from tocco.labelling.candidates import SOURCE, Candidate, Refusal, candidates_of, composer_of, known_segments
from tocco.labelling.project import Project, SegmentFacts, Settings, write_project
from tocco.labelling.selection import UNKNOWN, properties_of, select
from tocco.labelling.store_file import create_store


@dataclass(frozen=True)
class Plan:
    """What a project is to have.

    Attributes
    ----------
    n_segments : to be rated, the calibration set among them
    n_calibration
    per_performance : at most so many candidates of one performance
    """

    n_segments: int = 250
    n_calibration: int = 20
    per_performance: int = 10


@dataclass(frozen=True)
class Prepared:
    """A new project, and what it holds.

    Attributes
    ----------
    project
    counts : property -> value -> number of segments
    n_pool : candidates left for later rounds
    n_anchors, n_calibration
    n_known_calibration : of the calibration set, with known ratings
    refusals : performances that gave no segment
    """

    project: Project
    counts: Mapping[str, Mapping[str, int]]
    n_pool: int
    n_anchors: int
    n_calibration: int
    n_known_calibration: int
    refusals: tuple[Refusal, ...]


def prepare(
    source: Path,
    folder: Path,
    plan: Plan,
    settings: Settings,
    *,
    known: Path | None = None,
    assessments: Mapping[str, Assessment] | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Prepared:
    """Choose segments, and write the project with an empty store.

    Known ratings serve anchors first, then the calibration set, which is filled up with other segments.

    Parameters
    ----------
    source : a folder of performances, a manifest or a label file
    folder : of the project; not yet one
    plan, settings
    known : label file of segments with ratings by people
    assessments : name of a performance in `source` -> its assessment, for the quality of segments
    progress : called with (done, total) performances

    Raises
    ------
    InputError
        A file cannot be used, or has nothing to rate.
    OutputError
        The folder is a project already, or cannot be written.
    """
    if (folder / "project.json").exists():
        raise OutputError(folder, "is a labelling project already", next_step="choose another folder")
    writable_folder(folder)
    rng = np.random.default_rng(settings.seed)
    reference = () if known is None else known_segments(known, settings.dimensions)
    found, refusals = candidates_of(
        source, assessments or {}, per_performance=plan.per_performance, rng=rng, progress=progress
    )
    anchors, known_calibration = _shared_out(reference, plan, settings, rng)
    found = _others_than(found, [*anchors, *known_calibration])
    properties = properties_of(found)
    chosen = select(properties, plan.n_segments - len(known_calibration), rng).tolist()
    n_calibration = min(plan.n_calibration, len(chosen) + len(known_calibration))
    own_calibration = set(chosen[: n_calibration - len(known_calibration)])
    records: dict[str, LabelRecord] = {}
    facts: dict[str, SegmentFacts] = {}
    for one in (*known_calibration, *anchors):
        records[one.segment_id] = _unlabelled(one)
        facts[one.segment_id] = SegmentFacts(
            role="calibration" if one in known_calibration else "anchor",
            known=dict(one.labels),
            composer=composer_of(one.work_id, one.piece_id),
        )
    for i in chosen:
        candidate = found[i]
        records[candidate.record.segment_id] = candidate.record
        difficulty, quality = (properties.values[name][i] for name in ("difficulty", "quality"))
        facts[candidate.record.segment_id] = SegmentFacts(
            role="calibration" if i in own_calibration else "rated",
            composer=candidate.composer,
            difficulty=None if difficulty == UNKNOWN else difficulty,
            quality=None if quality == UNKNOWN else quality,
        )
    project = Project(folder, settings, records, facts)
    left = sorted(set(range(len(found))) - set(chosen))
    if left:
        write_labels((found[i].record for i in left), project.pool_path)
    if not project.store_path.exists():
        create_store(project.store_path)
    write_project(project)
    return Prepared(
        project,
        properties.counts(chosen),
        len(left),
        len(anchors),
        n_calibration,
        len(known_calibration),
        refusals,
    )


def _shared_out(
    reference: Sequence[LabelRecord], plan: Plan, settings: Settings, rng: np.random.Generator
) -> tuple[list[LabelRecord], list[LabelRecord]]:
    """Anchors and calibration segments among those with known ratings, of different pieces and levels."""
    if not reference:
        return [], []
    level = [np.mean(list(one.labels.values())) for one in reference]
    as_candidates = [
        Candidate(one, composer_of(one.work_id, one.piece_id), math.nan, float(q))
        for one, q in zip(reference, level, strict=True)
    ]
    n_anchors = math.ceil(settings.anchor_share * plan.n_segments)
    order = select(properties_of(as_candidates), n_anchors + plan.n_calibration, rng)
    ordered = [reference[i] for i in order]
    return ordered[:n_anchors], ordered[n_anchors:]


def _others_than(found: Sequence[Candidate], used: Sequence[LabelRecord]) -> tuple[Candidate, ...]:
    """Candidates that share neither id nor music with segments whose ratings are known."""
    ids = {one.segment_id for one in used}
    clusters = {one.cluster_id for one in used if one.cluster_id is not None}
    left = tuple(
        one for one in found if one.record.segment_id not in ids and one.record.cluster_id not in clusters
    )
    if not left:
        raise InputError("segments", "are all anchors or calibration", next_step="name another source")
    return left


def _unlabelled(record: LabelRecord) -> LabelRecord:
    return record.model_copy(update={"labels": {}, "label_sd": {}, "n_raters": None, "source": SOURCE})
