"""Import of ASAP: scores, performances, and the beats of both.

F. Foscarin, A. McLeod, P. Rigaux, F. Jacquemard, M. Sakai, "ASAP: a dataset of aligned scores and
performances for piano transcription", ISMIR 2020, 534-541.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tocco.data.corpora.annotations import Annotation, Beats
from tocco.data.corpora.asap_format import performer_of, read_beats, recording_of, work_of
from tocco.data.corpora.corpus import (
    CorpusCard,
    ImportReport,
    ReadFiles,
    Skipped,
    Take,
    check_score,
    check_target,
    inside,
    read_table,
    reason_of,
    valid_performance,
    write_corpus,
)
from tocco.data.corpora.opening import opened_source
from tocco.data.corpora.registry import OnProgress
from tocco.data.duplicates import SAME_MUSIC_SHARE, SAME_TAKE_SHARE, clusters, overlaps, written_runs
from tocco.data.records import LabelRecord
from tocco.data.splits import fingerprint
from tocco.errors import InputError, ToccoError
from tocco.files import file_name
from tocco.music.midi import load_midi
from tocco.units import IntArray

SOURCE: Final = "ASAP"
LICENCE: Final = "CC BY-NC-SA 4.0 (LICENSE.md of the data set)"
CITATION: Final = (
    'F. Foscarin, A. McLeod, P. Rigaux, F. Jacquemard, M. Sakai, "ASAP: a dataset of aligned scores and '
    'performances for piano transcription", Proc. ISMIR 2020, 534-541.'
)
URL: Final = "https://github.com/fosfrancesco/asap-dataset"

_TABLE = "metadata.csv"
_LICENCES = ("LICENSE.md",)
_COLUMNS = (
    *("composer", "title", "folder", "xml_score", "midi_score", "midi_performance"),
    *("performance_annotations", "midi_score_annotations"),
    *("maestro_midi_performance", "maestro_audio_performance", "start", "end"),
)
_LAST_BEAT_LATE_SEC = 30.0
"""Maximum time of the last beat after the last note; it may be annotated in the final silence."""


@dataclass(frozen=True)
class _Row:
    """One performance of the table, with its files."""

    cells: Mapping[str, str]
    midi: Path
    runs: IntArray
    duration_sec: float
    beats: Beats

    @property
    def is_recorded(self) -> bool:
        return bool(self.cells["maestro_audio_performance"])


@dataclass(frozen=True)
class _Piece:
    """One folder: a score in the version of its performances."""

    score_midi: Path
    score_xml: Path | None
    beats: Beats
    runs: IntArray


def import_asap(
    source: Path, target: Path, *, check_scores: bool = False, on_progress: OnProgress | None = None
) -> ImportReport:
    """Import ASAP as one manifest of unlabelled performances, with beat annotations.

    Writes `performances.jsonl`, `midi/`, `score/` (score MIDI with the repeats as played, and MusicXML),
    `annotations/`, `CORPUS.md` and `checksums.sha256`. The same source gives the same bytes.

    Parameters
    ----------
    source : folder of the data set, or its tar archive
    target
        Output folder; not inside the source.
    check_scores
        Parse every MusicXML; otherwise only its first lines are checked.
    on_progress
        Called after each performance.

    Raises
    ------
    InputError
        The table is missing or unusable, or no performance is left.
    OutputError
        The target cannot be written.
    """
    check_target(target, source)
    with opened_source(source, _TABLE) as root:
        read = ReadFiles(root)
        table = read_table(read.add(root / _TABLE), _COLUMNS)
        skipped: list[Skipped] = []
        pieces = _pieces(table, read, skipped, check_scores=check_scores)
        rows = _performances(table, pieces, read, skipped, on_progress)
        unique = _without_duplicates(rows, pieces, skipped)
        takes = _takes(unique, pieces, target)
        licence = {target / name: read.add(root / name) for name in _LICENCES if (root / name).is_file()}
        return write_corpus(takes, _card(read), skipped, source, target, documents=licence)


def _pieces(
    table: Sequence[tuple[int, dict[str, str]]],
    read: ReadFiles,
    skipped: list[Skipped],
    *,
    check_scores: bool,
) -> dict[str, _Piece]:
    """Folder -> its score, for every folder with a usable score."""
    pieces: dict[str, _Piece] = {}
    for line, cells in {cells["folder"]: (line, cells) for line, cells in reversed(table)}.values():
        subject = f"{_TABLE}, line {line}"
        try:
            midi = read.add(inside(read.root, cells["midi_score"], subject))
            beats = read.add(inside(read.root, cells["midi_score_annotations"], subject))
            pieces[cells["folder"]] = _Piece(
                score_midi=midi,
                score_xml=_score_xml(cells, read, subject, skipped, parse=check_scores),
                beats=read_beats(beats),
                runs=written_runs(load_midi(midi)),
            )
        except ToccoError as error:
            skipped.append(Skipped(cells["folder"], reason_of(error, read.root)))
    return dict(sorted(pieces.items()))


def _score_xml(
    cells: Mapping[str, str], read: ReadFiles, subject: str, skipped: list[Skipped], *, parse: bool
) -> Path | None:
    """The MusicXML of a piece; None, with an entry in `skipped`, if the source has no readable one."""
    if not (read.root / cells["xml_score"]).is_file():
        skipped.append(Skipped(cells["xml_score"], "the table names this score, the source lacks it"))
        return None
    path = read.add(inside(read.root, cells["xml_score"], subject))
    try:
        check_score(path, parse=parse)
    except ToccoError as error:
        skipped.append(Skipped(cells["xml_score"], reason_of(error, read.root)))
        return None
    return path


def _performances(
    table: Sequence[tuple[int, dict[str, str]]],
    pieces: Mapping[str, _Piece],
    read: ReadFiles,
    skipped: list[Skipped],
    on_progress: OnProgress | None,
) -> list[_Row]:
    rows: list[_Row] = []
    for done, (line, cells) in enumerate(table, start=1):
        subject = f"{_TABLE}, line {line}"
        try:
            if cells["folder"] not in pieces:
                raise InputError(subject, "belongs to a piece whose score cannot be used")
            rows.append(_performance(cells, read, subject))
        except ToccoError as error:
            skipped.append(Skipped(cells["midi_performance"], reason_of(error, read.root)))
        if on_progress is not None:
            on_progress(done, len(table))
    return rows


def _performance(cells: dict[str, str], read: ReadFiles, subject: str) -> _Row:
    midi = read.add(inside(read.root, cells["midi_performance"], subject))
    marks = read.add(inside(read.root, cells["performance_annotations"], subject))
    performance, beats = valid_performance(midi), read_beats(marks)
    if not beats.beat_sec or beats.beat_sec[-1] > performance.duration_sec + _LAST_BEAT_LATE_SEC:
        raise InputError(
            marks,
            f"has its last beat at {max(beats.beat_sec, default=0.0):.1f} s",
            allowed=f"within the performance's {performance.duration_sec:.1f} s",
        )
    return _Row(cells, midi, fingerprint(performance), performance.duration_sec, beats)


def _without_duplicates(
    rows: Sequence[_Row], pieces: Mapping[str, _Piece], skipped: list[Skipped]
) -> list[tuple[_Row, str]]:
    """Every take once, with the id of its cluster.

    Of duplicate takes, the one with the same number of beats as its score is used, else the one with a
    recording, else the first by name.
    """
    by_name = {row.cells["midi_performance"]: row for row in rows}
    group_of = clusters(by_name, overlaps({name: row.runs for name, row in by_name.items()}, SAME_TAKE_SHARE))
    best: dict[str, str] = {}
    ranked = sorted(
        by_name, key=lambda n: (not _has_all_beats(by_name[n], pieces), not by_name[n].is_recorded, n)
    )
    for name in ranked:
        first = best.setdefault(group_of[name], name)
        if first != name:
            skipped.append(Skipped(name, f"is the same take as {first}, note for note"))
    cluster_of = _clusters_of_pieces(rows, pieces)
    return [(by_name[name], cluster_of[_piece_id(by_name[name].cells)]) for name in sorted(best.values())]


def _clusters_of_pieces(rows: Sequence[_Row], pieces: Mapping[str, _Piece]) -> dict[str, str]:
    """Piece -> cluster: pieces of one title, or whose scores have common notes."""
    titles = {row.cells["folder"]: _piece_id(row.cells) for row in rows}
    alike = overlaps({folder: pieces[folder].runs for folder in titles}, SAME_MUSIC_SHARE)
    return clusters(titles.values(), [(titles[pair.first], titles[pair.second]) for pair in alike])


def _piece_id(cells: Mapping[str, str]) -> str:
    return file_name(f"{cells['composer']}_{cells['title']}")


def _has_all_beats(row: _Row, pieces: Mapping[str, _Piece]) -> bool:
    """Whether the player played every beat of the score once."""
    score = pieces[row.cells["folder"]].beats
    return len(row.beats.beat_sec) == len(score.beat_sec) and len(row.beats.downbeat_sec) == len(
        score.downbeat_sec
    )


def _takes(unique: Sequence[tuple[_Row, str]], pieces: Mapping[str, _Piece], target: Path) -> list[Take]:
    return [
        _take(row, cluster, pieces[row.cells["folder"]], target.absolute(), _has_all_beats(row, pieces))
        for row, cluster in unique
    ]


def _take(row: _Row, cluster: str, piece: _Piece, target: Path, has_all_beats: bool) -> Take:
    cells = row.cells
    passage = file_name(cells["folder"].replace("/", "_"))
    segment = file_name(f"{passage}_{row.midi.stem}")
    midi, score = target / "midi" / f"{segment}.mid", target / "score" / f"{passage}.mid"
    copies = {midi: row.midi, score: piece.score_midi}
    if piece.score_xml is not None:
        copies[score.with_suffix(".musicxml")] = piece.score_xml
    record = LabelRecord(
        segment_id=segment,
        piece_id=_piece_id(cells),
        performer_id=performer_of(row.midi.stem),
        source=SOURCE,
        midi_path=midi,
        score_path=score,
        annotation_path=target / "annotations" / f"{segment}.json",
        labels={},
        work_id=work_of(cells["composer"], cells["title"]),
        passage_id=passage,
        cluster_id=cluster,
    )
    annotation = Annotation(
        segment_id=segment,
        composer=cells["composer"],
        title=cells["title"],
        source_file=cells["midi_performance"],
        duration_sec=round(row.duration_sec, 6),
        score_xml=f"score/{passage}.musicxml" if piece.score_xml is not None else None,
        beats=row.beats,
        score_beats=piece.beats,
        is_beat_aligned=has_all_beats,
        recording=recording_of(cells),
    )
    return Take(record, copies, row.duration_sec, annotation)


def _card(read: ReadFiles) -> CorpusCard:
    return CorpusCard(
        name=SOURCE,
        version="as distributed on GitHub; the checksum tells which state",
        licence=LICENCE,
        citation=CITATION,
        url=URL,
        checksum=read.checksum,
        notes=_NOTES,
    )


_NOTES = (
    "Nobody rated these performances: every record's labels are empty.",
    "`score/`: the score MIDI that the players followed, repeats unfolded (`score_path`), and beside it the "
    "MusicXML, whose repeats are not.",
    "`annotations/`: beats, downbeats, metres and keys in the seconds of the performance (`beats`) and of "
    "the score MIDI (`score_beats`); where `is_beat_aligned`, they pair up by number. `recording` says where "
    "MAESTRO has the sound.",
    "`performer_id` is read off the file name: a surname, which several people may share.",
    "`piece_id` is composer and title, `passage_id` the version with its repeats; versions of one piece, and "
    "pieces whose scores share their notes, have one `cluster_id`.",
)
