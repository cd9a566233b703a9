"""The assessment on the terminal: a table of ratings, and where in the music to look."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table
from rich.text import Text

from tocco.inference.assessment import Aggregate, Assessment, Moment, Rating
from tocco.inference.evidence import NoteOutcome
from tocco.inference.finding import Finding
from tocco.inference.whole_findings import THROUGHOUT
from tocco.music.places import bars_in_words, place_in_words
from tocco.report.marks_terminal import print_marks
from tocco.report.wording import (
    account,
    aggregate_parts,
    clock,
    nothing_stands_out,
    points,
    remarks,
    sought_score,
    title,
    transcribed_by,
)

_UNRATED = Rating.missing("it was not asked for")
_NO_PASSAGE = "no passage of several bars is clearly better or worse than the whole"
_BAR_CELLS = 19  # with it, a table of 79 columns
_SHOWN_MOMENTS = 4
_SHOWN_MISTAKES = 12
_FAMILY_STYLE = {"technical": "blue", "interpretive": "magenta"}
_MISTAKES = (("substitution", "wrong"), ("deletion", "missing"), ("insertion", "extra"))


def print_assessment(assessment: Assessment, console: Console | None = None) -> None:
    """Print the ratings, their intervals and the places worth hearing again.

    Parameters
    ----------
    assessment
    console
        Standard output if not given; colour only on a terminal.
    """
    console = console or Console(highlight=False)
    inputs = assessment.inputs
    heard = inputs.audio if inputs.audio.origin == "given" else inputs.midi
    console.print(Text(heard.name, style="bold"), Text(_origins(assessment), style="dim"))
    console.print()
    console.print(_ratings(assessment, console.width))
    if parts := aggregate_parts(assessment.aggregate):
        console.print(Text(parts, style="dim"))
    if overall := account(assessment.ratings.get("overall_quality", _UNRATED)):
        console.print(Text(f"Overall quality: {overall}", style="dim"))
    for line in remarks(assessment):
        console.print(Text(line, style="yellow"))
    print_marks(assessment, console)
    if assessment.findings is not None:
        console.print()
        console.print(Text("What to work on first", style="bold"))
        console.print(_first(assessment, assessment.findings))
    if assessment.curve.value or assessment.technique or assessment.alignment is not None:
        console.print()
        console.print(Text("Where to look", style="bold"))
        console.print(_where(assessment))


def interval_bar(value: float, interval: tuple[float, float] | None, cells: int = _BAR_CELLS) -> str:
    """An interval on a line from 0 to 100, one cell wide at the least.

    >>> interval_bar(50.0, (20.0, 80.0), cells=11)
    '··───●───··'
    """
    low, high = interval if interval is not None else (value, value)
    first, mark, last = (round(point / 100.0 * (cells - 1)) for point in (low, value, high))
    return "".join("●" if cell == mark else "─" if first <= cell <= last else "·" for cell in range(cells))


def _origins(assessment: Assessment) -> str:
    inputs = assessment.inputs
    if inputs.transcriber is not None:
        parts = ["recording", f"notes {transcribed_by(inputs.transcriber)}"]
    else:
        parts = ["sound rendered from the MIDI" if inputs.sound == "rendered" else "recording and MIDI"]
        parts += ["notes transcribed"] if inputs.notes == "transcribed" else []
    given = f"score {inputs.score.name}" if inputs.score is not None else "no score"
    parts.append(sought_score(assessment) or given)
    return ", ".join(parts)


def _ratings(assessment: Assessment, width: int) -> Table:
    dimensions = assessment.dimensions
    names = [title(one.name) for one in dimensions]
    shown = _columns(max(map(len, names), default=0), width)
    table = Table(box=None, padding=(0, 1, 0, 0), header_style="dim")
    # Names and headings may wrap on the narrowest terminals; a number is never cut.
    table.add_column("dimension", overflow="fold")
    for column in shown:
        is_text = column in _FIRST_TO_GO
        table.add_column(
            column,
            justify="left" if is_text else "right",
            no_wrap=is_text,
            min_width=_COLUMN_CELLS[column] if column != "reliability" else 4,
            overflow="fold",
        )
    for name, dimension in zip(names, dimensions, strict=True):
        rating = assessment.ratings[dimension.name]
        cells = _cells(rating, _FAMILY_STYLE[dimension.family], rating.source)
        table.add_row(name, *(cells[column] for column in shown))
    table.add_section()
    total = assessment.aggregate
    cells = _cells(total, "bold", "missing" if total.value is None else "weighted")
    table.add_row(Text("Aggregate", style="bold"), *(cells[column] for column in shown))
    return table


_COLUMN_CELLS = {"rating": 6, "90 %": 7, "0 to 100": _BAR_CELLS, "reliability": 11, "source": 8}
_FIRST_TO_GO = ("0 to 100", "source")
"""On a narrow terminal the bar goes first, then the source; numbers stay."""


def _columns(name_cells: int, width: int) -> list[str]:
    shown = dict(_COLUMN_CELLS)
    for column in _FIRST_TO_GO:
        if name_cells + sum(shown.values()) + len(shown) + 1 > width:
            del shown[column]
    return list(shown)


def _cells(rating: Rating | Aggregate, style: str, source: str) -> dict[str, Text]:
    """What each column says of a rating."""
    value, interval = rating.value, rating.interval_90
    reliability = rating.reliability if isinstance(rating, Rating) and value is not None else None
    return {
        "rating": Text("–", style="dim") if value is None else Text(points(value), style="bold"),
        "90 %": Text(f"{interval[0]:.0f}–{interval[1]:.0f}" if interval is not None else ""),
        "0 to 100": Text("" if value is None else interval_bar(value, interval), style=style),
        "reliability": Text(f"{reliability:.2f}" if reliability is not None else ""),
        "source": Text(source, style="dim"),
    }


@dataclass(frozen=True)
class _Place:
    """A row of the list of places: when, and what is there."""

    start_sec: float
    when: str
    text: str


def _first(assessment: Assessment, findings: Sequence[Finding]) -> Table:
    """What was heard and what is usual, in the words of the report."""
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    if not findings:
        table.add_row("", Text(nothing_stands_out(assessment), style="dim"))
    for finding in findings:
        at = "" if finding.kind == THROUGHOUT else clock(finding.start_sec)
        table.add_row(at, Text(finding.sentence))
        table.add_row("", Text(finding.usual, style="dim"))
    return table


def _where(assessment: Assessment) -> Table:
    """Places worth hearing again, in order of time: passages, technique, notes that are not as written."""
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    passages = _passages(assessment)
    if not passages and assessment.curve.value:
        table.add_row("", Text(_NO_PASSAGE, style="dim"))
    mistakes = _mistakes(assessment)
    found = [*passages, *_technical(assessment), *mistakes[:_SHOWN_MISTAKES]]
    for place in sorted(found, key=lambda place: place.start_sec):
        table.add_row(place.when, Text(place.text))
    if len(mistakes) > _SHOWN_MISTAKES:
        hidden = f"and {len(mistakes) - _SHOWN_MISTAKES} more notes, all in the JSON"
        table.add_row("", Text(hidden, style="dim"))
    return table


def _passages(assessment: Assessment) -> list[_Place]:
    """The spans that differ most from the whole."""
    moments = sorted(assessment.moments, key=lambda one: -abs(one.value - _overall(assessment, one)))
    return [
        _Place(one.start_sec, _span(one), _passage(one, _overall(assessment, one)))
        for one in moments[:_SHOWN_MOMENTS]
    ]


def _passage(moment: Moment, overall: float) -> str:
    verb = "falls" if moment.kind == "weakest" else "rises"
    bars = moment.where or ("" if moment.bars is None else bars_in_words(*moment.bars))
    place = f"{bars}: " if bars else ""
    return f"{place}{title(moment.dimension)} {verb} to {points(moment.value)} (whole: {points(overall)})"


def _technical(assessment: Assessment) -> list[_Place]:
    """The gravest place of each technical dimension; mistakes of notes are listed by themselves."""
    found = []
    for dimension in assessment.dimensions:
        technique = assessment.technique.get(dimension.name)
        if technique is not None and technique.places and dimension.shown_as != "notes":
            place = technique.places[0]
            found.append(
                _Place(place.start_sec, clock(place.start_sec), f"{title(dimension.name)}: {place.text}")
            )
    return found


def _mistakes(assessment: Assessment) -> list[_Place]:
    if assessment.alignment is None:
        return []
    found = [(note, word) for kind, word in _MISTAKES for note in getattr(assessment.alignment, kind)]
    return [
        _Place(
            note.time_sec, clock(note.time_sec), f"{place_in_words(note.bar, note.beat)}: {_keys(note, word)}"
        )
        for note, word in sorted(found, key=lambda pair: pair[0].time_sec)
    ]


def _overall(assessment: Assessment, moment: Moment) -> float:
    return assessment.ratings[moment.dimension].value or 0.0


def _span(moment: Moment) -> str:
    return f"{clock(moment.start_sec)}–{clock(moment.end_sec)}"


def _keys(note: NoteOutcome, word: str) -> str:
    if note.expected is not None and note.played is not None:
        return f"wrong note: {note.played} for {note.expected}"
    return f"{word} note: {note.expected or note.played}"
