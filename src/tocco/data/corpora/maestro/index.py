"""MAESTRO v3.0.0: 1,276 recordings of a piano competition, each with the MIDI of the instrument.

C. Hawthorne et al., "Enabling Factorized Piano Music Modeling and Generation with the MAESTRO
Dataset", ICLR 2019. This module reads the index, selects subsets, and describes them in the schema
of tocco; `sources` and `fetching` download the files.
"""

from __future__ import annotations

import csv
import io
import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

import numpy as np

from tocco.data.corpora.corpus import CorpusCard
from tocco.data.records import LabelRecord
from tocco.errors import InputError, UsageError
from tocco.files import file_name, is_safe_name

METADATA_COLUMNS: Final = (
    "piece_id",
    "audio_path",
    "midi_path",
    "duration",
    "composer",
    "year",
    "title",
    "split",
)
SPLITS: Final = ("train", "validation", "test")
"""The official split; the position is the fold of the protocol `maestro`."""

_INDEX_COLUMNS = (
    "canonical_composer",
    "canonical_title",
    "split",
    "year",
    "midi_filename",
    "audio_filename",
    "duration",
)
_YEAR = re.compile(r"(19|20)\d\d")
_MAX_DURATION_SEC = 4 * 3600.0
# 96 kHz, two channels, 32 bits: four times the largest recording of the corpus.
_MAX_AUDIO_BYTES_A_SEC = 96_000 * 2 * 4
_MAX_MIDI_BYTES = 32 << 20
_HEADROOM_BYTES = 1 << 20


@dataclass(frozen=True)
class Release:
    """One published version of the corpus.

    Attributes
    ----------
    version
    base_url : of the folder on the publisher's server
    folder : that the archives unpack to
    index_name, audio_archive, midi_archive : file names there
    index_sha256, midi_sha256 : hex digits; the index's as measured, the archive's as published
    """

    version: str
    base_url: str
    folder: str
    index_name: str
    index_sha256: str
    audio_archive: str
    midi_archive: str
    midi_sha256: str


MAESTRO_V3: Final = Release(
    version="v3.0.0",
    base_url="https://storage.googleapis.com/magentadata/datasets/maestro/v3.0.0",
    folder="maestro-v3.0.0",
    index_name="maestro-v3.0.0.csv",
    index_sha256="cb88a64a12971a995dd41852aa3a33879501cf70d01b9a6feb637f4ad8d8ddff",
    audio_archive="maestro-v3.0.0.zip",
    midi_archive="maestro-v3.0.0-midi.zip",
    midi_sha256="70470ee253295c8d2c71e6d9d4a815189e35c89624b76d22fce5a019d5dde12c",
)


@dataclass(frozen=True)
class Recording:
    """One row of the index: a performance with its two files.

    Attributes
    ----------
    composer, title
        As in the index; "Franz Schubert / Franz Liszt" is Schubert arranged by Liszt.
    split : "train", "validation" or "test"
    year : of the competition
    midi_name, audio_name : in the archive, "<year>/<name>.midi" and "<year>/<name>.wav"
    duration_sec : as the index states it
    """

    composer: str
    title: str
    split: str
    year: int
    midi_name: str
    audio_name: str
    duration_sec: float

    @property
    def segment_id(self) -> str:
        """Name of the recording, unique in the index."""
        return PurePosixPath(self.audio_name).stem

    @property
    def piece_id(self) -> str:
        """The composition, which several pianists may have played; splits must not divide it."""
        return file_name(f"{self.composer} {self.title}")

    @property
    def author(self) -> str:
        """Composer without arrangers."""
        return self.composer.split(" / ")[0]

    @property
    def audio_path(self) -> str:
        """Path of the audio in the folder of the corpus: year, kind, name."""
        return f"{self.year}/audio/{PurePosixPath(self.audio_name).name}"

    @property
    def midi_path(self) -> str:
        """Path of the MIDI in the folder of the corpus."""
        return f"{self.year}/midi/{PurePosixPath(self.midi_name).name}"

    @property
    def max_audio_bytes(self) -> int:
        """Maximum size of the audio: a larger file is not the one of the index."""
        return int(self.duration_sec * _MAX_AUDIO_BYTES_A_SEC) + _HEADROOM_BYTES

    @property
    def max_midi_bytes(self) -> int:
        """Maximum size of a MIDI file of the corpus."""
        return _MAX_MIDI_BYTES


def parse_index(text: str, source: str) -> tuple[Recording, ...]:
    """Parse `maestro-v3.0.0.csv`, in order.

    Parameters
    ----------
    text
    source
        Name of the index, for messages.

    Raises
    ------
    InputError
        A column is missing, a value is out of range, or a file's name is not safe or is repeated.
    """
    reader = csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline=""), strict=True)
    try:
        rows = [(reader.line_num, row) for row in reader]
        header = reader.fieldnames or []
    except csv.Error as error:
        raise InputError(source, f"is not valid CSV ({error})", next_step="fetch it again") from error
    missing = [column for column in _INDEX_COLUMNS if column not in header]
    if missing:
        raise InputError(source, f"has no column {missing[0]!r}", allowed=", ".join(_INDEX_COLUMNS))
    recordings: list[Recording] = []
    line_of: dict[str, int] = {}
    for line, row in rows:
        recording = _recording(row, f"{source}, line {line}")
        name = recording.segment_id.casefold()
        if name in line_of:
            raise InputError(
                f"{source}, line {line}", f"names {recording.segment_id!r} as line {line_of[name]} does"
            )
        line_of[name] = line
        recordings.append(recording)
    if not recordings:
        raise InputError(source, "has no recordings", next_step="fetch it again")
    return tuple(recordings)


def _recording(row: dict[str, str], subject: str) -> Recording:
    cells = {column: (row[column] or "").strip() for column in _INDEX_COLUMNS}
    if cells["split"] not in SPLITS:
        raise InputError(subject, f"has the split {cells['split']!r}", allowed=", ".join(SPLITS))
    if not _YEAR.fullmatch(cells["year"]):
        raise InputError(subject, f"has the year {cells['year']!r}", allowed="four digits")
    for column, suffix in (("midi_filename", ".midi"), ("audio_filename", ".wav")):
        folder, _, name = cells[column].partition("/")
        if folder != cells["year"] or not is_safe_name(name) or not name.endswith(suffix):
            raise InputError(
                subject, f"has the {column} {cells[column]!r}", allowed=f"{cells['year']}/<name>{suffix}"
            )
    try:
        duration_sec = float(cells["duration"])
    except ValueError:
        duration_sec = math.nan
    if not 0.0 < duration_sec <= _MAX_DURATION_SEC:
        raise InputError(
            subject, f"has the duration {cells['duration']!r}", allowed=f"up to {_MAX_DURATION_SEC:g} s"
        )
    return Recording(
        composer=cells["canonical_composer"],
        title=cells["canonical_title"],
        split=cells["split"],
        year=int(cells["year"]),
        midi_name=cells["midi_filename"],
        audio_name=cells["audio_filename"],
        duration_sec=duration_sec,
    )


def select(recordings: Sequence[Recording], n: int, rng: np.random.Generator) -> tuple[Recording, ...]:
    """Select a balanced subset: many composers, all years, the proportions of the official split.

    Recordings are chosen one by one: from the split that is furthest below its proportion
    (Sainte-Laguë's quotients), of the composer with the fewest so far, then of the year, then of the
    piece; ties are random. Composers and years are as even as possible, and a larger subset with the
    same seed contains the smaller one.

    Parameters
    ----------
    recordings
    n : 1..len(recordings)
    rng

    Returns
    -------
    (n,) in the order of the index

    Raises
    ------
    InputError
        `n` is out of range.
    """
    if not 1 <= n <= len(recordings):
        raise UsageError(
            "--subset",
            f"is {n}",
            allowed=f"1 to {len(recordings):,}",
            next_step="leave it out for the whole corpus",
        )
    chance = rng.permutation(len(recordings)).tolist()
    author, piece = [r.author for r in recordings], [r.piece_id for r in recordings]
    year = [r.year for r in recordings]
    left = {split: [i for i, r in enumerate(recordings) if r.split == split] for split in SPLITS}
    share = {split: len(left[split]) for split in SPLITS}
    n_split, n_author, n_year, n_piece = Counter[str](), Counter[str](), Counter[int](), Counter[str]()
    chosen: list[int] = []
    for _ in range(n):
        split = max((s for s in SPLITS if left[s]), key=lambda s: share[s] / (2 * n_split[s] + 1))
        best = min(
            left[split],
            key=lambda i: (n_author[author[i]], n_year[year[i]], n_piece[piece[i]], chance[i]),
        )
        left[split].remove(best)
        chosen.append(best)
        n_split[split] += 1
        n_author[author[best]] += 1
        n_year[year[best]] += 1
        n_piece[piece[best]] += 1
    return tuple(recordings[i] for i in sorted(chosen))


def metadata_csv(recordings: Iterable[Recording]) -> bytes:
    """`metadata.csv`: one row per recording, paths relative to the folder, duration in seconds."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(METADATA_COLUMNS)
    for r in recordings:
        writer.writerow(
            [r.piece_id, r.audio_path, r.midi_path, r.duration_sec, r.composer, r.year, r.title, r.split]
        )
    return text.getvalue().encode()


def label_records(recordings: Iterable[Recording], folder: Path) -> list[LabelRecord]:
    """Label records of the recordings, without ratings.

    The official split is the fold protocol `maestro`: 0 train, 1 validation, 2 test.
    """
    folder = folder.absolute()
    return [
        LabelRecord(
            segment_id=r.segment_id,
            piece_id=r.piece_id,
            source="MAESTRO v3.0.0",
            audio_path=folder / r.audio_path,
            midi_path=folder / r.midi_path,
            labels={},
            work_id=r.piece_id,
            cluster_id=r.piece_id,
            folds={"maestro": SPLITS.index(r.split)},
        )
        for r in recordings
    ]


def card(release: Release, checksum: str) -> CorpusCard:
    """Licence, citation and notes of MAESTRO."""
    return CorpusCard(
        name="MAESTRO",
        version=release.version,
        licence="Creative Commons Attribution-NonCommercial-ShareAlike 4.0 (CC BY-NC-SA 4.0)",
        citation=(
            "C. Hawthorne, A. Stasyuk, A. Roberts, I. Simon, C.-Z. A. Huang, S. Dieleman, E. Elsen, "
            'J. Engel, D. Eck: "Enabling Factorized Piano Music Modeling and Generation with the MAESTRO '
            'Dataset", ICLR 2019.'
        ),
        url="https://magenta.tensorflow.org/datasets/maestro",
        checksum=checksum,
        notes=(
            "`metadata.csv`: "
            + ", ".join(METADATA_COLUMNS)
            + "; duration in seconds, as the index states it.",
            "`<year>/audio/*.wav` and `<year>/midi/*.midi`: the files of the corpus, unchanged.",
            "`piece_id` is composer and title: all performances of a composition share it.",
            "Fold protocol `maestro`: 0 train, 1 validation, 2 test, the official split. It has "
            "movements of five titles on two sides; clusters keep a title together.",
            "The pianists are not named. All are advanced; nobody rated the performances.",
        ),
    )
