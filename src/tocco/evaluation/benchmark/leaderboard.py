"""The leaderboard: the submissions of a folder as a table, beside published figures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from tocco.errors import InputError
from tocco.evaluation.benchmark.page import family_title
from tocco.evaluation.benchmark.protocols import PROTOCOLS
from tocco.evaluation.benchmark.published import PublishedFigure, published_figures
from tocco.evaluation.benchmark.submission import (
    Estimate,
    FamilyFigures,
    ProtocolEntry,
    Submission,
    read_submission,
)
from tocco.evaluation.markdown import table

README: Final = "README.md"

_HEAD: Final = """\
# Leaderboard

Written by `tocco benchmark leaderboard benchmarks/leaderboard` from the files beside this page; every figure
is one that `tocco benchmark` computed from predictions, whose SHA-256 the file has. docs/benchmark.md says
how to take part.

R2 is the mean over the targets, pooled over the folds of a protocol, on all tested excerpts; 95 % intervals
over clusters of shared music in brackets. What reads nothing needs no listening: a system that is not clearly
above it has shown nothing. "Folds" is what the predictions state; "stated and right" cannot show how a model
was trained."""


def read_leaderboard(folder: Path) -> tuple[Submission, ...]:
    """The submissions of a folder, in order of their files.

    Raises
    ------
    InputError
        There is none, one cannot be read, or two have one name on one benchmark.
    """
    files = sorted(folder.glob("*.json"))
    if not files:
        raise InputError(folder, "has no submission", allowed="JSON files that `tocco benchmark` wrote")
    found: list[Submission] = []
    seen: dict[tuple[str, str, str], Path] = {}
    for path in files:
        one = read_submission(path)
        first = seen.setdefault((one.benchmark, one.labels_sha256, one.about.name), path)
        if first != path:
            raise InputError(
                path, f"is of {one.about.name!r}, as {first.name} is", next_step="keep one of them"
            )
        found.append(one)
    return tuple(found)


def leaderboard_text(submissions: Sequence[Submission]) -> str:
    """The page of the leaderboard."""
    blocks = [_HEAD]
    for benchmark, labels in sorted({(one.benchmark, one.labels_sha256) for one in submissions}):
        chosen = [s for s in submissions if (s.benchmark, s.labels_sha256) == (benchmark, labels)]
        blocks.append(f"## {benchmark}, labels {labels[:16]}")
        for protocol, what in PROTOCOLS.items():
            entries = [(s, entry) for s in chosen for entry in s.protocols if entry.protocol == protocol]
            for family in sorted({f.family for _, entry in entries for f in entry.figures}):
                rows = _rows(entries, family)
                blocks.append(f"**{protocol}: {what}, {family_title(family)}**")
                blocks.append("\n".join(table(_COLUMNS, rows)).rstrip())
        published = published_figures(benchmark)
        if published:
            blocks.append(f"**Published figures of {benchmark}, not computed here**")
            blocks.append("\n".join(table(_PUBLISHED_COLUMNS, map(_published_row, published))).rstrip())
    return "\n\n".join(blocks) + "\n"


_COLUMNS: Final = (
    *("system", "R2", "r", "MAE", "pairs", "same passage", "90 % intervals cover"),
    *("reads", "learned from", "folds", "by"),
)
_PUBLISHED_COLUMNS: Final = ("figure", "system", "split", "leaks", "source")


def _rows(entries: Sequence[tuple[Submission, ProtocolEntry]], family: str) -> list[list[str]]:
    """Best R2 first."""
    of_all = [
        (submission, entry, figures)
        for submission, entry in entries
        for figures in entry.figures
        if figures.family == family and figures.part == entry.figures[0].part
    ]
    return [_row(*one) for one in sorted(of_all, key=lambda one: (-one[2].r2.value, one[0].about.name))]


def _row(submission: Submission, entry: ProtocolEntry, figures: FamilyFigures) -> list[str]:
    about = submission.about
    name = f"[{about.name}]({about.link or about.code})" if about.link or about.code else about.name
    if entry.n_predicted < entry.n_tested:
        name += f" ({entry.n_predicted} of {entry.n_tested} predicted)"
    covered = "–" if figures.coverage_90 is None else f"{figures.coverage_90:.3f}"
    return [
        name.replace("|", "/"),
        _text(figures.r2),
        _text(figures.r),
        _text(figures.mae, 2),
        _text(figures.pairs),
        _text(figures.pairs_same_passage),
        covered,
        about.reads,
        about.trained_on.replace("|", "/"),
        entry.folds,
        ", ".join(about.authors).replace("|", "/"),
    ]


def _text(estimate: Estimate | None, digits: int = 3) -> str:
    if estimate is None:
        return "–"
    ends = ""
    if estimate.low is not None and estimate.high is not None:
        ends = f" [{estimate.low:.{digits}f}, {estimate.high:.{digits}f}]"
    return f"{estimate.value:.{digits}f}{ends}".replace("-", "−")


def _published_row(one: PublishedFigure) -> list[str]:
    source = one.source + (f", doi:{one.doi}" if one.doi else "")
    return [one.text, one.system, one.split, one.leaks, source]
