"""A labelling project: a folder with segments, settings and the store of ratings.

project.json      settings, and what is known of each segment: never shown to raters
segments.jsonl    the segments, as label records without labels; recordings are named, not copied
pool.jsonl        candidates that later rounds choose from; absent where there are none
ratings.sqlite    the store
secret            key of the signed links; readable by its owner alone
clips/            cached sound of the segments; may be deleted
"""

from __future__ import annotations

import contextlib
import os
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import Field, ValidationError, field_validator

from tocco.data.records import LabelRecord, read_labels, write_labels
from tocco.errors import InputError, OutputError
from tocco.files import read_text, write_bytes
from tocco.labelling.store import RatingStore
from tocco.labelling.store_file import create_store
from tocco.rubrics import DIMENSIONS, TARGETS
from tocco.schema import Points, StrictModel, laid_out, nearest, one_line, parse_object

FORMAT_VERSION: Final = 1

_Share = Annotated[float, Field(ge=0.0, le=0.5)]


class Settings(StrictModel):
    """How a project is rated."""

    title: str = "Piano performances"
    """Shown to raters."""

    dimensions: tuple[str, ...] = DIMENSIONS
    """What is rated, in the order of the sliders."""

    seed: Annotated[int, Field(strict=True, ge=0)] = 0
    """Of every rater's order, together with the rater's id."""

    repeat_share: _Share = 0.1
    """Share of a round that is presented a second time."""

    anchor_share: _Share = 0.05
    """Segments with known ratings, as a share of a round."""

    repeat_distance: Annotated[int, Field(strict=True, ge=1)] = 20
    """Fewest items from a segment to its repetition; in a round of less than twice as many, half of it."""

    calibration_gap_hours: Annotated[float, Field(ge=0.0)] = 12.0
    """From the end of the calibration to its repetition."""

    waits_for_calibration: Annotated[bool, Field(strict=True)] = True
    """Whether rating starts after the repetition only."""

    weekly_goal: Annotated[int, Field(strict=True, ge=1)] = 40
    """Items a week; 30 to 50 are advised."""

    n_pairs: Annotated[int, Field(strict=True, ge=0)] = 100
    """Pairs for a rater, in the pairwise mode."""

    @field_validator("dimensions")
    @classmethod
    def _are_targets(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        unknown = [name for name in value if name not in TARGETS]
        if unknown:
            raise ValueError("; ".join(nearest(name, TARGETS) for name in unknown))
        if not value or len(set(value)) != len(value):
            raise ValueError("has to name at least one dimension, and each once")
        return value


class SegmentFacts(StrictModel):
    """What is known of a segment beside its record."""

    role: Literal["rated", "calibration", "anchor"] = "rated"
    """Calibration segments come first and twice; anchors come among the others, and make no labels."""

    round: Annotated[int, Field(strict=True, ge=1)] = 1
    """The round that it is rated in."""

    known: dict[str, Points] = Field(default_factory=dict)
    """Ratings that are known of an anchor or a calibration segment."""

    composer: str | None = None
    difficulty: str | None = None
    """Group of difficulty by the notes; null without notes."""

    quality: str | None = None
    """Group of quality, by a given assessment or label; null where none was given."""


class _ProjectFile(StrictModel):
    format_version: Literal[1]
    settings: Settings
    segments: dict[str, SegmentFacts]


@dataclass(frozen=True)
class Project:
    """A project as read.

    Attributes
    ----------
    folder
    settings
    segments : segment id -> its record, in the order of the file
    facts : segment id -> what is known of it
    """

    folder: Path
    settings: Settings
    segments: Mapping[str, LabelRecord]
    facts: Mapping[str, SegmentFacts] = field(default_factory=dict)

    @property
    def store_path(self) -> Path:
        """The file of the ratings."""
        return self.folder / "ratings.sqlite"

    @property
    def pool_path(self) -> Path:
        """Candidates of later rounds."""
        return self.folder / "pool.jsonl"

    def record(self, segment_id: str) -> LabelRecord:
        """The record of a segment.

        Raises
        ------
        InputError
            There is none of that id.
        """
        if segment_id not in self.segments:
            raise InputError(
                self.folder, f"has no segment {segment_id!r}", next_step="see segments.jsonl in it"
            )
        return self.segments[segment_id]

    def duration_sec(self, segment_id: str) -> float:
        """Length of a segment in seconds."""
        record = self.record(segment_id)
        assert record.end_time is not None  # read_project checks it
        return record.end_time - record.start_time

    def known(self, segment_id: str) -> Mapping[str, float]:
        """Known ratings of a segment; empty for most."""
        return self.facts[segment_id].known if segment_id in self.facts else {}

    def open_store(self, *, clock: Callable[[], float] = time.time) -> RatingStore:
        """The store of the ratings; made if it is missing."""
        if not self.store_path.exists():
            with contextlib.suppress(OutputError):  # another process may have made it in this moment
                create_store(self.store_path)
        return RatingStore(self.store_path, clock=clock)

    def secret(self) -> str:
        """Key of the signed links, made at the first use and readable by the owner of the file alone."""
        path = self.folder / "secret"
        if not path.exists():
            try:
                handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            except FileExistsError:
                pass
            except OSError as error:
                raise OutputError(
                    path, f"cannot be written ({error.strerror})", next_step="make the folder writable"
                ) from error
            else:
                with os.fdopen(handle, "w") as stream:
                    stream.write(secrets.token_urlsafe(32))
        return read_text(path).strip()


def read_project(folder: Path) -> Project:
    """Read a project folder.

    Raises
    ------
    InputError
        It is no project, or a file of it cannot be used.
    """
    path = folder / "project.json"
    if not path.is_file():
        raise InputError(folder, "is no labelling project", next_step="make one with `tocco label prepare`")
    try:
        content = _ProjectFile.model_validate(parse_object(read_text(path)))
    except ValidationError as error:
        raise InputError(path, one_line(error), next_step="correct the file") from error
    except ValueError as error:
        raise InputError(path, str(error), next_step="correct the file") from error
    records = {one.segment_id: one for one in read_labels(folder / "segments.jsonl")}
    for name, record in records.items():
        if record.end_time is None:
            raise InputError(
                folder / "segments.jsonl",
                f"{name} has no end_time",
                allowed="seconds",
                next_step="let `tocco label prepare` write the file",
            )
    unknown = set(content.segments) - set(records)
    if unknown:
        raise InputError(path, f"names segment {min(unknown)!r}, which segments.jsonl has not")
    facts = {name: content.segments.get(name, SegmentFacts()) for name in records}
    return Project(folder, content.settings, records, facts)


def write_project(project: Project) -> None:
    """Write the segments, then the settings: a folder without settings is no project.

    Raises
    ------
    OutputError
        A file cannot be written.
    """
    write_labels(project.segments.values(), project.folder / "segments.jsonl")
    content = _ProjectFile(
        format_version=FORMAT_VERSION, settings=project.settings, segments=dict(project.facts)
    )
    text = laid_out(content.model_dump(mode="json")) + "\n"
    write_bytes(project.folder / "project.json", text.encode())
