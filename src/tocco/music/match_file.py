"""The alignment as a match file: the format of the Vienna 4x22 corpus, which partitura and parangonar read.

What the file holds, where the format leaves a choice:

- The score is the reading that was played, repeats written out; bars are numbered on, so that the second
  pass of a bar has a number of its own. Notes keep their ids: a repeated pass has "-2" added.
- Every match, insertion and deletion has its line. A wrong note is a deletion and an insertion. Added notes
  that adorn a written one are "ornament" lines. What was neither played nor missing (skipped, outside the
  performed stretch, the second of two voices on one key) has no line.
- Names of notes and time signatures are those of the score. A score MIDI names no notes: there they are
  estimated (Meredith, 2006). A score without time signatures gets the plainest ones of its bars' lengths.
- Sustain and soft pedal are kept; the format has no sostenuto.
"""

from __future__ import annotations

import re
import warnings
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import numpy as np

from tocco.errors import InputError
from tocco.files import write_bytes
from tocco.music.alignment import Alignment
from tocco.music.notation import Metre
from tocco.music.partitura_import import import_notation_library
from tocco.music.performance import Performance
from tocco.music.score import Score
from tocco.units import FloatArray, IntArray

_DIVISIONS: Final = 40_320
"""Of a quarter note: 2^7 times 3^2, 5 and 7; the file itself counts ten-thousandths of a beat."""

_MAX_BEATS: Final = (2**31 - 1) // _DIVISIONS
"""partitura counts divisions in 32 bits."""

_TICKS_PER_QUARTER: Final = 5_000
_MICROSEC_PER_QUARTER: Final = 500_000
"""Together a clock of 0.1 ms."""

_VERSION: Final = (1, 0, 0)
"""That of the published corpora."""

_PRINTED_NAME: Final = re.compile(r"([A-G])(#*|b*)(-?\d+)")

_RESERVED: Final = frozenset(",()[]{}:\"'\n\r\t ")


def write_match_file(alignment: Alignment, performance: Performance, path: Path) -> None:
    """Write a match file, whole or not at all.

    Parameters
    ----------
    alignment
    performance : the one that was aligned; its clock is the file's
    path : `<name>.match`

    Raises
    ------
    InputError
        The score holds a note id that a match file cannot hold, or is longer than one can count.
    OutputError
        The file cannot be written.
    """
    write_bytes(path, match_file_text(alignment, performance).encode())


def match_file_text(alignment: Alignment, performance: Performance) -> str:
    """The lines of a match file; parameters and errors as for `write_match_file`."""
    score = alignment.score
    _check_is_writable(score)
    exporter = import_notation_library("partitura.io.exportmatch")
    with warnings.catch_warnings():
        # partitura interpolates beyond the first and last bar, and says so in numpy's words.
        warnings.simplefilter("ignore", RuntimeWarning)
        match_file = exporter.save_match(
            _links(alignment),
            _performed_part(performance),
            _unfolded_part(score),
            mpq=_MICROSEC_PER_QUARTER,
            ppq=_TICKS_PER_QUARTER,
            piece=_header_text(Path(score.source).stem),
            score_filename=_header_text(Path(score.source).name),
            performance_filename=_header_text(Path(performance.source).name),
            version=_VERSION,
        )
    return "".join(f"{line.matchline}\n" for line in match_file.lines)


def performed_note_id(note: int) -> str:
    """Name of a performed note in the match file, by its index into the performance."""
    return f"n{note}"


def _check_is_writable(score: Score) -> None:
    end_beat = float(np.max(score.onset_beat + score.duration_beat))
    if end_beat > _MAX_BEATS:
        raise InputError(
            score.source or "score",
            f"is {end_beat:,.0f} quarter notes long with its repeats",
            allowed=f"up to {_MAX_BEATS:,} in a match file",
            next_step="give one movement at a time",
        )
    for note_id in score.note_id:
        if _RESERVED.intersection(note_id) and not _is_part_prefixed(note_id):
            raise InputError(
                score.source or "score",
                f"holds a note with the id {note_id[:40]!r}, which a match file cannot hold",
                allowed="ids without blanks, commas, quotation marks and brackets",
                next_step="export the score again from the notation program",
            )


def _is_part_prefixed(note_id: str) -> bool:
    """Whether only the colon between part and note is out of the ordinary."""
    return not _RESERVED.intersection(note_id.replace(":", "", 1))


def _header_text(text: str) -> str:
    """A name for an info line, which ends at ")." and knows no line breaks."""
    return " ".join(text.split()) or "-"


def _links(alignment: Alignment) -> list[dict[str, str]]:
    """The alignment as partitura's list of dictionaries."""
    note_id = alignment.score.note_id
    adorned = {
        played: (ornament.kind, ornament.written)
        for ornament in alignment.ornaments
        for played in ornament.played
    }
    links = [
        {"label": "match", "score_id": note_id[written], "performance_id": performed_note_id(played)}
        for written, played in alignment.match.tolist()
    ]
    links += [{"label": "deletion", "score_id": note_id[written]} for written in alignment.deletion.tolist()]
    for played in alignment.insertion.tolist():
        link = {"label": "insertion", "performance_id": performed_note_id(played)}
        if played in adorned:
            kind, written = adorned[played]
            link |= {"label": "ornament", "type": kind, "score_id": note_id[written]}
        links.append(link)
    return links


def _performed_part(performance: Performance) -> Any:
    partitura = import_notation_library("partitura.performance")
    notes = [
        {
            "id": performed_note_id(note),
            "midi_pitch": int(performance.pitch[note]),
            "note_on": float(performance.onset_sec[note]),
            "note_off": float(performance.offset_sec[note]),
            "velocity": int(performance.velocity[note]),
            "track": 0,
            "channel": 0,
        }
        for note in range(len(performance))
    ]
    controls = [
        {"number": number, "time": float(time), "value": round(float(value)), "track": 0, "channel": 0}
        for number, pedal in ((64, performance.sustain), (67, performance.soft))
        for time, value in zip(pedal.time_sec, pedal.value, strict=True)
    ]
    return partitura.PerformedPart(
        notes, id="P1", controls=controls, ppq=_TICKS_PER_QUARTER, mpq=_MICROSEC_PER_QUARTER
    )


def _unfolded_part(score: Score) -> Any:
    """The reading that was played as a part of partitura's: notes, bars, metre."""
    page = import_notation_library("partitura").score
    part = page.Part("P1", quarter_duration=_DIVISIONS)
    onset, end = _divisions(score.onset_beat), _divisions(score.onset_beat + score.duration_beat)
    step, alter, octave = _names(score)
    for i, note_id in enumerate(score.note_id):
        names = score.articulation[i].split(",") if score.articulation[i] else []
        fields = {
            "step": str(step[i]),
            "alter": int(alter[i]),
            "octave": int(octave[i]),
            "id": note_id,
            "voice": int(score.voice[i]) or None,
            "staff": int(score.staff[i]) or None,
            "articulations": names,
        }
        if score.is_grace[i]:
            part.add(page.GraceNote("grace", **fields), onset[i], onset[i])
        else:
            part.add(page.Note(**fields), onset[i], end[i])
    lines = _bar_lines(score, int(max(onset.max() + 1, end.max())))
    for i, name in enumerate(score.bar_name):
        part.add(page.Measure(number=i + 1, name=name), int(lines[i]), int(lines[i + 1]))
    for bar, (beats, beat_type) in _metres(score).items():
        part.add(page.TimeSignature(beats, beat_type), int(lines[bar]))
    return part


def _divisions(beat: FloatArray) -> IntArray:
    return np.rint(np.asarray(beat) * _DIVISIONS).astype(np.int64)


def _bar_lines(score: Score, end: int) -> IntArray:
    """(M + 1,) divisions: every bar ends where the next begins, the last not before the last note starts."""
    last = score.bar_onset_beat[-1] + score.bar_beats[-1]
    return np.append(_divisions(score.bar_onset_beat), max(int(_divisions(last)), end))


def _names(score: Score) -> tuple[Any, Any, Any]:
    """(S,) step, alteration and octave of every note."""
    if score.spelling and all(score.spelling):
        printed = [_PRINTED_NAME.fullmatch(name) for name in score.spelling]
        parts = [name.groups() for name in printed if name is not None]
        step, signs, octave = zip(*parts, strict=True)
        return step, [sign.count("#") - sign.count("b") for sign in signs], [int(o) for o in octave]
    speller = import_notation_library("partitura.musicanalysis.pitch_spelling")
    notes = np.zeros(len(score), dtype=[("onset_beat", "f8"), ("duration_beat", "f8"), ("pitch", "i8")])
    notes["onset_beat"] = score.onset_beat
    notes["duration_beat"] = score.duration_beat
    notes["pitch"] = score.pitch
    return speller.ps13s1(notes)


def _metres(score: Score) -> dict[int, Metre]:
    """Time signatures by the index of the bar they stand at."""
    printed = score.bar_metre
    if not printed or None in printed:
        return _metres_of_lengths(score.bar_beats)
    return {
        bar: metre
        for bar, metre in enumerate(printed)
        if metre is not None and (bar == 0 or metre != printed[bar - 1])
    }


def _metres_of_lengths(bar_beats: FloatArray) -> dict[int, Metre]:
    """Time signatures by the index of the bar they stand at, where the file has none.

    A first bar that is shorter than the second is a pickup. Later, a single shorter bar is one that a
    repeat sign cuts, not another metre.

    >>> _metres_of_lengths(np.array([0.5, 3.0, 3.0, 1.5, 1.5, 3.0, 2.0, 3.0, 4.0]))
    {0: (3, 4), 3: (3, 8), 5: (3, 4), 8: (4, 4)}
    """
    lengths = [float(beats) for beats in bar_beats]
    followers = [*lengths[1:], 0.0]
    is_pickup = len(lengths) > 1 and lengths[0] < lengths[1]
    current = lengths[1] if is_pickup else lengths[0]
    found = {0: _signature(current) or (4, 4)}
    for bar, (length, following) in enumerate(zip(lengths, followers, strict=True)):
        settled = length > current or (length < current and abs(following - length) < 1e-6)
        signature = _signature(length)
        if bar > 0 and abs(length - current) > 1e-6 and settled and signature is not None:
            found[bar], current = signature, length
    return found


def _signature(beats: float) -> Metre | None:
    """The plainest time signature of a length; None for one that no signature has."""
    length = Fraction(beats).limit_denominator(16)
    if length.denominator not in (1, 2, 4, 8, 16) or abs(float(length) - beats) > 1e-6:
        return None
    return length.numerator, 4 * length.denominator
