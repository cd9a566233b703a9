"""The folder that assessments are written to: what is there already, and what may take its place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tocco.data.pairing import TakeFiles
from tocco.errors import InputError, OutputError
from tocco.files import SAFE_NAME_RULE, is_safe_name, sha256_of, writable_folder
from tocco.inference.assessment import (
    Assessment,
    differing_inputs,
    read_assessment,
    write_assessment_table,
)
from tocco.report.formats import AssessedTake, report_paths, write_report

TABLE: Final = "assessments.csv"

_TABLE_HEAD: Final = b"id,aggregate,"
_OTHER_FOLDER: Final = "name another folder, or remove it"


@dataclass(frozen=True)
class AssessmentFolder:
    """Assessments by id, each as the files of `FORMATS`, and a table of all.

    Attributes
    ----------
    path
    """

    path: Path

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
        paths = self._paths(take.id)
        write_report(AssessedTake(assessment, take), paths)
        return paths

    def read(self, performance_id: str) -> Assessment:
        """The assessment of this id."""
        return read_assessment(self.path / f"{performance_id}.json")

    def write_table(self, assessments: Mapping[str, Assessment]) -> Path:
        """Write one row a performance, in the order given."""
        write_assessment_table(assessments, self.path / TABLE)
        return self.path / TABLE

    def is_done(self, take: TakeFiles, bundle_sha256: str) -> bool:
        """Whether an earlier run assessed these files with this bundle.

        Files that the earlier run did not come to are written now.

        Raises
        ------
        OutputError
            The name is taken by other files, or by another bundle.
        """
        found = self.earlier(take)
        if found is None:
            return False
        path, *others = self._paths(take.id)
        if found.bundle.sha256 != bundle_sha256:
            made_by = f"{found.bundle.name} {found.bundle.version}"
            raise OutputError(path, f"was made by another bundle ({made_by})", next_step=_OTHER_FOLDER)
        write_report(AssessedTake(found, take), [other for other in others if not other.exists()])
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
        path, *others = self._paths(take.id)
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
        given = [None if file is None else sha256_of(file) for file in files]
        differing = differing_inputs(found, *given)
        if found.inputs.notes != take.origin:
            differing += (f"other notes ({found.inputs.notes}, not {take.origin})",)
        if differing and not overwrite:
            problem = _difference(differing)
            raise OutputError(path, problem, next_step="name another folder, or --overwrite")
        return found

    def _paths(self, performance_id: str) -> tuple[Path, ...]:
        if not is_safe_name(performance_id):
            raise InputError("id", f"{performance_id!r} cannot name a file", allowed=SAFE_NAME_RULE)
        return report_paths(AssessedTake, self.path, performance_id)

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


def _difference(differing: tuple[str, ...]) -> str:
    if "another MIDI" in differing:
        return "is the assessment of another performance"
    return f"is the assessment of the same performance with {' and '.join(differing)}"
