"""Rates the files of a case, and caches what came out."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Final

from tocco.cache import cached_model, code_hash, json_key
from tocco.errors import ToccoError
from tocco.evaluation.validity.case import Case, Files, Rater, RatesFiles
from tocco.evaluation.validity.material import files_of
from tocco.evaluation.validity.rows import CaseRows, Modality, Row, RowName, assessed, refused
from tocco.files import file_name, sha256_of
from tocco.music.performance import Origin

_SHOWN: Final = 16


@dataclass(frozen=True)
class RatingTask:
    """One case for one assessor.

    Attributes
    ----------
    case
    rater
    folder : of the cache
    is_cached_only : whether a case that is not cached is left out, in place of being rated
    """

    case: Case
    rater: Rater
    folder: Path
    is_cached_only: bool = False


def rate_case(task: RatingTask) -> CaseRows | None:
    """The rows of a case: those of an earlier run with the same content, or new ones.

    Returns
    -------
    None for a case that is not cached, where only cached ones are asked for.
    """
    key = case_key(task.case, task.rater)
    path = task.folder / f"{file_name(task.case.take)}.{key[:_SHOWN]}.json"
    if task.is_cached_only and not path.is_file():
        return None
    return cached_model(path, CaseRows, key, lambda: _rated(task, key)).value


def case_key(case: Case, rater: Rater) -> str:
    """SHA-256 of what determines the rows: the files' content, the settings, the bundle and the code."""
    content = []
    for field in fields(case):
        value = getattr(case, field.name)
        content.append(sha256_of(value) if isinstance(value, Path) else value)
    return json_key([content, rater.identity, code_hash(__name__)])


def _rated(task: RatingTask, key: str) -> CaseRows:
    assessor = task.rater.assessor_of(task.rater.bundle)
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="tocco-") as folder:
        try:
            for name, files in files_of(task.case, Path(folder)):
                rows.append(_row(assessor, name, files, origin_of(task.case.modality)))
        except ToccoError as error:
            reason = error.problem
        else:
            reason = None
    return CaseRows(key=key, part=task.case.part, rows=tuple(rows), inapplicable=reason)


def origin_of(modality: Modality) -> Origin:
    """What a user says of the notes of a modality."""
    return "transcribed" if modality == "transcribed_score" else "keys"


def _row(assessor: RatesFiles, name: RowName, files: Files, origin: Origin) -> Row:
    try:
        return assessed(name, assessor.assess(files.audio, files.midi, files.score, origin=origin))
    except ToccoError as error:
        return refused(name, _without_folders(error.problem, files))


def _without_folders(problem: str, files: Files) -> str:
    """A message that names files without their folders, which differ from machine to machine."""
    for path in (files.midi, files.score, files.audio):
        if path is not None:
            problem = problem.replace(str(path), path.name)
    return problem
