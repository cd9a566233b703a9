"""A page as it is printed: every bar once, and the orders in which it may be played.

`Notation` is what a file reader hands over; `tocco.music.score` unfolds it into a `Score`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tocco.errors import InputError

MAX_SCORE_BYTES = 64 * 2**20
"""A whole opera in MusicXML stays below this."""

MAX_SCORE_BEATS = 200_000.0
"""About 25 hours at 130 quarter notes a minute."""

MAX_SCORE_NOTES = 200_000

MAX_SCORE_BARS = 50_000


@dataclass(frozen=True)
class Mark:
    """One dynamics, tempo or pedal direction.

    Attributes
    ----------
    kind : "dynamics" | "crescendo" | "diminuendo" | "tempo" | "pedal"
    text : as printed ("p", "cresc.", "Allegretto")
    onset_beat, end_beat : beats; `end_beat` equals `onset_beat` for a mark that holds from there on
    """

    kind: str
    text: str
    onset_beat: float
    end_beat: float


@dataclass(frozen=True)
class PrintedNote:
    """One note of the score as it is printed; ties are joined once the score is unfolded.

    Attributes
    ----------
    note_id : the id in the file
    onset_beat, duration_beat : beats
    pitch : 0..127
    voice, staff : 1.., 0 where the file does not say
    is_grace
    grace_lead : place of a small note before its main note, the last one 1; 0 for others
    articulation : comma-joined names or ""
    velocity : 1..127 from a MIDI file, else 0
    spelling : its name as printed ("F#4", "Bb3", "Cbb5"; middle C is C4), "" where the file does not say
    part : index of its part; ties stay within one
    tie_start, tie_stop : whether it is tied to a note after it, and to one before it
    """

    note_id: str
    onset_beat: float
    duration_beat: float
    pitch: int
    voice: int = 0
    staff: int = 0
    is_grace: bool = False
    grace_lead: int = 0
    articulation: str = ""
    velocity: int = 0
    spelling: str = ""
    part: int = 0
    tie_start: bool = False
    tie_stop: bool = False


Metre = tuple[int, int]
"""A time signature as printed: (6, 8)."""


@dataclass(frozen=True)
class Bar:
    """One printed bar.

    Attributes
    ----------
    onset_beat, length_beat : where it starts, and how long it is
    name : its printed number
    metre : the time signature in force, None where the file does not say
    printed : its index in the printed score
    """

    onset_beat: float
    length_beat: float
    name: str
    metre: Metre | None = None
    printed: int = 0


@dataclass(frozen=True)
class PlayOrder:
    """One way through the score.

    Attributes
    ----------
    repeats
        What is unfolded, for people: "as written", "all repeats", "no repeats", "some repeats".
    spans : (start, end) in printed beats, in the order in which they are played
    """

    repeats: str
    spans: tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Notation:
    """Everything a score file says, each bar once.

    Attributes
    ----------
    notes : any order
    bars : ascending, without gaps
    marks : any order
    orders
        The ways through the page; the first is the one with all repeats, as a reader would play it.
    tempo_bpm : quarter notes a minute at the start; 0 where the file does not say
    source : for messages
    hidden
        Notes that the file holds but does not print: they are not written, and tell how an ornament can be
        played.
    """

    notes: tuple[PrintedNote, ...]
    bars: tuple[Bar, ...]
    marks: tuple[Mark, ...]
    orders: tuple[PlayOrder, ...]
    tempo_bpm: float
    source: str
    hidden: tuple[PrintedNote, ...] = ()

    def __post_init__(self) -> None:
        if not self.notes:
            raise InputError(
                self.source,
                "the score has no notes",
                next_step="export the piano part again from the notation program",
            )
        every = (*self.notes, *self.hidden)
        if len(every) > MAX_SCORE_NOTES:
            raise InputError(
                self.source,
                f"the score has {len(every):,} notes",
                allowed=f"up to {MAX_SCORE_NOTES:,}",
                next_step="give one movement at a time",
            )
        times = np.array([[note.onset_beat, note.duration_beat] for note in every])
        if not np.isfinite(times).all() or times.min() < 0 or times.sum(axis=1).max() > MAX_SCORE_BEATS:
            raise InputError(
                self.source,
                "a note lies outside the score's time",
                allowed=f"0 to {MAX_SCORE_BEATS:,.0f} quarter notes",
                next_step="export the score again from the notation program",
            )
        pitches = [note.pitch for note in every]
        if min(pitches) < 0 or max(pitches) > 127:
            raise InputError(
                self.source,
                f"a note has MIDI pitch {min(pitches) if min(pitches) < 0 else max(pitches)}",
                allowed="0 to 127",
                next_step="check clefs and octave signs in the notation program",
            )
