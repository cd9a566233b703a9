"""Engraves the score of an assessment, of long ones the bars with marks, and the bars of each finding."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from tocco.inference.assessment import Assessment
from tocco.music.numbered_score import NumberedScore
from tocco.report.engraving.drawing import System, read_system
from tocco.report.engraving.engraver import EXCERPT_WIDTH, NotEngravedError, View, engrave
from tocco.report.engraving.glyphs import Glyphs
from tocco.report.engraving.outcomes import Outcomes, outcomes_of
from tocco.report.engraving.signs import signs_of, span_of
from tocco.report.played_reading import played_reading

MOST_BARS: Final = 1_200
MOST_NOTES: Final = 15_000
"""Of a score that is drawn as a whole; of a longer one only the bars with marks are."""

MOST_STRETCHES: Final = 60
"""Of bars with marks that are drawn of a longer score."""

EXCERPT_BARS: Final = 4


@dataclass(frozen=True, eq=False)
class Engraving:
    """An engraved score, with what was played at its notes.

    Attributes
    ----------
    outcomes
    stretches : systems that follow one another; one stretch for a score that is drawn as a whole
    excerpts : id of a finding -> the systems of its bars, of many the first `EXCERPT_BARS`
    n_bars : id of the same findings -> how many bars they have
    glyphs : the shapes that they share
    is_whole : whether all bars are drawn
    n_left_out : stretches with marks that are not drawn
    """

    outcomes: Outcomes
    stretches: tuple[tuple[System, ...], ...]
    excerpts: Mapping[str, tuple[System, ...]]
    n_bars: Mapping[str, int]
    glyphs: Glyphs = field(default_factory=Glyphs)
    is_whole: bool = True
    n_left_out: int = 0


def engrave_assessed(numbered: NumberedScore, assessment: Assessment) -> Engraving | str | None:
    """Engrave the score of an assessment, or say in a sentence why it is not engraved.

    Parameters
    ----------
    numbered : the score that was assessed
    assessment

    Returns
    -------
    None for an assessment without an alignment: nothing is known of single notes.
    """
    report = assessment.alignment
    if report is None:
        return None
    if numbered.musicxml is None:
        return "The score is not engraved here: it is a MIDI file, which holds no notation."
    reading = played_reading(numbered.readings, report)
    if reading is None:
        return "The score is not engraved here: its bars are not those that the assessment names."
    outcomes = outcomes_of(numbered, reading, report)
    try:
        return _engraving(numbered, assessment, outcomes)
    except NotEngravedError as reason:
        return f"The score is not engraved here: {reason}."


def _engraving(numbered: NumberedScore, assessment: Assessment, outcomes: Outcomes) -> Engraving:
    is_whole = numbered.n_bars <= MOST_BARS and len(numbered.bar_of_note) <= MOST_NOTES
    marked = [] if is_whole else stretches(_marked_bars(assessment, outcomes))
    views = [View()] if is_whole else [View(bars) for bars in marked[:MOST_STRETCHES]]
    spans = _spans(assessment, outcomes)
    excerpts = [(first, min(last, first + EXCERPT_BARS - 1)) for first, last in spans.values()]
    asked = [*views, *(View(bars, EXCERPT_WIDTH) for bars in excerpts)]
    glyphs = Glyphs()
    pictures = engrave(numbered.musicxml or b"", asked) if asked else []
    drawn = [systems_of(found, view, glyphs) for view, found in zip(asked, pictures, strict=True)]
    return Engraving(
        outcomes=outcomes,
        stretches=tuple(drawn[: len(views)]),
        excerpts=dict(zip(spans, drawn[len(views) :], strict=True)),
        n_bars={name: last - first + 1 for name, (first, last) in spans.items()},
        glyphs=glyphs,
        is_whole=is_whole,
        n_left_out=max(len(marked) - MOST_STRETCHES, 0),
    )


def systems_of(pictures: Sequence[str], view: View, glyphs: Glyphs) -> tuple[System, ...]:
    """The pictures of a view, taken apart; their shapes are added to `glyphs`."""
    place = 0 if view.bars is None else view.bars[0]
    systems = []
    for picture in pictures:
        system = read_system(picture, place, glyphs)
        place += len(system.bars)
        systems.append(system)
    return tuple(systems)


def _spans(assessment: Assessment, outcomes: Outcomes) -> dict[str, tuple[int, int]]:
    """Id of a finding that has bars -> places of the first and the last."""
    spans = {finding.id: span_of(finding, outcomes) for finding in assessment.findings or ()}
    return {name: span for name, span in spans.items() if span is not None}


def _marked_bars(assessment: Assessment, outcomes: Outcomes) -> set[int]:
    """Places of the bars in which something is marked."""
    marked = {extra.bar for extra in outcomes.extras}
    for number, events in outcomes.events.items():
        if any(event.kind != "right" for event in events):
            marked.add(outcomes.printed[number].bar)
    for sign in signs_of(assessment, outcomes):
        marked.update(range(sign.bar, sign.last_bar + 1))
    return marked


def stretches(bars: Iterable[int]) -> list[tuple[int, int]]:
    """Bars as first and last of each run of them; a single bar between two runs joins them.

    >>> stretches([7, 2, 3, 5, 12])
    [(2, 7), (12, 12)]
    >>> stretches([])
    []
    """
    runs: list[tuple[int, int]] = []
    for bar in sorted(bars):
        if runs and bar - runs[-1][1] <= 2:
            runs[-1] = (runs[-1][0], bar)
        else:
            runs.append((bar, bar))
    return runs
