"""What the page says: notes, bars and marks of a score, repeats unfolded.

A beat is a quarter note throughout tocco, whatever the metre; bars know their own length.
"""

from __future__ import annotations

from dataclasses import dataclass

from tocco.units import BoolArray, FloatArray, IntArray


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


@dataclass(frozen=True, eq=False)
class Score:
    """One reading of a score, in the order in which it is to be played.

    Notes are sorted by onset, then by pitch; ties are joined into the note that is struck.

    Attributes
    ----------
    note_id : (S,) str
        The id in the file; a repeated pass adds "-2", "-3", ...
    onset_beat, duration_beat : (S,) beats from the start of the unfolded score
        Grace notes have duration 0 and stand just where their main note stands.
    pitch : (S,) 0..127
    voice, staff : (S,) 1.. ; 0 where the file does not say
        Staff 1 is the upper one.
    is_grace : (S,)
    articulation : (S,) str, comma-joined names ("staccato,accent") or ""
    velocity : (S,) 1..127 from a score MIDI; 0 where the file is no MIDI
    bar : (S,) index into the bar arrays
    bar_onset_beat, bar_beats : (M,) where each bar starts and how long it is
    bar_name : (M,) str, the printed number ("1", "2", "12a")
    tempo_bpm : quarter notes a minute stated at the start; 0 where the file does not say
    marks
        Directions in order of onset.
    repeats
        What was unfolded, for people: "as written", "all repeats", "no repeats".
    source
        Where it came from, for messages.
    """

    note_id: tuple[str, ...]
    onset_beat: FloatArray
    duration_beat: FloatArray
    pitch: IntArray
    voice: IntArray
    staff: IntArray
    is_grace: BoolArray
    articulation: tuple[str, ...]
    velocity: IntArray
    bar: IntArray
    bar_onset_beat: FloatArray
    bar_beats: FloatArray
    bar_name: tuple[str, ...]
    tempo_bpm: float
    marks: tuple[Mark, ...]
    repeats: str = "as written"
    source: str = ""

    def __len__(self) -> int:
        return len(self.onset_beat)
