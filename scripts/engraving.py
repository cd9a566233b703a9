"""MusicXML from note text: what the scripts engrave that make the examples.

One bar a cell, cells divided by `|` or a new line. C4 is middle C, `#` and `b` alter; s sixteenth, e eighth,
q quarter, h half, w whole, each with dots; [..] a chord, r a rest, ~ a grace note; ' staccato, _ tenuto,
> accent, = a tie to the next; ( and ) begin and end a slur.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

_TOKEN = re.compile(r"(\(?)(~?)(\[[^]]+\]|[A-G][#b]?\d|r)([seqhw]\.*)([>'_=]*)(\)?)")
_PLAIN_BEATS: Final = {"s": 0.25, "e": 0.5, "q": 1.0, "h": 2.0, "w": 4.0}
_TYPES: Final = {"s": "16th", "e": "eighth", "q": "quarter", "h": "half", "w": "whole"}
_BEAMS: Final = {"s": 2, "e": 1}
"""Length -> how many beams join such notes."""

_SIGNS: Final = {"'": "staccato", "_": "tenuto", ">": "accent"}
_ALTER: Final = {"#": 1, "b": -1}
_ACCIDENTAL: Final = {1: "sharp", -1: "flat", 0: "natural"}
_SHARPS: Final = "FCGDAEB"


@dataclass(frozen=True)
class Event:
    """One chord, note or rest: names of its keys (none: a rest), length and signs."""

    keys: tuple[str, ...]
    length: str
    is_grace: bool
    signs: tuple[str, ...]
    slur_starts: bool
    slur_stops: bool
    is_tied: bool = False

    @property
    def beats(self) -> float:
        """Quarter notes; each dot adds half of what was added before."""
        return _PLAIN_BEATS[self.length[0]] * (2.0 - 0.5 ** self.length.count("."))


@dataclass(frozen=True)
class Voice:
    """One voice: its staff (1 is the upper), its name in the ids of notes, and its bars as text."""

    staff: int
    name: str
    text: str


@dataclass(frozen=True)
class Sheet:
    """A piece to be engraved.

    Attributes
    ----------
    title, number, composer
    fifths : of the key signature, sharps above 0
    beats : quarter notes of a bar
    tempo_bpm : quarter notes a minute
    n_bars
    divisions : of a quarter note
    dynamics : bar -> sign
    wedges : (first bar, last bar, kind)
    section_bars : each section of so many bars is repeated; 0 for none
    beam_beats : notes are joined by beams within so many quarter notes
    voices : from the top
    script : that engraves it
    """

    title: str
    number: str
    composer: str
    fifths: int
    beats: float
    tempo_bpm: float
    n_bars: int
    divisions: int
    dynamics: dict[int, str]
    wedges: tuple[tuple[int, int, str], ...]
    section_bars: int
    voices: tuple[Voice, ...]
    script: str
    beam_beats: float = 1.0


def read_voice(text: str, sheet: Sheet) -> list[list[Event]]:
    """The bars of one voice; every bar must be full."""
    bars = []
    for number, cell in enumerate(text.strip().replace("\n", "|").split("|"), start=1):
        events = [_event(token, number) for token in re.findall(r"\(?~?(?:\[[^]]+\])?[^\s\[\]]+", cell)]
        beats = sum(event.beats for event in events if not event.is_grace)
        if beats != sheet.beats:
            raise ValueError(f"bar {number} holds {beats} beats")
        bars.append(events)
    if len(bars) != sheet.n_bars:
        raise ValueError(f"a voice has {len(bars)} bars")
    return bars


def _event(token: str, number: int) -> Event:
    found = _TOKEN.fullmatch(token)
    if found is None:
        raise ValueError(f"bar {number}: cannot read {token!r}")
    start, grace, keys, length, signs, stop = found.groups()
    names = () if keys == "r" else tuple(keys.strip("[]").split())
    marks = tuple(_SIGNS[sign] for sign in signs if sign != "=")
    return Event(names, length, bool(grace), marks, bool(start), bool(stop), "=" in signs)


def engrave(sheet: Sheet) -> str:
    """The score as MusicXML."""
    voices = [(voice, read_voice(voice.text, sheet)) for voice in sheet.voices]
    bars = []
    for number in range(1, sheet.n_bars + 1):
        lines = [
            f'    <measure number="{number}">',
            *_bar_opening(number, sheet),
            *_directions(number, sheet),
        ]
        for place, (voice, events) in enumerate(voices):
            if place:
                back = round(sheet.beats * sheet.divisions)
                lines.append(f"      <backup><duration>{back}</duration></backup>")
            tied_in = events[number - 2][-1].keys if number > 1 and events[number - 2][-1].is_tied else ()
            lines += _voice(
                events[number - 1],
                number,
                voice,
                sheet,
                tied_in,
                4 * (voice.staff - 1) + 1 + _rank(place, voices),
            )
        lines += [*_bar_closing(number, sheet), "    </measure>"]
        bars.append("\n".join(lines))
    return _header(sheet) + "\n".join(bars) + "\n  </part>\n</score-partwise>\n"


def _rank(place: int, voices: list[tuple[Voice, list[list[Event]]]]) -> int:
    """Place of a voice among those of its staff."""
    return sum(voice.staff == voices[place][0].staff for voice, _ in voices[:place])


def _header(sheet: Sheet) -> str:
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE score-partwise PUBLIC "-//Recordare//DTD MusicXML 3.1 Partwise//EN" "http://www.musicxml.org/dtds/partwise.dtd">
<score-partwise version="3.1">
  <work><work-number>{sheet.number}</work-number><work-title>{sheet.title}</work-title></work>
  <identification>
    <creator type="composer">{sheet.composer}</creator>
    <rights>Public domain</rights>
    <encoding><software>tocco, {sheet.script}</software></encoding>
  </identification>
  <part-list><score-part id="P1"><part-name>Piano</part-name></score-part></part-list>
  <part id="P1">
"""


def _bar_opening(number: int, sheet: Sheet) -> Iterator[str]:
    if number == 1:
        yield (
            f"      <attributes><divisions>{sheet.divisions}</divisions>"
            f"<key><fifths>{sheet.fifths}</fifths></key><time><beats>{sheet.beats:g}</beats><beat-type>4</beat-type></time><staves>2</staves>"
            '<clef number="1"><sign>G</sign><line>2</line></clef>'
            '<clef number="2"><sign>F</sign><line>4</line></clef></attributes>'
        )
    if sheet.section_bars and number % sheet.section_bars == 1:
        yield (
            '      <barline location="left"><bar-style>heavy-light</bar-style>'
            '<repeat direction="forward"/></barline>'
        )


def _bar_closing(number: int, sheet: Sheet) -> Iterator[str]:
    for _, last, kind in sheet.wedges:
        if number == last:
            yield _direction(f'<wedge type="stop" number="{1 + (kind == "crescendo")}"/>')
    if sheet.section_bars and number % sheet.section_bars == 0:
        yield (
            '      <barline location="right"><bar-style>light-heavy</bar-style>'
            '<repeat direction="backward"/></barline>'
        )


def _directions(number: int, sheet: Sheet) -> Iterator[str]:
    if number == 1:
        yield _direction(
            f"<metronome><beat-unit>quarter</beat-unit><per-minute>{sheet.tempo_bpm:g}</per-minute></metronome>",
            sound=f'<sound tempo="{sheet.tempo_bpm:g}"/>',
        )
    if number in sheet.dynamics:
        yield _direction(f"<dynamics><{sheet.dynamics[number]}/></dynamics>")
    for first, _, kind in sheet.wedges:
        if number == first:
            yield _direction(f'<wedge type="{kind}" number="{1 + (kind == "crescendo")}"/>')


def _direction(content: str, sound: str = "") -> str:
    return (
        f'      <direction placement="below"><direction-type>{content}</direction-type>'
        f"<staff>1</staff>{sound}</direction>"
    )


def _voice(
    events: list[Event], bar: int, voice: Voice, sheet: Sheet, tied_in: tuple[str, ...], number: int
) -> Iterator[str]:
    count = 0
    for event, beam in zip(events, _beams(events, sheet.beam_beats), strict=True):
        for rank, key in enumerate(event.keys or ("",)):
            count += 1
            name = f"{voice.name}{bar}n{count}"
            written = _note(event, key, rank, name, voice.staff, number, sheet, stops_tie=key in tied_in)
            yield written if rank else written.replace("</staff>", f"</staff>{beam}", 1)
        tied_in = event.keys if event.is_tied else ()


def _beams(events: list[Event], span: float) -> list[str]:
    """The beams of every event: notes of a sixteenth or an eighth are joined within `span` quarter notes.

    >>> [one.count("begin") for one in _beams([_event("C4s", 1), _event("C4s", 1), _event("C4q", 1)], 1.0)]
    [2, 0, 0]
    """
    beat, groups = 0.0, list[list[int]]()
    joined = False
    for place, event in enumerate(events):
        if event.is_grace:
            continue
        can_join = bool(event.keys) and event.length[0] in _BEAMS
        if can_join and joined and beat % span:
            groups[-1].append(place)
        elif can_join:
            groups.append([place])
        joined = can_join
        beat += event.beats
    found = [""] * len(events)
    for group in groups:
        levels = [_BEAMS[events[place].length[0]] for place in group]
        for k, place in enumerate(group):
            found[place] = _beam_of(levels, k) if len(group) > 1 else ""
    return found


def _beam_of(levels: list[int], place: int) -> str:
    """Where each beam of a note of a group begins, goes on and ends."""
    parts = []
    for level in range(1, levels[place] + 1):
        before = place > 0 and levels[place - 1] >= level
        after = place < len(levels) - 1 and levels[place + 1] >= level
        kinds = {(False, True): "begin", (True, True): "continue", (True, False): "end"}
        kind = kinds.get((before, after), "backward hook" if place else "forward hook")
        parts.append(f'<beam number="{level}">{kind}</beam>')
    return "".join(parts)


def _note(
    event: Event, key: str, rank: int, note_id: str, staff: int, voice: int, sheet: Sheet, *, stops_tie: bool
) -> str:
    parts = [f'      <note id="{note_id}">']
    if event.is_grace:
        parts.append('<grace slash="yes"/>')
    if rank:
        parts.append("<chord/>")
    parts.append(_pitch(key) if key else "<rest/>")
    if not event.is_grace:
        parts.append(f"<duration>{round(event.beats * sheet.divisions)}</duration>")
    ties = ['"stop"'] * (stops_tie and bool(key)) + ['"start"'] * (event.is_tied and bool(key))
    parts += [f"<tie type={kind}/>" for kind in ties]
    parts.append(f"<voice>{voice}</voice><type>{_TYPES[event.length[0]]}</type>")
    parts.append("<dot/>" * event.length.count("."))
    alter = _ALTER.get(key[1:2], 0)
    if key and alter != _in_signature(key[0], sheet.fifths) and not stops_tie:
        parts.append(f"<accidental>{_ACCIDENTAL[alter]}</accidental>")
    parts.append(f"<staff>{staff}</staff>{_notations(event, rank, ties)}</note>")
    return "".join(parts)


def _pitch(key: str) -> str:
    alter = _ALTER.get(key[1], 0)
    written = f"<alter>{alter}</alter>" if alter else ""
    return f"<pitch><step>{key[0]}</step>{written}<octave>{key[-1]}</octave></pitch>"


def _in_signature(step: str, fifths: int) -> int:
    """How the key signature alters a step.

    >>> _in_signature("F", 1), _in_signature("B", -1), _in_signature("C", 1)
    (1, -1, 0)
    """
    if fifths >= 0:
        return int(step in _SHARPS[:fifths])
    return -int(step in _SHARPS[fifths:])


def _notations(event: Event, rank: int, ties: list[str]) -> str:
    tied = "".join(f"<tied type={kind}/>" for kind in ties)
    if rank:
        return f"<notations>{tied}</notations>" if tied else ""
    slurs = '<slur type="stop" number="1"/>' * event.slur_stops
    slurs += '<slur type="start" number="1"/>' * event.slur_starts
    signs = "".join(f"<{name}/>" for name in event.signs)
    articulations = f"<articulations>{signs}</articulations>" if signs else ""
    notations = tied + slurs + articulations
    return f"<notations>{notations}</notations>" if notations else ""
