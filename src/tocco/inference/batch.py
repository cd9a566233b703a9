"""Many performances, one after another or in several processes; knows no terminal."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from tocco.audio.transcription import transcriber_of
from tocco.data.pairing import TakeFiles
from tocco.data.transcribing import OnTranscribed
from tocco.engines import LocalEngine, Progress
from tocco.errors import ToccoError
from tocco.inference.assessment import Assessment
from tocco.inference.assessor import Assessor
from tocco.music.score_finding import ScoreFolder, open_score_folder

Deliver = Callable[[TakeFiles, Assessment], object]
"""Called with the files and the assessment of a performance in the process that made it."""


@dataclass(frozen=True)
class Outcome:
    """What became of one performance.

    Attributes
    ----------
    take
    assessment : None if it failed
    error : None if it did not
    """

    take: TakeFiles
    assessment: Assessment | None = None
    error: ToccoError | None = None


@dataclass(frozen=True)
class _Task:
    take: TakeFiles
    bundle: Path | None
    transcriber: str | None
    deliver: Deliver | None


def assess_many(
    takes: Sequence[TakeFiles],
    bundle: Path | None = None,
    *,
    transcriber: str | None = None,
    jobs: int = 1,
    deliver: Deliver | None = None,
    progress: Progress | None = None,
) -> Generator[Outcome, None, None]:
    """Assess performances with one bundle, which every process loads once.

    A performance that cannot be assessed does not end the batch: its outcome says why.

    Parameters
    ----------
    takes
    bundle : its folder; the one inside the package if None
    transcriber : command that transcribes recordings without MIDI; None for the built-in transcriber
    jobs : processes; with one, this very process
    deliver
        Writes what an assessment leaves behind; picklable where `jobs` is more than 1.
    progress : called with the numbers of done and of all performances

    Yields
    ------
    Outcomes in the order of `takes`.

    Raises
    ------
    BundleError
        The bundle cannot be used.
    MissingPartError
        A process was ended from outside.
    """
    tasks = [_Task(take, bundle, transcriber, deliver) for take in takes]
    yield from LocalEngine(jobs).map(_assess, tasks, progress)


@lru_cache(maxsize=1)
def shared_assessor(bundle: Path | None = None, transcriber: str | None = None) -> Assessor:
    """The assessor of a bundle, and of a transcriber's command if there is one; loaded once a process."""
    return Assessor(bundle, transcriber=None if transcriber is None else transcriber_of(transcriber))


@lru_cache(maxsize=1)
def shared_scores(folder: Path) -> ScoreFolder:
    """The scores of a folder, opened once a process."""
    return open_score_folder(folder)


def assess_take(
    assessor: Assessor, take: TakeFiles, on_transcribed: OnTranscribed | None = None
) -> Assessment:
    """Assess the files of one performance."""
    scores = None if take.score is not None or take.scores is None else shared_scores(take.scores)
    return assessor.assess(
        take.audio,
        take.midi,
        take.score,
        origin=take.origin,
        on_transcribed=on_transcribed,
        scores=scores,
    )


def _assess(task: _Task) -> Outcome:
    assessor = shared_assessor(task.bundle, task.transcriber)
    try:
        assessment = assess_take(assessor, task.take)
        if task.deliver is not None:
            task.deliver(task.take, assessment)
    except ToccoError as error:
        return Outcome(task.take, error=error)
    return Outcome(task.take, assessment)
