"""What a worker process is given to do, and what it says: one JSON object a line."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final, Literal, get_args

from pydantic import Field

from tocco.apps.web.library.jobs import JobError, JobKind
from tocco.apps.web.library.takes import RESULT, StoredFile, Summary
from tocco.data.pairing import Kind, TakeFiles
from tocco.schema import StrictModel

Stage = Literal["starting", "reading", "transcribing", "rating", "comparing", "writing"]

STAGES: Final[dict[Stage, str]] = {
    "starting": "Starting the model",
    "reading": "Reading the files",
    "transcribing": "Finding the notes in the recording",
    "rating": "Rating",
    "comparing": "Comparing",
    "writing": "Writing the report",
}
"""What each stage is called; a job goes through some of them, in this order."""

ASSESSED_FOLDER: Final = "result"
"""In the folder of a take: what `tocco assess -o` writes."""

LOG: Final = "log.txt"
"""In the folder of a take or a result: what its last job wrote to stderr."""


class TaskTake(StrictModel):
    """One take, as a worker needs it."""

    title: str
    """What its owner calls it."""

    folder: Path
    """Of the take."""

    files: tuple[StoredFile, ...]
    """That were given."""

    scores: Path | None = None
    """Folder among whose scores its own is sought."""

    @property
    def result(self) -> Path:
        """Folder of its assessment."""
        return self.folder / ASSESSED_FOLDER

    @property
    def given(self) -> TakeFiles:
        """Its files, for the assessment."""
        stored = {one.kind: self.folder / one.stored for one in self.files}
        audio, midi, score = (stored.get(kind) for kind in get_args(Kind))
        return TakeFiles(RESULT, audio, midi, score, scores=self.scores)


class Task(StrictModel):
    """One job."""

    kind: JobKind
    """What is done with the takes."""

    takes: Annotated[tuple[TaskTake, ...], Field(min_length=1)]
    """One to be assessed, or several that are."""

    output: Path
    """Folder of what is made."""

    by: str = "aggregate"
    """What is ranked by."""

    bundle: Path | None = None
    """Model bundle; null for the one of the package."""

    transcriber: str | None = None
    """Command that transcribes; null for the built-in transcriber."""

    scores_cache: Path | None = None
    """Cache of what is known of the folder of scores."""

    memory_bytes: int
    """Address space that the process may use."""


class Said(StrictModel):
    """One line of a worker."""

    stage: Stage | None = None
    """What begins, or goes on."""

    done: float = 0.0
    """How much of it is done."""

    total: float = 0.0
    """How much there is; 0 where that is not known."""

    summary: Summary | None = None
    """Of an assessment; the last line of one that succeeded."""

    error: JobError | None = None
    """Why it cannot be done; the last line of one that failed."""

    is_done: bool = False
    """Whether everything is written."""
