"""Scores: notes, bars and marks, repeats unfolded.

A beat is a quarter note throughout tocco, whatever the metre; bars know their own length.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from os import PathLike
from pathlib import Path
from typing import Literal

import numpy as np

from tocco.errors import InputError
from tocco.music.musicxml import read_musicxml, unpack_mxl
from tocco.music.notation import MAX_SCORE_BYTES, Bar, Mark, Metre, Notation, PlayOrder, PrintedNote
from tocco.music.notation_programs import SCORE_KINDS, refuse_program_file
from tocco.music.score_midi import read_score_midi
from tocco.music.ties import PlacedNote, join_ties
from tocco.units import BoolArray, FloatArray, IntArray

__all__ = ["Mark", "Score", "load_score", "score_readings"]

Repeats = Literal["auto", "none", "all"]

_NEXT_STEP = "export the piece as MusicXML from a notation program"

_FOREIGN_MAGIC = (
    (b"RIFF", "an audio recording (WAV)"),
    (b"fLaC", "an audio recording (FLAC)"),
    (b"OggS", "an audio recording (Ogg)"),
    (b"ID3", "an audio recording (MP3)"),
    (b"\xff\xfb", "an audio recording (MP3)"),
    (b"\xff\xf3", "an audio recording (MP3)"),
    (b"\x1aE\xdf\xa3", "a recording (WebM)"),
    (b"\x89PNG", "a picture (PNG)"),
    (b"\xff\xd8\xff", "a picture (JPEG)"),
)


@dataclass(frozen=True, eq=False)
class Score:
    """One reading of a score, in the order in which it is to be played.

    Notes are sorted by onset, then by pitch; ties are joined into the note that is struck.

    Attributes
    ----------
    note_id : (S,) str
        The id in the file; a repeated pass adds "-2", "-3", ...
    onset_beat, duration_beat : (S,) beats from the start of the unfolded score
        Grace notes stand just where their main note stands; they have duration 0, and one that is tied to
        its main note has that note's duration.
    pitch : (S,) 0..127
    voice, staff : (S,) 1.. ; 0 where the file does not say
        Staff 1 is the upper one.
    is_grace : (S,)
    articulation : (S,) str, comma-joined names ("staccato,accent") or ""
        Articulation signs and ornament signs by their MusicXML names ("staccato", "tenuto", "accent",
        "trill-mark", "mordent", ...), "fermata", and "slur" for a note that a slur binds to the next.
    velocity : (S,) 1..127 from a score MIDI; 0 where the file is no MIDI
    bar : (S,) index into the bar arrays
    bar_onset_beat, bar_beats : (M,) where each bar starts and how long it is
    bar_name : (M,) str, the printed number ("1", "2", "12a")
    tempo_bpm : quarter notes a minute stated at the start; 0 where the file does not say
    marks
        Directions in order of onset.
    repeats
        What was unfolded, for people: "as written", "all repeats", "no repeats", "some repeats".
    source
        Where it came from, for messages.
    spelling : (S,) str, names as printed ("F#4", "Bb3"); "" where the file does not say; () for none at all
    bar_metre : (M,) time signature in force, None where the file does not say; () for none at all
    grace_lead : (S,) order of the small notes before a main note
        Counted back from it: 1 is the last one, those of a chord share a place; 0 for all others, and where
        the file does not say.
    bar_printed : (M,) index of the printed bar, the same in every pass; () for every bar once
    hidden_onset_beat : (H,) beats from the start of the unfolded score, ascending
    hidden_pitch : (H,) 0..127
        Notes that the file holds but does not print, such as a trill written out for playback: they are not
        written, and say how an ornament can be played.
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
    spelling: tuple[str, ...] = ()
    bar_metre: tuple[Metre | None, ...] = ()
    grace_lead: tuple[int, ...] = ()
    bar_printed: tuple[int, ...] = ()
    hidden_onset_beat: FloatArray = field(default_factory=lambda: np.zeros(0))
    hidden_pitch: IntArray = field(default_factory=lambda: np.zeros(0, dtype=np.int64))

    def __len__(self) -> int:
        return len(self.onset_beat)

    def bar_index_at(self, beat: float) -> int:
        """Index of the bar that a beat falls into; the first or the last bar outside the score."""
        index = int(np.searchsorted(self.bar_onset_beat, beat + 1e-6, side="right")) - 1
        return min(max(index, 0), len(self.bar_name) - 1)


def load_score(path: str | PathLike[str], *, repeats: Repeats = "auto") -> Score:
    """One reading of a score file.

    Parameters
    ----------
    path : MusicXML, compressed MusicXML or score MIDI; decided by its content
    repeats : "auto" | "none" | "all"
        "all" plays every repeat sign, and after a da capo or dal segno none, as is customary; "auto"
        is the same, where nothing is known of a performance (`score_readings` offers the choice);
        "none" plays through.

    Raises
    ------
    InputError
        The file is missing, broken, too large, of another kind, or has no notes.
    """
    if repeats not in ("auto", "none", "all"):
        raise InputError("repeats", f"is {repeats!r}", allowed='"auto", "none" or "all"')
    notation = _read_notation(Path(path))
    if repeats == "none":
        order = next((o for o in notation.orders if o.repeats == "no repeats"), notation.orders[0])
    else:
        order = notation.orders[0]
    return _unfold(_page(notation), order)


def score_readings(path: str | PathLike[str]) -> tuple[Score, ...]:
    """Every plausible way through a score with repeats; alignment finds the one that was played.

    Parameters
    ----------
    path : as for `load_score`

    Returns
    -------
    One score for each combination of repeats. Where there are more than 64 combinations: all repeats,
    none, and each of the two with a single repeat changed.
    """
    return unfold_all(_read_notation(Path(path)))


def unfold_all(notation: Notation) -> tuple[Score, ...]:
    """Every way through a notation, as `score_readings`."""
    page = _page(notation)
    return tuple(_unfold(page, order) for order in notation.orders)


def _read_notation(path: Path) -> Notation:
    content, is_musicxml = read_score_content(path)
    return read_musicxml(content, str(path)) if is_musicxml else read_score_midi(content, str(path))


def read_score_content(path: Path) -> tuple[bytes, bool]:
    """Content of a score file, unpacked, and whether it is MusicXML; else it is a score MIDI.

    Raises
    ------
    InputError
        The file is missing, too large, or of another kind.
    """
    content = _read_bytes(path)
    source = str(path)
    for magic, kind in _FOREIGN_MAGIC:
        if content.startswith(magic):
            raise InputError(source, f"is {kind}, not a score", allowed=SCORE_KINDS, next_step=_NEXT_STEP)
    if content.startswith(b"MThd"):
        return content, False
    if not _is_xml(content):
        refuse_program_file(content, source)
    if content.startswith(b"PK"):
        return unpack_mxl(content, source), True
    if _is_xml(content):
        return content, True
    raise InputError(source, "is not a score", allowed=SCORE_KINDS, next_step=_NEXT_STEP)


def _is_xml(content: bytes) -> bool:
    return content.lstrip(b"\xef\xbb\xbf\xff\xfe\x00 \t\r\n").startswith(b"<")


def _read_bytes(path: Path) -> bytes:
    if path.is_dir():
        raise InputError(path, "is a folder, not a score", allowed=SCORE_KINDS)
    try:
        size = path.stat().st_size
        if size > MAX_SCORE_BYTES:
            raise InputError(
                path,
                f"is {size / 2**20:.0f} MiB large",
                allowed=f"up to {MAX_SCORE_BYTES // 2**20} MiB",
                next_step="give one movement at a time, or export the piano part alone",
            )
        content = path.read_bytes()
    except FileNotFoundError as error:
        raise InputError(path, "does not exist", next_step="check the path of the score") from error
    except OSError as error:
        raise InputError(
            path, f"cannot be read ({error.strerror})", next_step="check its permissions"
        ) from error
    except ValueError as error:
        raise InputError(
            path, "cannot be read: its name holds a NUL character", next_step="rename it"
        ) from error
    if not content:
        raise InputError(path, "is empty", allowed=SCORE_KINDS, next_step=_NEXT_STEP)
    return content


@dataclass(frozen=True, eq=False)
class _Page:
    """A notation in the order of time.

    Attributes
    ----------
    notation
    notes, onset_beat : (N,) by onset
    bars : with their printed places
    """

    notation: Notation
    notes: tuple[PrintedNote, ...]
    onset_beat: FloatArray
    bars: tuple[Bar, ...]


def _page(notation: Notation) -> _Page:
    notes = sorted(notation.notes, key=lambda n: n.onset_beat)
    return _Page(
        notation=notation,
        notes=tuple(notes),
        onset_beat=np.array([n.onset_beat for n in notes]),
        bars=tuple(replace(bar, printed=index) for index, bar in enumerate(notation.bars)),
    )


def _unfold(page: _Page, order: PlayOrder) -> Score:
    """Play the page in one order: cut its spans out, lay them end to end, and join the ties."""
    passes: Counter[str] = Counter()
    placed: list[PlacedNote] = []
    bars: list[Bar] = []
    marks: list[Mark] = []
    hidden: list[tuple[float, int]] = []
    start_beat = 0.0
    for span, (begin, end) in enumerate(order.spans):
        shift = start_beat - begin
        low, high = np.searchsorted(page.onset_beat, [begin, end], side="left")
        for note in page.notes[low:high]:
            passes[note.note_id] += 1
            count = passes[note.note_id]
            note_id = note.note_id if count == 1 else f"{note.note_id}-{count}"
            placed.append(PlacedNote(note.onset_beat + shift, note.duration_beat, note, note_id, span))
        hidden.extend(
            (note.onset_beat + shift, note.pitch)
            for note in page.notation.hidden
            if begin <= note.onset_beat < end
        )
        bars.extend(_cut_bars(page.bars, begin, end, shift))
        marks.extend(
            Mark(m.kind, m.text, m.onset_beat + shift, min(m.end_beat, end) + shift)
            for m in page.notation.marks
            if begin <= m.onset_beat < end
        )
        start_beat += end - begin
    placed = join_ties(placed)
    placed.sort(key=lambda p: (p.onset_beat, p.note.pitch))
    marks.sort(key=lambda m: m.onset_beat)
    return _assemble(page.notation, order, placed, bars, marks, sorted(hidden))


def _cut_bars(bars: Sequence[Bar], begin: float, end: float, shift: float) -> list[Bar]:
    cut = []
    for bar in bars:
        first = max(bar.onset_beat, begin)
        last = min(bar.onset_beat + bar.length_beat, end)
        if last > first:
            cut.append(replace(bar, onset_beat=first + shift, length_beat=last - first))
    return cut


def _assemble(
    notation: Notation,
    order: PlayOrder,
    placed: list[PlacedNote],
    bars: list[Bar],
    marks: list[Mark],
    hidden: list[tuple[float, int]],
) -> Score:
    onset = np.array([p.onset_beat for p in placed])
    bar_onset = np.array([bar.onset_beat for bar in bars])
    bar = np.clip(np.searchsorted(bar_onset, onset + 1e-6, side="right") - 1, 0, len(bars) - 1)
    return Score(
        note_id=tuple(p.note_id for p in placed),
        onset_beat=onset,
        duration_beat=np.array([p.duration_beat for p in placed]),
        pitch=np.array([p.note.pitch for p in placed], dtype=np.int64),
        voice=np.array([p.note.voice for p in placed], dtype=np.int64),
        staff=np.array([p.note.staff for p in placed], dtype=np.int64),
        is_grace=np.array([p.note.is_grace for p in placed], dtype=bool),
        articulation=tuple(p.note.articulation for p in placed),
        velocity=np.array([p.note.velocity for p in placed], dtype=np.int64),
        bar=bar.astype(np.int64),
        bar_onset_beat=bar_onset,
        bar_beats=np.array([b.length_beat for b in bars]),
        bar_name=tuple(b.name for b in bars),
        tempo_bpm=notation.tempo_bpm,
        marks=tuple(marks),
        repeats=order.repeats,
        source=notation.source,
        spelling=tuple(p.note.spelling for p in placed),
        bar_metre=tuple(b.metre for b in bars),
        grace_lead=tuple(p.note.grace_lead for p in placed),
        bar_printed=tuple(b.printed for b in bars),
        hidden_onset_beat=np.array([onset for onset, _ in hidden]),
        hidden_pitch=np.array([pitch for _, pitch in hidden], dtype=np.int64),
    )
