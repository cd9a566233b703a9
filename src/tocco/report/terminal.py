"""The assessment on the terminal: a table of ratings, and where in the music to look."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table
from rich.text import Text

from tocco.inference.assessment import Aggregate, Assessment, Moment, Rating
from tocco.inference.evidence import NoteOutcome
from tocco.music.places import bars_in_words, place_in_words
from tocco.report.wording import clock, remarks, title

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
    console.print(_ratings(assessment))
    for line in remarks(assessment):
        console.print(Text(line, style="yellow"))
    where = _where(assessment)
    if where.row_count:
        console.print()
        console.print(where)
    standing_out = _standing_out(assessment)
    if standing_out.row_count:
        console.print()
        console.print(Text("stands out most", style="dim"))
        console.print(standing_out)


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
    parts = [f"audio {inputs.audio.origin}", f"MIDI {inputs.midi.origin}"]
    parts.append(f"score {inputs.score.name}" if inputs.score is not None else "no score")
    return ", ".join(parts)


def _ratings(assessment: Assessment) -> Table:
    table = Table(box=None, padding=(0, 1, 0, 0), header_style="dim")
    table.add_column("dimension", no_wrap=True)
    table.add_column("rating", justify="right", no_wrap=True)
    table.add_column("90 %", justify="right", no_wrap=True)
    table.add_column("0 to 100", no_wrap=True)
    table.add_column("reliability", justify="right", no_wrap=True)
    table.add_column("source", no_wrap=True)
    for dimension in assessment.dimensions:
        rating = assessment.ratings[dimension.name]
        style = _FAMILY_STYLE[dimension.family]
        table.add_row(title(dimension.name), *_numbers(rating, style), Text(rating.source, style="dim"))
    table.add_section()
    total = assessment.aggregate
    source = "missing" if total.value is None else "weighted"
    table.add_row(Text("Aggregate", style="bold"), *_numbers(total, "bold"), Text(source, style="dim"))
    return table


def _numbers(rating: Rating | Aggregate, style: str) -> tuple[Text, Text, Text, Text]:
    if rating.value is None:
        return Text("–", style="dim"), Text(""), Text(""), Text("")
    interval = rating.interval_90
    reliability = rating.reliability if isinstance(rating, Rating) else None
    return (
        Text(f"{rating.value:.1f}", style="bold"),
        Text(f"{interval[0]:.0f}–{interval[1]:.0f}" if interval is not None else ""),
        Text(interval_bar(rating.value, interval), style=style),
        Text(f"{reliability:.2f}" if reliability is not None else ""),
    )


def _where(assessment: Assessment) -> Table:
    """The spans that fall furthest below the whole, then the notes that are not as written."""
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    weakest = [moment for moment in assessment.moments if moment.kind == "weakest"]
    weakest.sort(key=lambda moment: (moment.value - _overall(assessment, moment), moment.start_sec))
    for moment in weakest[:_SHOWN_MOMENTS]:
        fall = f"{title(moment.dimension)} falls to {moment.value:.0f}"
        table.add_row(Text(_span(moment)), Text(_bars(moment)), Text(fall))
    if assessment.alignment is None:
        return table
    found = [(note, word) for kind, word in _MISTAKES for note in getattr(assessment.alignment, kind)]
    found.sort(key=lambda pair: pair[0].time_sec)
    for note, word in found[:_SHOWN_MISTAKES]:
        place = place_in_words(note.bar, note.beat)
        table.add_row(Text(clock(note.time_sec)), Text(place), Text(_keys(note, word)))
    if len(found) > _SHOWN_MISTAKES:
        table.add_row("", "", Text(f"and {len(found) - _SHOWN_MISTAKES} more, all in the JSON", style="dim"))
    return table


def _standing_out(assessment: Assessment) -> Table:
    """The gravest place of each technical dimension; mistakes of notes are listed by themselves."""
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for dimension in assessment.dimensions:
        technique = assessment.technique.get(dimension.name)
        if technique is not None and technique.places and dimension.shown_as != "notes":
            place = technique.places[0]
            table.add_row(Text(clock(place.start_sec)), Text(title(dimension.name)), Text(place.text))
    return table


def _overall(assessment: Assessment, moment: Moment) -> float:
    return assessment.ratings[moment.dimension].value or 0.0


def _span(moment: Moment) -> str:
    return f"{clock(moment.start_sec)}–{clock(moment.end_sec)}"


def _bars(moment: Moment) -> str:
    return moment.where or ("" if moment.bars is None else bars_in_words(*moment.bars))


def _keys(note: NoteOutcome, word: str) -> str:
    if note.expected is not None and note.played is not None:
        return f"wrong note: {note.played} for {note.expected}"
    return f"{word} note: {note.expected or note.played}"
