"""Import of Vienna 4x22: four excerpts, each by 22 pianists, aligned with the score note by note.

W. Goebl, "Numerisch-klassifikatorische Interpretationsanalyse mit dem Boesendorfer Computerfluegel",
University of Vienna, 1999; match files corrected by the Institute of Computational Perception, Linz (2023).
"""

from __future__ import annotations

import re
import warnings
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from tocco.data.corpora.annotations import Annotation, NoteAlignment
from tocco.data.corpora.corpus import (
    CorpusCard,
    ImportReport,
    ReadFiles,
    Skipped,
    Take,
    check_score,
    check_target,
    inside,
    reason_of,
    valid_performance,
    write_corpus,
)
from tocco.data.corpora.opening import opened_source
from tocco.data.corpora.registry import OnProgress
from tocco.data.duplicates import SAME_TAKE_SHARE, overlaps
from tocco.data.records import LabelRecord
from tocco.data.splits import fingerprint
from tocco.errors import InputError, ToccoError
from tocco.files import file_name
from tocco.music.partitura_import import import_notation_library
from tocco.music.performance import Performance
from tocco.units import FloatArray, IntArray

SOURCE: Final = "Vienna 4x22"

SAME_NOTE_SEC: Final = 0.002
"""Maximum difference of a note's onset in match file and MIDI: a tick or two of either."""

_NAME = re.compile(r"(?P<piece>.+)_p(?P<pianist>\d{2})")
_HEADER = re.compile(r"^info\((?P<key>\w+),(?P<value>.*)\)\.\s*$", re.MULTILINE)

_MUSIC: Mapping[str, str] = {
    "Chopin_op10_no3": "Chopin_Etudes_op_10_3",
    "Chopin_op38": "Chopin_Ballades_2",
    "Mozart_K331_1st-mov": "Mozart_Piano_Sonatas_11-1",
    "Schubert_D783_no15": "Schubert_D783_15",
}
"""The pieces as named by `tocco data asap`, so that clusters are common to both corpora."""

_WORKS: Mapping[str, str] = {"Mozart_Piano_Sonatas_11-1": "Mozart_Piano_Sonatas_11"}

# partitura raises no exception of its own for an invalid match file.
_MATCH_FAULTS = (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, AssertionError)


@dataclass(frozen=True)
class _Row:
    """One performance of the corpus, with its three files."""

    piece: str
    pianist: str
    composer: str
    midi: Path
    score: Path
    match: Path
    alignment: NoteAlignment
    duration_sec: float
    runs: IntArray


def import_vienna(
    source: Path, target: Path, *, check_scores: bool = False, on_progress: OnProgress | None = None
) -> ImportReport:
    """Import Vienna 4x22 as one manifest of unlabelled performances, with note alignments.

    Writes `performances.jsonl`, `midi/`, `score/` (MusicXML), `match/`, `annotations/`, `CORPUS.md` and
    `checksums.sha256`. The same source gives the same bytes.

    Parameters
    ----------
    source : folder with match/, midi/ and musicxml/, or its tar archive
    target
        Output folder; not inside the source.
    check_scores
        Parse every MusicXML; otherwise only its first lines are checked.
    on_progress
        Called after each performance.

    Raises
    ------
    InputError
        There is no usable performance.
    OutputError
        The target cannot be written.
    """
    check_target(target, source)
    with opened_source(source, "match") as root:
        read = ReadFiles(root)
        skipped: list[Skipped] = []
        names = sorted((root / "match").glob("*.match"))
        played: list[_Row] = []
        for done, match in enumerate(names, start=1):
            try:
                played.append(_played(match, read, parse=check_scores))
            except ToccoError as error:
                skipped.append(Skipped(f"match/{match.name}", reason_of(error, root)))
            if on_progress is not None:
                on_progress(done, len(names))
        skipped += _unaligned(root, names)
        unique = _without_duplicates(played, skipped)
        takes = [_take(performance, target.absolute()) for performance in unique]
        return write_corpus(takes, _card(read), skipped, source, target)


def note_alignment(match: Path, performance: Performance) -> NoteAlignment:
    """Note alignment of a match file, with indices into the notes of the MIDI.

    A note of the file corresponds to a note of the MIDI with its pitch and an onset within `SAME_NOTE_SEC`.
    Trills and ornaments that the file lists as such are insertions.

    Raises
    ------
    InputError
        The file cannot be read, or more than half of its notes are not in the MIDI.
    """
    notes, links = _read_match(match)
    index_of, n_lost = _indices(notes, performance)
    pairs: list[tuple[str, int]] = []
    insertion: list[int] = []
    for link in links:
        played = index_of.get(str(link.get("performance_id")))
        if link["label"] == "match" and played is not None:
            pairs.append((str(link["score_id"]), played))
        elif link["label"] in ("insertion", "ornament") and played is not None:
            insertion.append(played)
    if n_lost > len(notes) / 2:
        raise InputError(
            match,
            f"has {n_lost} of {len(notes)} notes that are not in its MIDI",
            next_step="fetch the whole corpus",
        )
    return NoteAlignment(
        match=tuple(sorted(pairs, key=lambda pair: pair[1])),
        deletion=tuple(sorted(str(link["score_id"]) for link in links if link["label"] == "deletion")),
        insertion=tuple(sorted(insertion)),
        n_lost=n_lost,
        n_unmarked=len(performance) - len(index_of),
    )


def _read_match(path: Path) -> tuple[Any, list[dict[str, Any]]]:
    """Note array and alignment of partitura."""
    partitura = import_notation_library("partitura")
    try:
        with warnings.catch_warnings():
            # Warnings about header lines of older versions of the format, which are supported.
            warnings.simplefilter("ignore", UserWarning)
            performance, links = partitura.load_match(str(path), create_score=False)
        return performance.note_array(), links
    except OSError as error:
        raise InputError(path, f"cannot be read ({error.strerror})", next_step="check the path") from error
    except _MATCH_FAULTS as error:
        raise InputError(path, f"is not a match file that can be read ({error})") from error


def _indices(notes: Any, performance: Performance) -> tuple[dict[str, int], int]:
    """Id of a note in the match file -> index into the MIDI's notes, one to one; and the number of others."""
    onsets: dict[int, FloatArray] = {}
    index_of_key: dict[int, IntArray] = {}
    for pitch in np.unique(performance.pitch).tolist():
        index_of_key[pitch] = np.flatnonzero(performance.pitch == pitch)
        onsets[pitch] = performance.onset_sec[index_of_key[pitch]]
    assigned: dict[int, set[int]] = defaultdict(set)
    index_of: dict[str, int] = {}
    for note in notes:
        pitch, onset = int(note["pitch"]), float(note["onset_sec"])
        if pitch not in onsets:
            continue
        nearest = int(np.argmin(np.abs(onsets[pitch] - onset)))
        if abs(onsets[pitch][nearest] - onset) <= SAME_NOTE_SEC and nearest not in assigned[pitch]:
            assigned[pitch].add(nearest)
            index_of[str(note["id"])] = int(index_of_key[pitch][nearest])
    return index_of, len(notes) - len(index_of)


def _played(match: Path, read: ReadFiles, *, parse: bool) -> _Row:
    found = _NAME.fullmatch(match.stem)
    if found is None:
        raise InputError(match, "has no pianist in its name", allowed="<piece>_p<two digits>.match")
    piece, subject = found["piece"], f"match/{match.name}"
    midi = read.add(inside(read.root, f"midi/{match.stem}.mid", subject))
    score = read.add(inside(read.root, f"musicxml/{piece}.musicxml", subject))
    check_score(score, parse=parse)
    performance = valid_performance(midi)
    alignment = note_alignment(read.add(match), performance)
    header = {m["key"]: m["value"] for m in _HEADER.finditer(match.read_text(encoding="utf-8"))}
    return _Row(
        piece=piece,
        pianist=found["pianist"],
        composer=header.get("composer", piece.split("_")[0]),
        midi=midi,
        score=score,
        match=match,
        alignment=alignment,
        duration_sec=performance.duration_sec,
        runs=fingerprint(performance),
    )


def _unaligned(root: Path, matches: Sequence[Path]) -> list[Skipped]:
    known = {match.stem for match in matches}
    return [
        Skipped(f"midi/{path.name}", "has no match file")
        for path in sorted((root / "midi").glob("*.mid"))
        if path.stem not in known
    ]


def _without_duplicates(played: Sequence[_Row], skipped: list[Skipped]) -> list[_Row]:
    """Every take once: of takes with the same notes, the first by name."""
    runs = {performance.match.stem: performance.runs for performance in played}
    again = {pair.second: pair.first for pair in overlaps(runs, SAME_TAKE_SHARE)}
    skipped += [
        Skipped(f"midi/{name}.mid", f"is the same take as midi/{first}.mid, note for note")
        for name, first in sorted(again.items())
    ]
    return [performance for performance in played if performance.match.stem not in again]


def _take(played: _Row, target: Path) -> Take:
    segment = file_name(played.match.stem)
    music = _MUSIC.get(played.piece, file_name(played.piece))
    midi, score = target / "midi" / f"{segment}.mid", target / "score" / f"{file_name(played.piece)}.musicxml"
    record = LabelRecord(
        segment_id=segment,
        piece_id=music,
        performer_id=f"vienna4x22_{played.pianist}",
        source=SOURCE,
        midi_path=midi,
        score_path=score,
        annotation_path=target / "annotations" / f"{segment}.json",
        labels={},
        work_id=_WORKS.get(music, music),
        passage_id=file_name(f"vienna4x22_{played.piece}"),
        cluster_id=music,
    )
    annotation = Annotation(
        segment_id=segment,
        composer=played.composer,
        title=played.piece,
        source_file=f"midi/{played.midi.name}",
        duration_sec=round(played.duration_sec, 6),
        score_xml=f"score/{score.name}",
        alignment=played.alignment,
    )
    copies = {midi: played.midi, score: played.score, target / "match" / f"{segment}.match": played.match}
    return Take(record, copies, played.duration_sec, annotation)


def _card(read: ReadFiles) -> CorpusCard:
    return CorpusCard(
        name=SOURCE,
        version="match files of version 1.0.0; the checksum tells which state",
        licence=_LICENCE,
        citation=(
            'W. Goebl, "Numerisch-klassifikatorische Interpretationsanalyse mit dem '
            "Boesendorfer Computerfluegel\", master's thesis, University of Vienna, 1999."
        ),
        url=(
            "https://repo.mdw.ac.at/projects/IWK/the_vienna_4x22_piano_corpus/ "
            "(match files: https://github.com/CPJKU/vienna4x22)"
        ),
        checksum=read.checksum,
        notes=_NOTES,
    )


_LICENCE = "not stated in the files that were read; see the corpus' home page before anything is passed on"

_NOTES = (
    "Nobody rated these performances: every record's labels are empty.",
    "`score/`: MusicXML, repeats written out; its note ids are those of the alignments (`score_path`).",
    "`match/`: the match files as they were. `annotations/`: the same alignment as pairs of note id and "
    "index into the MIDI's notes, sorted by onset and pitch. `n_lost` and `n_unmarked` count where the two "
    "differ.",
    "Pianists have numbers, the same in all pieces, and no names.",
    "`piece_id`, `work_id` and `cluster_id` are those that the import of ASAP gives to the same music.",
)
