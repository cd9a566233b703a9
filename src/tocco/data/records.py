"""Label records: rated segments, and performances to assess (a manifest).

Labels of every source share one JSONL schema. Paths in a file are relative to its folder, so that a data set
can be moved as a whole; in memory they are absolute.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import Field, ValidationError, field_validator, model_validator

from tocco.errors import InputError, short
from tocco.files import SAFE_NAME_RULE, is_safe_name, read_text, write_bytes
from tocco.music.performance import Origin
from tocco.rubrics import TARGETS
from tocco.schema import StrictModel, nearest, one_line, parse_object

_Text = Annotated[str, Field(strict=True, min_length=1)]
_Seconds = Annotated[float, Field(strict=True, ge=0.0, allow_inf_nan=False)]
_Points = Annotated[float, Field(strict=True, ge=0.0, le=100.0, allow_inf_nan=False)]
_Fold = Annotated[int, Field(strict=True, ge=-1)]
_PATHS = ("audio_path", "midi_path", "score_path", "annotation_path")


class LabelRecord(StrictModel):
    """One segment of one performance, and its ratings.

    Ratings are never overwritten: a better label is a new record with another `source`, in another file.
    """

    segment_id: str
    """Unique in its file; part of the names of files of the segment."""

    piece_id: _Text
    """The piece or movement."""

    performer_id: _Text | None = None
    """The pianist; null where unknown."""

    source: _Text
    """Where the ratings come from: a rater's id, a pseudo-label version, a data set."""

    audio_path: Path | None = None
    """The recording; null where only the MIDI exists."""

    midi_path: Path | None = None
    """MIDI of the performance; null where only the audio exists."""

    score_path: Path | None = None
    """The score; null where none is known."""

    origin: Origin = "keys"
    """Whether the MIDI was recorded by the instrument ("keys") or transcribed from audio ("transcribed").

    Absent from the file where it was recorded.
    """

    annotation_path: Path | None = None
    """Manual annotations of the performance: beats, or note alignment (`corpora.annotations`).

    Absent from the file where there are none.
    """

    start_time: _Seconds = 0.0
    """Seconds of the recording at which the segment starts."""

    end_time: _Seconds | None = None
    """Seconds at which it ends; null for the end of the recording."""

    labels: dict[str, _Points]
    """Dimension or descriptor -> 0 to 100. Missing ratings are absent, never imputed."""

    label_sd: dict[str, _Points] = Field(default_factory=dict)
    """Dimension or descriptor -> sample standard deviation between raters, in points."""

    n_raters: Annotated[int, Field(strict=True, ge=1)] | None = None
    """Number of people whose ratings the label averages."""

    work_id: _Text | None = None
    """The composition that the piece belongs to, for leave-one-work-out splits."""

    passage_id: _Text | None = None
    """The bars that are played, shared by all takes of the same bars."""

    cluster_id: _Text | None = None
    """Segments that overlap in the music. No split may divide a cluster."""

    is_score_rendering: Annotated[bool, Field(strict=True)] = False
    """A deadpan rendering of the score, without a pianist."""

    folds: dict[str, _Fold] = Field(default_factory=dict)
    """Split protocol -> fold of this segment; -1 if it belongs to none."""

    @field_validator("segment_id")
    @classmethod
    def _id_names_a_file(cls, value: str) -> str:
        if not is_safe_name(value):
            raise ValueError(f"{short(value)} cannot name a file; use {SAFE_NAME_RULE}")
        return value

    @field_validator("labels", "label_sd", mode="before")
    @classmethod
    def _names_are_targets(cls, value: Any) -> Any:
        unknown = [str(name) for name in value if name not in TARGETS] if isinstance(value, dict) else []
        if unknown:
            raise ValueError("; ".join(nearest(name, TARGETS) for name in unknown))
        return value

    @field_validator("labels", "label_sd")
    @classmethod
    def _in_rubric_order(cls, value: dict[str, float]) -> dict[str, float]:
        return {name: value[name] for name in TARGETS if name in value}

    @field_validator("folds")
    @classmethod
    def _in_name_order(cls, value: dict[str, int]) -> dict[str, int]:
        return dict(sorted(value.items()))

    @property
    def is_transcribed(self) -> bool:
        """Whether the notes of the MIDI were transcribed from audio."""
        return self.origin == "transcribed"

    @model_validator(mode="before")
    @classmethod
    def _read_earlier_name(cls, fields: Any) -> Any:
        """Files of earlier releases have `is_transcribed`, true or false."""
        if isinstance(fields, dict) and isinstance(fields.get("is_transcribed"), bool):
            fields = dict(fields)
            is_transcribed = fields.pop("is_transcribed")
            fields.setdefault("origin", "transcribed" if is_transcribed else "keys")
        return fields

    @model_validator(mode="after")
    def _is_consistent(self) -> LabelRecord:
        if self.audio_path is None and self.midi_path is None:
            raise ValueError("audio_path and midi_path are both empty; a segment needs one of them")
        if self.end_time is not None and self.end_time <= self.start_time:
            raise ValueError(f"end_time {self.end_time} is not after start_time {self.start_time}")
        unlabelled = [name for name in self.label_sd if name not in self.labels]
        if unlabelled:
            raise ValueError(f"label_sd has {unlabelled[0]!r}, which labels has not")
        return self


def read_labels(path: Path, *, must_exist: bool = False) -> tuple[LabelRecord, ...]:
    """Read the records of a JSONL file, in order.

    Parameters
    ----------
    path
    must_exist
        Also check that every named file exists.

    Raises
    ------
    InputError
        Names the file and the line.
    """
    folder = path.absolute().parent
    records: list[LabelRecord] = []
    line_of: dict[str, int] = {}
    for number, line in enumerate(read_text(path).split("\n"), start=1):
        if not line.strip():
            continue
        subject = f"{path}, line {number}"
        record = _record(subject, line, folder)
        if record.segment_id in line_of:
            first = line_of[record.segment_id]
            raise InputError(
                subject,
                f"segment_id {record.segment_id!r} is already used in line {first}",
                next_step="keep one record of each segment",
            )
        line_of[record.segment_id] = number
        if must_exist:
            _check_files(subject, {name: getattr(record, name) for name in _PATHS})
        records.append(record)
    if not records:
        raise InputError(path, "has no records", allowed="one JSON object per line")
    return tuple(records)


def write_labels(records: Iterable[LabelRecord], path: Path) -> None:
    """Write records as JSONL, atomically; the same records give the same bytes.

    Paths inside the file's folder are written relative to it. Relative paths are assumed to be
    relative to it.

    Raises
    ------
    InputError
        Two records have the same segment_id, or there are none.
    OutputError
        The file cannot be written.
    """
    folder = path.absolute().parent
    seen: set[str] = set()
    lines: list[str] = []
    for record in records:
        if record.segment_id in seen:
            raise InputError(path, f"would have segment_id {record.segment_id!r} twice")
        seen.add(record.segment_id)
        fields = record.model_dump()
        for name in _PATHS:
            fields[name] = _portable(fields[name], folder)
        if record.annotation_path is None:
            # Files from before this field existed have the same bytes, and runs recorded their hashes.
            del fields["annotation_path"]
        if record.origin == "keys":
            del fields["origin"]
        lines.append(json.dumps(fields, ensure_ascii=False, allow_nan=False) + "\n")
    if not lines:
        raise InputError(path, "would have no records")
    write_bytes(path, "".join(lines).encode())


_REPAIR: Final = "correct this line, or let `tocco data folder` write the file"


def _record(subject: str, line: str, folder: Path) -> LabelRecord:
    try:
        fields = parse_object(line)
        for name in _PATHS:
            if isinstance(fields.get(name), str):
                fields[name] = _located(fields[name], folder)
        return LabelRecord.model_validate(fields)
    except ValidationError as error:
        raise InputError(subject, one_line(error, LabelRecord), next_step=_REPAIR) from error
    except ValueError as error:
        raise InputError(
            subject, str(error), allowed="one JSON object per line", next_step=_REPAIR
        ) from error


def _located(text: str, folder: Path) -> Path:
    if "\0" in text:
        raise ValueError("a path has a NUL byte")
    return folder / text


def _portable(path: Path | None, folder: Path) -> str | None:
    if path is None:
        return None
    return (path.relative_to(folder) if path.is_relative_to(folder) else path).as_posix()


def _check_files(subject: str, files: Mapping[str, Path | None]) -> None:
    for name, file in files.items():
        if file is not None and not file.is_file():
            raise InputError(subject, f"{name} {str(file)!r} is not a file", next_step="check the path")
