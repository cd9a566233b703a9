"""`tocco rank`: the order of performances, and how sure it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import typer

from tocco.apps.commands.assess import SOME_FAILED, assessed_takes
from tocco.data.pairing import TakeFiles, subject_of, takes_in
from tocco.errors import InputError, MismatchError, UsageError
from tocco.files import assert_plain_file, read_text
from tocco.inference.assessment import Assessment, read_assessment
from tocco.inference.bundle import load_bundle
from tocco.inference.difference import RatingDifference, figures_of, rating_differences
from tocco.ranking.jury import Jury, read_marks, read_recusals, read_votes
from tocco.ranking.rank import Options, rank_performances
from tocco.ranking.rated import rated_field
from tocco.ranking.rules import recusals_without_effect
from tocco.report.assessment_folder import AssessmentFolder
from tocco.report.ranking_files import NAME, check_place, write_ranking
from tocco.report.ranking_table import print_ranking
from tocco.schema import parse_object


@dataclass(frozen=True)
class JuryFiles:
    """Tables of a jury; None where one is not given."""

    marks: Path | None = None
    votes: Path | None = None
    recusals: Path | None = None


_DUPLICATE: Final = "give each performance once"


def rank(
    assessed: Sequence[Path],
    takes: Sequence[TakeFiles],
    jury_files: JuryFiles,
    options: Options,
    *,
    bundle: Path | None,
    output: Path | None,
    transcriber: str | None,
    jobs: int,
) -> int:
    """Read or make the assessments, rank, print, and write the files if `output` is given.

    Parameters
    ----------
    assessed : assessments that are there
    takes : performances to be assessed; into `output` if given
    jury_files, options, bundle, output, transcriber, jobs

    Returns
    -------
    The exit code: 1 where a performance could not be assessed; each is named on stderr.
    """
    folder = None if output is None else AssessmentFolder(output)
    if folder is not None:
        folder.prepare()
        check_place(folder.path)
    found = _read(assessed)
    for take in takes:
        if take.id in found:
            raise UsageError(take.id, "is given twice, once as an assessment", next_step=_DUPLICATE)
        _assert_free(take.id)
    jury = read_jury(jury_files, [*found, *(take.id for take in takes)])  # before hours of assessing
    made = assessed_takes(takes, bundle, folder if takes else None, transcriber=transcriber, jobs=jobs)
    found |= made.found
    if folder is not None and made.found:
        folder.write_table(made.found)
    differences_of = None
    if options.source != "jury":
        differences_of = _Differences(bundle)
        differences_of.check(found)
    rated = rated_field(found, options.by, differences_of)
    if jury is not None and made.failed:
        jury = _without(jury, made.failed)
    ranking = rank_performances(rated, jury, options)
    print_ranking(ranking)
    if folder is not None:
        for path in write_ranking(ranking, folder.path):
            typer.echo(str(path))
    return SOME_FAILED if made.failed else 0


def read_jury(files: JuryFiles, performances: Sequence[str]) -> Jury | None:
    """Everything that a jury said; None where nothing is given.

    Raises
    ------
    InputError
        A table cannot be used; with file, line and value.
    """
    marks = None if files.marks is None else read_marks(files.marks, performances)
    votes = None if files.votes is None else read_votes(files.votes, performances)
    given = [one for one in (marks, votes) if one is not None]
    if not given:
        return None
    jury = Jury(
        tuple(mark for one in given for mark in one.marks),
        tuple(vote for one in given for vote in one.votes),
        frozenset(recusal for one in given for recusal in one.recusals),
    )
    if files.recusals is not None:
        more = read_recusals(files.recusals, performances, jury.jurors)
        jury = replace(jury, recusals=jury.recusals | more)
    for one in recusals_without_effect(jury):
        typer.echo(
            f"{one.juror}: recused from {one.performance}, and gave neither mark nor vote on it", err=True
        )
    return jury


def divided(files: Sequence[Path]) -> tuple[list[Path], list[Path]]:
    """Assessments among the arguments, and whatever is to be assessed first.

    A folder that holds assessments stands for these; performances in it that have none are left out, and
    named on stderr.

    Raises
    ------
    InputError
        A file does not exist.
    """
    assessed: list[Path] = []
    others: list[Path] = []
    for path in files:
        assert_plain_file(path)
        inside = _assessments_in(path) if path.is_dir() else []
        if inside:
            assessed += inside
            _name_left_out(path, {one.stem for one in inside})
        elif path.suffix.lower() == ".json":
            assessed.append(path)
        else:
            others.append(path)
    return assessed, others


def _assessments_in(folder: Path) -> list[Path]:
    """JSON files of a folder, without its ranking; none where it holds performances only."""
    present = sorted(path for path in folder.glob("*.json") if path.stem != NAME)
    found = [path for path in present if _is_assessment(path)]
    for path in present if found else ():
        if path not in found:
            typer.echo(f"left out: {path} is no assessment", err=True)
    return found


def _name_left_out(folder: Path, assessed: set[str]) -> None:
    for take in takes_in(folder)[0]:
        if take.id not in assessed:
            reason = f"has no assessment in {folder}, where others have"
            typer.echo(f"left out: {subject_of(take, folder)} {reason}", err=True)


class _Differences:
    """Differences of ratings, with the figures of the bundle that made them."""

    def __init__(self, bundle: Path | None) -> None:
        self._bundle = load_bundle(bundle)
        config = self._bundle.config
        self._name = f"{config.name} {config.version}"
        self._figures = figures_of(self._bundle.calibration.differences, self._name)

    def check(self, assessments: Mapping[str, Assessment]) -> None:
        """Refuse assessments by another bundle, whose differences have other figures.

        Raises
        ------
        MismatchError
            One is.
        """
        for name, one in assessments.items():
            if one.bundle.sha256 != self._bundle.sha256:
                raise MismatchError(
                    name,
                    f"was rated by another bundle ({one.bundle.name} {one.bundle.version})",
                    allowed=f"assessments by {self._name}, of this release",
                    next_step="assess it again, or name its bundle with --bundle",
                )

    def __call__(self, one: Assessment, other: Assessment) -> Mapping[str, RatingDifference]:
        scores = [a.inputs.score.sha256 if a.inputs.score is not None else None for a in (one, other)]
        return rating_differences(
            one,
            other,
            self._figures,
            same_music=scores[0] is not None and scores[0] == scores[1],
            loss=self._bundle.calibration.transcription,
        )


def _read(paths: Sequence[Path]) -> dict[str, Assessment]:
    found: dict[str, Assessment] = {}
    for path in paths:
        if path.stem in found:
            raise UsageError(str(path), f"is a second assessment {path.stem!r}", next_step=_DUPLICATE)
        _assert_free(path.stem)
        found[path.stem] = read_assessment(path)
    return found


def _assert_free(name: str) -> None:
    if name.casefold() == NAME:
        raise UsageError(name, "is the name of the result", next_step="rename the performance")


def _is_assessment(path: Path) -> bool:
    try:
        return "schema_version" in parse_object(read_text(path))
    except (InputError, ValueError):
        return False


def _without(jury: Jury, failed: frozenset[str]) -> Jury:
    """Marks and votes on performances that could not be assessed cannot be placed."""
    return Jury(
        tuple(one for one in jury.marks if one.performance not in failed),
        tuple(one for one in jury.votes if not {one.better, one.worse} & failed),
        jury.recusals,
    )
