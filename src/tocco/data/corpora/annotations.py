"""Manual annotations of a performance: beats, and note alignment with the score.

One JSON per performance, beside the manifest that names it. Annotations are ground truth for evaluation, and
never an input of the model.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, ValidationError, model_validator

from tocco.errors import InputError
from tocco.files import write_bytes
from tocco.schema import StrictModel, laid_out, one_line, parse_object

_Seconds = Annotated[float, Field(strict=True, ge=0.0, allow_inf_nan=False)]
_Index = Annotated[int, Field(strict=True, ge=0)]


class TimeSignature(StrictModel):
    """A time signature and its start."""

    start_sec: _Seconds
    numerator: Annotated[int, Field(strict=True, ge=1)]
    denominator: Annotated[int, Field(strict=True, ge=1)]


class KeySignature(StrictModel):
    """A key signature and its start."""

    start_sec: _Seconds
    sharps: Annotated[int, Field(strict=True, ge=-14, le=14)]
    """Sharps; negative for flats."""


class Beats(StrictModel):
    """Beats of one performance, or of the score MIDI, in seconds of that file."""

    beat_sec: tuple[_Seconds, ...]
    """All beats, including downbeats, ascending."""

    downbeat_sec: tuple[_Seconds, ...]
    """The first beat of every bar; each is one of `beat_sec`."""

    rough_beat_sec: tuple[_Seconds, ...] = ()
    """Beats whose position is ambiguous (free passages); each is one of `beat_sec`."""

    time_signatures: tuple[TimeSignature, ...] = ()
    key_signatures: tuple[KeySignature, ...] = ()

    @model_validator(mode="after")
    def _is_consistent(self) -> Beats:
        if any(later <= earlier for earlier, later in zip(self.beat_sec, self.beat_sec[1:], strict=False)):
            raise ValueError("beat_sec does not ascend")
        known = set(self.beat_sec)
        for name in ("downbeat_sec", "rough_beat_sec"):
            odd = [time for time in getattr(self, name) if time not in known]
            if odd:
                raise ValueError(f"{name} has {odd[0]}, which is not a beat")
        return self


class Recording(StrictModel):
    """The recording in another corpus that a performance was cut from."""

    corpus: str
    midi: str
    """Path inside that corpus."""

    audio: str
    start_sec: _Seconds = 0.0
    """Start of the performance in the recording."""

    end_sec: _Seconds | None = None
    """End of the performance; null for the end of the recording."""


class NoteAlignment(StrictModel):
    """Manual note alignment of performance and score."""

    match: tuple[tuple[str, _Index], ...]
    """(note id in the score, index into the notes of `load_midi`), by index."""

    deletion: tuple[str, ...]
    """Ids of written notes that were not played."""

    insertion: tuple[_Index, ...]
    """Indices of played notes that are not in the score, ascending."""

    n_lost: _Index = 0
    """Notes of the alignment that are not in the MIDI file."""

    n_unmarked: _Index = 0
    """Notes of the MIDI file that are not in the alignment."""


class Annotation(StrictModel):
    """Annotations and metadata of one performance."""

    schema_version: Literal[1] = 1

    segment_id: str
    composer: str
    title: str
    source_file: str
    """The performance's path inside its corpus."""

    duration_sec: _Seconds
    """The last release of a key or of the pedal."""

    score_xml: str | None = None
    """The MusicXML score, relative to this corpus' folder; null where there is none."""

    beats: Beats | None = None
    """Beats of the performance."""

    score_beats: Beats | None = None
    """Beats of the score's MIDI, in its seconds."""

    is_beat_aligned: bool | None = None
    """Whether performance and score have the same number of beats, so that they correspond by index."""

    alignment: NoteAlignment | None = None
    recording: Recording | None = None


def read_annotation(path: Path) -> Annotation:
    """Read and validate an annotation.

    Raises
    ------
    InputError
        The file is missing, or not an annotation.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise InputError(path, f"cannot be read ({error.strerror})", next_step="check the path") from error
    except UnicodeDecodeError as error:
        raise InputError(path, f"is not UTF-8 text (byte {error.start})") from error
    try:
        # Through JSON, so that lists are accepted as tuples under strict types.
        parse_object(text)
        return Annotation.model_validate_json(text)
    except ValidationError as error:
        raise InputError(path, one_line(error), next_step="import the corpus again") from error
    except ValueError as error:
        raise InputError(path, str(error), next_step="import the corpus again") from error


def write_annotation(annotation: Annotation, path: Path) -> None:
    """Write an annotation atomically; the same content gives the same bytes."""
    write_bytes(path, annotation_bytes(annotation))


def annotation_bytes(annotation: Annotation) -> bytes:
    """The annotation as JSON; unknown fields are omitted."""
    return (laid_out(annotation.model_dump(mode="json", exclude_none=True)) + "\n").encode()
