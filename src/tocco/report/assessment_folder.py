"""The folder that assessments are written to: what is there already, and what may take its place."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from tocco.data.pairing import TakeFiles
from tocco.data.transcribing import find_transcription
from tocco.errors import InputError, OutputError
from tocco.files import SAFE_NAME_RULE, is_safe_name, sha256_of, writable_folder
from tocco.inference.assessment import (
    Assessment,
    differing_inputs,
    read_assessment,
    write_assessment_table,
)
from tocco.inference.batch import shared_scores
from tocco.report.formats import (
    ATTENTION_ENDINGS,
    TRANSCRIPTION_SUFFIX,
    AssessedTake,
    is_reserved,
    report_paths,
    write_report,
)

TABLE: Final = "assessments.csv"

_TABLE_HEAD: Final = b"id,aggregate,"
_OTHER_FOLDER: Final = "name another folder, or remove it"


def as_it_is(assessment: Assessment) -> Assessment:
    """The assessment, with nothing laid beside its ratings."""
    return assessment


@dataclass(frozen=True)
class AssessmentFolder:
    """Assessments by id, each as the files of `FORMATS`, and a table of all.

    Attributes
    ----------
    path
    mark : lays beside the ratings what is asked for; picklable where several processes write
    """

    path: Path
    mark: Callable[[Assessment], Assessment] = field(default=as_it_is)

    def prepare(self) -> None:
        """Make the folder.

        Raises
        ------
        OutputError
            It cannot be written to, or another file stands where the table would.
        """
        writable_folder(self.path)
        self._refuse_other_table()

    def write(self, take: TakeFiles, assessment: Assessment) -> tuple[Path, ...]:
        """Write the files of one assessment, and say which."""
        paths = self._paths(take, assessment)
        shown = _with_found_score(take, assessment)
        write_report(AssessedTake(self.mark(assessment), shown, _cached(assessment)), paths)
        return paths

    def read(self, performance_id: str) -> Assessment:
        """The assessment of this id."""
        return read_assessment(self.path / f"{performance_id}.json")

    def write_table(self, assessments: Mapping[str, Assessment]) -> Path:
        """Write one row a performance, in the order given."""
        write_assessment_table(assessments, self.path / TABLE)
        return self.path / TABLE

    def is_done(self, take: TakeFiles, bundle_sha256: str, transcriber: str | None = None) -> bool:
        """Whether an earlier run assessed these files with this bundle.

        Files that the earlier run did not come to are written now, and all of them where something else is
        asked for beside the ratings.

        Parameters
        ----------
        take
        bundle_sha256
        transcriber : version of the one that transcribes recordings without MIDI; None where none is there

        Raises
        ------
        OutputError
            The name is taken by other files, by another bundle, or by notes of another transcriber.
        """
        found = self.earlier(take)
        if found is None:
            return False
        path, *others = self._paths(take, found)
        if found.bundle.sha256 != bundle_sha256:
            made_by = f"{found.bundle.name} {found.bundle.version}"
            raise OutputError(path, f"was made by another bundle ({made_by})", next_step=_OTHER_FOLDER)
        made_by = found.inputs.transcriber
        if made_by is not None and transcriber not in (None, made_by):
            raise OutputError(path, f"was made by another transcriber ({made_by})", next_step=_OTHER_FOLDER)
        marked = self.mark(found)
        missing = [other for other in others if not other.exists()] if marked == found else [path, *others]
        transcription = self.transcription(take, found)
        if made_by is not None and missing and transcription is None:
            return False  # what is missing needs the notes, and they are cached no more
        write_report(AssessedTake(marked, _with_found_score(take, found), transcription), missing)
        return True

    def earlier(self, take: TakeFiles, *, overwrite: bool = False) -> Assessment | None:
        """The assessment that these files left under this id.

        The same files may be assessed again into the same place; other files may not take it, and nothing
        may take the place of a file that is no assessment.

        Raises
        ------
        OutputError
            The name is taken.
        """
        path, *others = self._paths(take)
        if not path.exists():
            for present in filter(Path.exists, others):
                raise OutputError(present, "exists, and is not of an assessment", next_step=_OTHER_FOLDER)
            return None
        try:
            found = read_assessment(path)
        except InputError as error:
            problem = f"is in the way: no assessment ({error.problem})"
            raise OutputError(path, problem, next_step=_OTHER_FOLDER) from error
        files = (take.audio, take.midi, take.score)
        if not all(file is None or file.is_file() for file in files):
            return None  # the inputs themselves are at fault; reading them says how
        audio, midi_given, score = (None if file is None else sha256_of(file) for file in files)
        scores_key = None
        if take.score is None and take.scores is not None:
            scores_key = shared_scores(take.scores).key
        differing = differing_inputs(found, audio, midi_given, score, scores_key)
        if found.inputs.notes != take.notes:
            differing += (f"other notes ({found.inputs.notes}, not {take.notes})",)
        if differing and not overwrite:
            problem = _difference(differing, take)
            raise OutputError(path, problem, next_step="name another folder, or --overwrite")
        midi = path.with_suffix(TRANSCRIPTION_SUFFIX)
        if midi in others and midi.exists() and sha256_of(midi) != found.inputs.transcription_sha256:
            raise OutputError(midi, "exists, and is not what was transcribed", next_step=_OTHER_FOLDER)
        return found

    def transcription(self, take: TakeFiles, found: Assessment) -> Path | None:
        """The MIDI of a recording that was transcribed: in this folder, or cached."""
        if found.inputs.transcriber is None:
            return None
        here = self.path / f"{take.id}{TRANSCRIPTION_SUFFIX}"
        return here if here.is_file() else _cached(found)

    def _paths(self, take: TakeFiles, assessment: Assessment | None = None) -> tuple[Path, ...]:
        """The files of an assessment; all that there may be where it is not known yet."""
        if not is_safe_name(take.id):
            raise InputError("id", f"{take.id!r} cannot name a file", allowed=SAFE_NAME_RULE)
        if is_reserved(take.id):
            endings = " or ".join(repr(Path(ending).stem) for ending in ATTENTION_ENDINGS)
            raise InputError(
                "id",
                f"{take.id!r} is the name of a picture of another assessment",
                allowed=f"names that do not end in {endings}",
                next_step="rename the file, or give it an id of its own in a table with --manifest",
            )
        without = () if take.is_recording_alone else (TRANSCRIPTION_SUFFIX,)
        if assessment is not None and assessment.attention is None:
            without += ATTENTION_ENDINGS
        return report_paths(AssessedTake, self.path, take.id, without=without)

    def _refuse_other_table(self) -> None:
        """A table of an earlier run may be written again; another file of its name may not be lost."""
        path = self.path / TABLE
        if not path.exists():
            return
        try:
            with path.open("rb") as stream:
                ours = stream.read(len(_TABLE_HEAD)) == _TABLE_HEAD
        except OSError as error:
            raise OutputError(
                path, f"cannot be replaced ({error.strerror})", next_step="name another folder"
            ) from error
        if not ours:
            raise OutputError(path, "exists, and is no table of assessments", next_step="name another folder")


def _with_found_score(take: TakeFiles, assessment: Assessment) -> TakeFiles:
    """The files of a performance, and the score that was found for it."""
    search = assessment.inputs.score_search
    if search is None or search.file is None or take.scores is None:
        return take
    return replace(take, score=take.scores / search.file)


def _cached(assessment: Assessment) -> Path | None:
    """The cached MIDI that was assessed; None where it is another by now, or MIDI was given."""
    inputs = assessment.inputs
    if inputs.transcriber is None or inputs.transcription_sha256 is None:
        return None
    return find_transcription(inputs.audio.sha256, inputs.transcriber, inputs.transcription_sha256)


def _difference(differing: tuple[str, ...], take: TakeFiles) -> str:
    if "another MIDI" in differing or (take.is_recording_alone and "another recording" in differing):
        return "is the assessment of another performance"
    return f"is the assessment of the same performance with {' and '.join(differing)}"
