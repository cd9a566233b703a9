"""`tocco rank`: the order of performances, and how sure it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import typer

from tocco.apps.commands.assess import SOME_FAILED, assessed_takes
from tocco.apps.commands.given import read_assessments
from tocco.data.pairing import TakeFiles
from tocco.errors import MismatchError
from tocco.inference.assessment import Assessment
from tocco.inference.bundle import load_bundle
from tocco.inference.difference import RatingDifference, figures_of, rating_differences
from tocco.ranking.jury import Jury, read_marks, read_recusals, read_votes
from tocco.ranking.rank import Options, rank_performances
from tocco.ranking.rated import rated_field
from tocco.ranking.rules import recusals_without_effect
from tocco.report.assessment_folder import AssessmentFolder
from tocco.report.ranking_files import check_place, write_ranking
from tocco.report.ranking_table import print_ranking


@dataclass(frozen=True)
class JuryFiles:
    """Tables of a jury; None where one is not given."""

    marks: Path | None = None
    votes: Path | None = None
    recusals: Path | None = None


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
    found = read_assessments(assessed, takes)
    jury = read_jury(jury_files, [*found, *(take.id for take in takes)])  # before hours of assessing
    made = assessed_takes(takes, bundle, folder if takes else None, transcriber=transcriber, jobs=jobs)
    found |= made.found
    if folder is not None and made.found:
        folder.write_table(made.found)
    differences_of = None
    if options.source != "jury":
        differences_of = Differences(bundle)
        differences_of.check(found)
    rated = rated_field(found, options.by, differences_of)
    if jury is not None and made.failed:
        jury = _without(jury, made.failed)
    ranking = rank_performances(rated, jury, options)
    written = () if folder is None else write_ranking(ranking, folder.path)
    print_ranking(ranking)  # after the files, which a closed pipe would lose
    for path in written:
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


class Differences:
    """Differences of ratings, with the figures of the bundle that made them.

    Parameters
    ----------
    bundle : its folder; the one of the package if None
    """

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
        """Differences of two assessments, by dimension."""
        scores = [a.inputs.score.sha256 if a.inputs.score is not None else None for a in (one, other)]
        return rating_differences(
            one,
            other,
            self._figures,
            same_music=scores[0] is not None and scores[0] == scores[1],
            loss=self._bundle.calibration.transcription,
        )


def _without(jury: Jury, failed: frozenset[str]) -> Jury:
    """Marks and votes on performances that could not be assessed cannot be placed."""
    return Jury(
        tuple(one for one in jury.marks if one.performance not in failed),
        tuple(one for one in jury.votes if not {one.better, one.worse} & failed),
        jury.recusals,
    )
