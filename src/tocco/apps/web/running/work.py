"""The work of each kind of job; imported in worker processes only."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping
from functools import partial

from tocco.apps.commands.rank import Differences
from tocco.apps.web.library.takes import RESULT, Summary
from tocco.apps.web.running.tasks import Said, Task, TaskTake
from tocco.apps.web.running.worker import Reporter
from tocco.cache_folder import CACHE_VARIABLE
from tocco.files import write_bytes
from tocco.inference.assessment import Assessment, read_assessment
from tocco.inference.batch import shared_assessor
from tocco.inference.bundle import load_bundle
from tocco.inference.comparison import compare, comparison_json
from tocco.music.score_finding import open_score_folder
from tocco.ranking.rank import Options, rank_performances
from tocco.ranking.rated import rated_field
from tocco.report.assessment_folder import AssessmentFolder
from tocco.report.comparison_page.document import write_comparison_page
from tocco.report.comparison_page.takes import ShownTake
from tocco.report.formats import TRANSCRIPTION_SUFFIX
from tocco.report.page.material import read_material, read_sound
from tocco.report.ranking_files import write_ranking

_CACHE = "cache"
"""In the folder of a take: what would else be cached for all takes, and stay when this one is deleted."""


def work(task: Task, reporter: Reporter) -> Said:
    """Do a job, and say the end of it.

    Raises
    ------
    ToccoError
        It cannot be done.
    """
    return {"assess": _assess, "compare": _compare, "rank": _rank}[task.kind](task, reporter)


def _assess(task: Task, reporter: Reporter) -> Said:
    take = task.takes[0]
    os.environ[CACHE_VARIABLE] = str(take.folder / _CACHE)
    folder = AssessmentFolder(task.output, partial(with_given_names, take=take))
    folder.prepare()
    given = take.given
    assessor = shared_assessor(task.bundle, task.transcriber)
    reporter.stage("reading")
    scores = None
    if given.scores is not None and given.score is None:
        scores = open_score_folder(
            given.scores, cache=task.scores_cache, on_read=partial(reporter.progress, "reading")
        )
    assessment = assessor.assess(
        given.audio,
        given.midi,
        given.score,
        scores=scores,
        on_transcribed=partial(reporter.progress, "transcribing"),
        on_rated=partial(reporter.progress, "rating"),
    )
    reporter.stage("writing")
    folder.write(given, assessment)
    return Said(summary=summary_of(assessment), is_done=True)


def with_given_names(assessment: Assessment, take: TaskTake) -> Assessment:
    """An assessment of stored files, which names them as their owner does."""
    names = {one.stored: one.name for one in take.files}
    inputs = assessment.inputs
    changed = {
        kind: file.model_copy(update={"name": names.get(file.name, file.name)})
        for kind in ("audio", "midi", "score")
        if (file := getattr(inputs, kind)) is not None
    }
    return assessment.model_copy(update={"inputs": inputs.model_copy(update=changed)})


def summary_of(assessment: Assessment) -> Summary:
    """What lists and charts show of an assessment."""
    inputs, aggregate = assessment.inputs, assessment.aggregate
    rated = {name: one for name, one in assessment.ratings.items() if one.value is not None}
    search = inputs.score_search
    return Summary(
        aggregate=aggregate.value,
        aggregate_90=aggregate.interval_90,
        ratings={name: one.value for name, one in rated.items() if one.value is not None},
        intervals={name: one.interval_90 for name, one in rated.items() if one.interval_90 is not None},
        abstained=assessment.abstained,
        duration_sec=inputs.audio.duration_sec or inputs.midi.duration_sec,
        has_score=inputs.score is not None,
        found_score=None if search is None or search.file is None else search.file,
    )


def _compare(task: Task, reporter: Reporter) -> Said:
    names = distinct_titles([take.title for take in task.takes])
    takes = dict(zip(names, task.takes, strict=True))
    reporter.stage("reading")
    assessments = _assessments(takes)
    reporter.stage("comparing")
    comparison = compare(assessments, load_bundle(task.bundle))
    reporter.stage("writing")
    total_sec = sum(one.inputs.audio.duration_sec or 0.0 for one in assessments.values())
    shown = [_shown(name, take, assessments[name], total_sec) for name, take in takes.items()]
    write_bytes(task.output / "comparison.json", comparison_json(comparison).encode())
    write_comparison_page(comparison, shown, task.output / "comparison.html")
    return Said(is_done=True)


def _shown(name: str, take: TaskTake, assessment: Assessment, total_sec: float) -> ShownTake:
    given = take.given
    midi = take.result / f"{RESULT}{TRANSCRIPTION_SUFFIX}" if given.midi is None else given.midi
    notes = read_material(assessment, None, midi).notes
    return ShownTake(
        name, assessment, notes, None if given.audio is None else read_sound(given.audio, total_sec)
    )


def _rank(task: Task, reporter: Reporter) -> Said:
    names = distinct_titles([take.title for take in task.takes])
    reporter.stage("reading")
    assessments = _assessments(dict(zip(names, task.takes, strict=True)))
    reporter.stage("comparing")
    differences_of = Differences(task.bundle)
    differences_of.check(assessments)
    options = Options(by=task.by)
    ranking = rank_performances(rated_field(assessments, options.by, differences_of), None, options)
    reporter.stage("writing")
    write_ranking(ranking, task.output)
    return Said(is_done=True)


def _assessments(takes: Mapping[str, TaskTake]) -> dict[str, Assessment]:
    return {name: read_assessment(take.result / f"{RESULT}.json") for name, take in takes.items()}


def distinct_titles(titles: list[str]) -> list[str]:
    """Titles, each of those that several takes have with its number.

    >>> distinct_titles(["a", "b", "a"])
    ['a (1)', 'b', 'a (2)']
    """
    count = Counter(titles)
    seen: Counter[str] = Counter()
    named = []
    for title in titles:
        seen[title] += 1
        named.append(f"{title} ({seen[title]})" if count[title] > 1 else title)
    return named if len(set(named)) == len(named) else [f"{k}. {one}" for k, one in enumerate(titles, 1)]
