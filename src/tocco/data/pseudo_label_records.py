"""Label records of rated performances, compared with other pianists of the piece, if any."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import get_args

from tocco.data.pseudo_labelling import Labelled, source_of
from tocco.data.records import LabelRecord
from tocco.files import file_name
from tocco.music.performance import Origin
from tocco.pseudo_labels.scale.model import ReferenceScale
from tocco.pseudo_labels.scale.peers import Expectation, Take, expectations, mean_standing


def take_of(labelled: Labelled) -> Take | None:
    """A performance as a peer of others; None where it was not rated or is a score rendering.

    Takes of one passage are compared where a record names it, else takes of one piece. A performance without
    a named pianist counts as the only one of its pianist.
    """
    record = labelled.task.record
    piece = record.passage_id or record.piece_id
    if not labelled.rated.versions or record.is_score_rendering:
        return None
    segments = labelled.rated.versions[0].segments
    ratings = [segment.labels for segment in segments]
    confidence = [segment.confidence for segment in segments]
    return Take(
        record.segment_id,
        piece,
        record.performer_id or record.segment_id,
        mean_standing(ratings, confidence, labelled.task.scale),
    )


def peers_of(done: Sequence[Labelled]) -> dict[str, Expectation]:
    """Standing expected of each performance from the other pianists of its piece, where there are any.

    Transcriptions are compared with transcriptions only, since they have a scale of their own.
    """
    found: dict[str, Expectation] = {}
    for origin in get_args(Origin):
        alike = [one for one in done if one.task.record.origin == origin]
        takes = [take for one in alike if (take := take_of(one)) is not None]
        if takes:
            found |= expectations(takes, alike[0].task.scale)
    return {name: expected for name, expected in found.items() if expected.n_peers}


def records_of(labelled: Labelled, expected: Expectation | None = None) -> list[LabelRecord]:
    """The records of a performance and its corrupted versions, one per segment.

    Parameters
    ----------
    labelled
    expected : from its peers; None for ratings on the scale alone
        Corrupted versions are compared with the same expectation, so that the effect of an error does not
        depend on peers.
    """
    record, source = labelled.task.record, source_of(labelled.task.scale)
    found = []
    for version in labelled.rated.versions:
        prefix, base = record.segment_id, record
        if version.corruption is not None:
            path = labelled.task.corrupted_path(version.corruption)
            prefix = path.stem
            base = record.model_copy(
                update={"midi_path": path, "audio_path": None, "annotation_path": None}
            )  # its beats are those of the performance itself
        for segment in version.segments:
            fields = base.model_dump() | {
                "segment_id": file_name(f"{prefix}.{round(1000 * segment.start_time):08d}"),
                "source": source,
                "start_time": segment.start_time,
                "end_time": segment.end_time,
                "labels": _compared(segment.labels, labelled.task.scale, expected),
                "label_sd": {},
                "n_raters": None,
            }
            found.append(LabelRecord.model_validate(fields))
    return found


def _compared(
    labels: Mapping[str, float], scale: ReferenceScale, expected: Expectation | None
) -> dict[str, float]:
    known = {} if expected is None else expected.standing
    return {
        name: scale.compared(name, rating, known[name]) if name in known else rating
        for name, rating in labels.items()
    }


def refusals_of(done: Sequence[Labelled]) -> list[str]:
    """Performances that could not be rated, with reasons."""
    return [f"{one.task.record.segment_id}: {one.rated.refusal}" for one in done if one.rated.refusal]
