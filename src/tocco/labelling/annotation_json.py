"""Ratings as plain JSON: one object for each segment that a rater rated, as a list or as lines.

The form in which labelling notebooks save their work: the fields of the label schema, which ratings are
uncertain, the comment and the rater. It is an export; the store is where ratings are kept.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, ValidationError, field_validator, model_validator

from tocco.errors import InputError
from tocco.files import read_text
from tocco.labelling.events import (
    LONGEST_COMMENT,
    CommentGiven,
    ListeningGiven,
    Occasion,
    Presentation,
    Rating,
    RatingGiven,
)
from tocco.labelling.order import order_of
from tocco.labelling.project import Project
from tocco.labelling.raters import add_rater
from tocco.labelling.store import RatingStore
from tocco.rubrics import TARGETS
from tocco.schema import StrictModel, nearest, one_line

_Value = Annotated[float, Field(ge=0.0, le=100.0, allow_inf_nan=False)]


class Annotation(StrictModel):
    """What one rater gave on one segment."""

    segment_id: str | None = None
    """The segment; null where its files and start name it."""

    audio_path: str | None = None
    midi_path: str | None = None
    start_time: float | None = None
    end_time: float | None = None

    labels: dict[str, _Value | None]
    """Dimension -> 0 to 100; null where the rater could not say."""

    uncertain: list[str] = Field(default_factory=list)
    """Dimensions that the rater was not sure of; a mapping to true or false is read as well."""

    comment: Annotated[str, Field(max_length=LONGEST_COMMENT)] = ""

    rater: str | None = None
    occasion: Occasion | None = None
    """Null for the first rating."""

    heard_share: float | None = None
    time_sec: float | None = None
    """Unix seconds of the last change."""

    @field_validator("uncertain", mode="before")
    @classmethod
    def _names(cls, value: Any) -> Any:
        return [name for name, is_so in value.items() if is_so] if isinstance(value, dict) else value

    @model_validator(mode="after")
    def _is_usable(self) -> Annotation:
        unknown = [name for name in (*self.labels, *self.uncertain) if name not in TARGETS]
        if unknown:
            raise ValueError(nearest(unknown[0], TARGETS))
        if self.segment_id is None and (self.start_time is None or not (self.audio_path or self.midi_path)):
            raise ValueError("names no segment: give segment_id, or audio_path or midi_path and start_time")
        return self


@dataclass(frozen=True)
class Imported:
    """What an import did.

    Attributes
    ----------
    segments : with a rating
    ratings, comments : that are new in the store
    known : ratings and comments that were there from an earlier import
    """

    segments: int
    ratings: int
    comments: int
    known: int


def annotation_objects(
    project: Project, store: RatingStore, rater_id: str | None = None
) -> list[dict[str, Any]]:
    """Everything that stands, as JSON objects: by rater, then in the project's order.

    Parameters
    ----------
    project, store
    rater_id
        None for every rater.
    """
    found: dict[Presentation, dict[str, Rating]] = {}
    for one in store.ratings(rater_id):
        found.setdefault(one.presentation, {})[one.dimension] = one
    comments = store.comments(rater_id)
    place = {name: i for i, name in enumerate(project.segments)}
    presentations = [one for one in {**found, **comments} if one.segment_id in place]
    presentations.sort(key=lambda one: (one.rater_id, place[one.segment_id], one.occasion))
    return [_object(project, one, found.get(one, {}), comments.get(one, "")) for one in presentations]


def _object(
    project: Project, presentation: Presentation, ratings: Mapping[str, Rating], comment: str
) -> dict[str, Any]:
    record = project.record(presentation.segment_id)
    in_order = {name: ratings[name] for name in project.settings.dimensions if name in ratings}
    return {
        "segment_id": record.segment_id,
        "audio_path": None if record.audio_path is None else record.audio_path.as_posix(),
        "midi_path": None if record.midi_path is None else record.midi_path.as_posix(),
        "start_time": record.start_time,
        "end_time": record.end_time,
        "labels": {name: one.value for name, one in in_order.items()},
        "uncertain": [name for name, one in in_order.items() if one.uncertain],
        "comment": comment,
        "rater": presentation.rater_id,
        "occasion": presentation.occasion,
        "heard_share": next((one.heard_share for one in in_order.values()), None),
        "time_sec": max((one.server_time_sec for one in in_order.values()), default=None),
    }


def read_annotations(path: Path) -> tuple[Annotation, ...]:
    """Read a JSON list, an object with a list `annotations`, or one JSON object a line.

    Raises
    ------
    InputError
        Names the file and the number of the object.
    """
    result = []
    for number, fields in enumerate(_objects(path), start=1):
        try:
            result.append(Annotation.model_validate(fields))
        except ValidationError as error:
            raise InputError(
                f"{path}, object {number}", one_line(error, Annotation), next_step="correct the file"
            ) from error
    if not result:
        raise InputError(path, "has no annotations")
    return tuple(result)


def _objects(path: Path) -> list[Any]:
    text = read_text(path)
    try:
        value = json.loads(text)
    except json.JSONDecodeError:
        try:
            return [json.loads(line) for line in text.splitlines() if line.strip()]
        except json.JSONDecodeError as error:
            raise InputError(
                path,
                f"is not valid JSON ({error.msg} at line {error.lineno})",
                allowed="a list of objects, or one object a line",
            ) from error
    if isinstance(value, dict) and isinstance(value.get("annotations"), list):
        return value["annotations"]
    return value if isinstance(value, list) else [value]


def import_annotations(
    project: Project, store: RatingStore, given: Iterable[Annotation], *, rater_id: str | None, source: str
) -> Imported:
    """Add annotations to the store as ratings that count; what was imported before is not added again.

    Parameters
    ----------
    project, store, given
    rater_id
        Whose ratings they are, where the annotations name nobody.
    source
        Where they come from, for messages and the audit log.

    Raises
    ------
    InputError
        A segment is not of the project, or nobody is named as the rater. Nothing is imported then.
    """
    placed = [_placed(project, one, rater_id, f"{source}, object {i}") for i, one in enumerate(given, 1)]
    for name in dict.fromkeys(presentation.rater_id for presentation, _ in placed):
        add_rater(store, name)
        order_of(project, store, name)
    counts = {"rating": 0, "comment": 0, "known": 0}
    for presentation, one in placed:
        duration = project.duration_sec(presentation.segment_id)
        heard = ListeningGiven(position_sec=0.0, heard=[(0.0, duration)], client_time_sec=one.time_sec or 0.0)
        for name, value in one.labels.items():
            event = RatingGiven(
                event_id=_event_id(presentation, name, value, name in one.uncertain),
                client_time_sec=one.time_sec or 0.0,
                dimension=name,
                value=value,
                uncertain=name in one.uncertain,
            )
            saved = store.rate(presentation, event)
            counts["known" if saved.is_duplicate else "rating"] += 1
        if one.comment:
            event_id = _event_id(presentation, "comment", one.comment)
            comment = CommentGiven(event_id=event_id, client_time_sec=0.0, comment=one.comment)
            saved = store.comment(presentation, comment)
            counts["known" if saved.is_duplicate else "comment"] += 1
        store.save_listening(presentation, heard, duration)
    store.note("admin", "import", {"from": source, **counts})
    segments = {presentation.segment_id for presentation, one in placed if one.labels}
    return Imported(len(segments), counts["rating"], counts["comment"], counts["known"])


def _placed(
    project: Project, one: Annotation, rater_id: str | None, subject: str
) -> tuple[Presentation, Annotation]:
    name = one.rater or rater_id
    if name is None:
        raise InputError(subject, "names no rater", next_step="say whose ratings they are with --rater")
    segment_id = one.segment_id or _segment_of(project, one)
    if segment_id is None or segment_id not in project.segments:
        what = repr(one.segment_id or one.audio_path or one.midi_path)
        raise InputError(
            subject, f"is of {what}, which is no segment of the project", next_step="see segments.jsonl"
        )
    occasion = one.occasion
    if occasion is None:
        roles: dict[str, Occasion] = {"calibration": "calibration_1", "anchor": "anchor", "rated": "first"}
        occasion = roles[project.facts[segment_id].role]
    return Presentation(name, segment_id, occasion), one


def _segment_of(project: Project, one: Annotation) -> str | None:
    """The segment of the same file, by its name, that starts within a tenth of a second."""
    assert one.start_time is not None
    files = {Path(path).name for path in (one.audio_path, one.midi_path) if path}
    for name, record in project.segments.items():
        own = {path.name for path in (record.audio_path, record.midi_path) if path is not None}
        if own & files and abs(record.start_time - one.start_time) < 0.1:
            return name
    return None


def _event_id(presentation: Presentation, *content: object) -> str:
    """The same for the same content, so that an import may be repeated."""
    text = repr((presentation, content))
    return "import-" + hashlib.sha256(text.encode()).hexdigest()[:32]
