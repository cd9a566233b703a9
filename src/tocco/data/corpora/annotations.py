"""What people marked in a performance: where the beats fall, and which key stroke is which written note.

One JSON a performance, beside the manifest that names it. It is ground truth to measure by, and never an
input of the model.
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
    """A metre and where it begins."""

    start_sec: _Seconds
    numerator: Annotated[int, Field(strict=True, ge=1)]
    denominator: Annotated[int, Field(strict=True, ge=1)]


class KeySignature(StrictModel):
    """The accidentals of the stave and where they begin."""

    start_sec: _Seconds
    sharps: Annotated[int, Field(strict=True, ge=-14, le=14)]
    """Sharps; negative for flats."""


class Beats(StrictModel):
    """The beats of one performance, or of the score's MIDI, on the clock of that file."""

    beat_sec: tuple[_Seconds, ...]
    """Every beat, downbeats too, ascending."""

    downbeat_sec: tuple[_Seconds, ...]
    """The first beat of every bar; each is one of `beat_sec`."""

    rough_beat_sec: tuple[_Seconds, ...] = ()
    """Beats whose place the notation does not settle (free passages); each is one of `beat_sec`."""

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
                raise ValueError(f"{name} holds {odd[0]}, which is no beat")
        return self


class Recording(StrictModel):
    """The recording in another corpus that a performance was cut from."""

    corpus: str
    midi: str
    """Path inside that corpus."""

    audio: str
    start_sec: _Seconds = 0.0
    """Where the performance begins in it."""

    end_sec: _Seconds | None = None
    """Where it ends; null for the end of the recording."""


class NoteAlignment(StrictModel):
    """Which key stroke is which written note, as people settled it."""

    match: tuple[tuple[str, _Index], ...]
    """(note id in the score, index into the notes of `load_midi`), by index."""

    deletion: tuple[str, ...]
    """Ids of written notes that were not played."""

    insertion: tuple[_Index, ...]
    """Indices of played notes that are not written, ascending."""

    n_lost: _Index = 0
    """Notes of the alignment that the MIDI file does not hold."""

    n_unmarked: _Index = 0
    """Notes of the MIDI file that the alignment passes over."""


class Annotation(StrictModel):
    """All that is known about one performance beside its notes."""

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
    """Whether performance and score have the same number of beats, so that they pair up by number."""

    alignment: NoteAlignment | None = None
    recording: Recording | None = None


def read_annotation(path: Path) -> Annotation:
    """An annotation, validated.

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
        # Through JSON, so that its lists may stand for tuples under strict types.
        parse_object(text)
        return Annotation.model_validate_json(text)
    except ValidationError as error:
        raise InputError(path, one_line(error), next_step="import the corpus again") from error
    except ValueError as error:
        raise InputError(path, str(error), next_step="import the corpus again") from error


def write_annotation(annotation: Annotation, path: Path) -> None:
    """Write an annotation: whole or not at all, and the same bytes for the same content."""
    write_bytes(path, annotation_bytes(annotation))


def annotation_bytes(annotation: Annotation) -> bytes:
    """The annotation as JSON; what is not known is left out."""
    return (laid_out(annotation.model_dump(mode="json", exclude_none=True)) + "\n").encode()
