"""What a split leaks: music, pianists and takes that are in more than one of its parts.

A split is any assignment of segments to parts: folds of a cross-validation, or train and test. Every two
parts are compared, since each is tested by what was trained on the others.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tocco.csv_table import read_table
from tocco.data.duplicates import overlaps
from tocco.data.records import LabelRecord
from tocco.data.splits import NEAR_DUPLICATE_SHARE, record_fingerprint
from tocco.engines import Progress
from tocco.errors import InputError
from tocco.files import sha256_of
from tocco.music.midi import load_midi
from tocco.units import IntArray

KINDS: Final[Mapping[str, str]] = {
    "identical MIDI": "the same MIDI file, byte for byte, under two names",
    "same take": f"{100 * NEAR_DUPLICATE_SHARE:.0f} % or more of the notes and times of the shorter one: "
    "an excerpt within an excerpt, or one take under two names",
    "cluster": "bars in common, by whomever played",
    "passage": "the same bars",
    "pianist": "the same pianist",
}
"""Kind of leak -> what the two segments have in common."""

CLAIMS: Final[Mapping[str, tuple[str, ...]]] = {
    "unseen takes": ("identical MIDI", "same take"),
    "new music": ("identical MIDI", "same take", "cluster", "passage"),
    "new pianist": ("identical MIDI", "same take", "pianist"),
}
"""What a split may be said to test -> the kinds of leak that would make it untrue."""

PART_COLUMNS: Final = ("fold", "side", "part")


@dataclass(frozen=True)
class Leak:
    """One kind of leak of a split.

    Attributes
    ----------
    kind : a name of `KINDS`
    pairs : (first, second) segments in different parts that have it in common; in order of the names
    """

    kind: str
    pairs: tuple[tuple[str, str], ...]

    @property
    def segments(self) -> frozenset[str]:
        """All that are in a pair."""
        return frozenset(name for pair in self.pairs for name in pair)


@dataclass(frozen=True)
class LeakReport:
    """What a split leaks.

    Attributes
    ----------
    n_segments, parts : of the split
    leaks : kind -> leak, for every kind that was looked for, in the order of `KINDS`
    not_compared : kind -> why it was not looked for
    """

    n_segments: int
    parts: tuple[str, ...]
    leaks: Mapping[str, Leak]
    not_compared: Mapping[str, str]

    def holds(self, claim: str) -> bool | None:
        """Whether the split tests what is claimed; None where something was not compared."""
        found = [self.leaks[kind].pairs for kind in CLAIMS[claim] if kind in self.leaks]
        if any(found):
            return False
        return None if len(found) < len(CLAIMS[claim]) else True

    def lines(self) -> tuple[str, ...]:
        """What was found, one line a kind; then what the split may be said to test."""
        return (
            f"{self.n_segments} segments in {len(self.parts)} parts: {', '.join(self.parts)}",
            *(self._kind_line(kind) for kind in KINDS),
            *(f"{claim}: {_ANSWERS[self.holds(claim)]}" for claim in CLAIMS),
        )

    def _kind_line(self, kind: str) -> str:
        if kind in self.not_compared:
            return f"{kind}: not compared, {self.not_compared[kind]}"
        leak = self.leaks[kind]
        if not leak.pairs:
            return f"{kind}: none"
        first, second = leak.pairs[0]
        share = 100.0 * len(leak.segments) / self.n_segments
        return (
            f"{kind}: {len(leak.segments)} segments ({share:.0f} %) have one in another part, "
            f"{len(leak.pairs)} pairs, such as {first} and {second}"
        )


_ANSWERS: Final = {True: "yes", False: "no, it leaks", None: "cannot be said, see above"}


def find_leaks(
    records: Sequence[LabelRecord],
    split: Mapping[str, str],
    *,
    compare_notes: bool = True,
    progress: Progress | None = None,
) -> LeakReport:
    """Find what the parts of a split have in common.

    Parameters
    ----------
    records
        What is known of the segments; at least those of the split.
    split : segment_id -> part
        Segments that are not in it are in no part.
    compare_notes
        Also read the MIDI: identical files, and takes whose notes and times agree.
    progress
        Called after each MIDI.

    Raises
    ------
    InputError
        The split has fewer than two parts, or a segment that the records have not; or a MIDI cannot be read.
    """
    known = {record.segment_id for record in records}
    unknown = [name for name in split if name not in known]
    if unknown:
        raise InputError("split", f"has {unknown[0]!r}, which the labels have not", next_step="check its ids")
    parts = tuple(sorted(set(split.values())))
    if len(parts) < 2:
        raise InputError("split", f"has {len(parts)} part", allowed="two or more")
    chosen = sorted((r for r in records if r.segment_id in split), key=lambda r: r.segment_id)
    leaks: dict[str, Leak] = {}
    reasons: dict[str, str] = {}
    for kind, field in (("cluster", "cluster_id"), ("passage", "passage_id"), ("pianist", "performer_id")):
        of = {r.segment_id: _shared_value(r, field) for r in chosen}
        if not any(of.values()):
            reasons[kind] = f"the labels have no {field}"
        else:
            leaks[kind] = Leak(kind, _pairs_of_groups(of, split))
    without = next((r.segment_id for r in chosen if r.midi_path is None or not r.midi_path.is_file()), None)
    if not compare_notes or without is not None:
        reason = "not asked for" if not compare_notes else f"{without} has no MIDI file"
        reasons |= dict.fromkeys(("identical MIDI", "same take"), reason)
    else:
        leaks |= _note_leaks(chosen, split, progress)
    return LeakReport(len(chosen), parts, {kind: leaks[kind] for kind in KINDS if kind in leaks}, reasons)


def read_split(path: Path, column: str | None = None) -> dict[str, str]:
    """Segment_id -> part, from a CSV with the column segment_id and a column of parts.

    Parameters
    ----------
    path
    column : of the parts; by default the one column that is named fold, side or part

    Raises
    ------
    InputError
        A column is missing, a cell is empty, or a segment is listed twice.
    """
    table = read_table(path)
    wanted = PART_COLUMNS if column is None else (column,)
    given = [name for name in wanted if name in table.columns]
    if "segment_id" not in table.columns or len(given) != 1:
        raise InputError(
            path,
            f"has the columns {', '.join(table.columns)}",
            allowed=f"segment_id, and one of {', '.join(wanted)}",
            next_step="rename them, or name the column of the parts",
        )
    split: dict[str, str] = {}
    for row in table.rows:
        name = row.filled("segment_id")
        if name in split:
            raise InputError(row.subject, f"has {name!r} again", next_step="keep one line of each segment")
        split[name] = row.filled(given[0])
    return split


def _shared_value(record: LabelRecord, field: str) -> str:
    """Id that is compared, "" where there is none; a score rendering has no pianist."""
    if field == "performer_id" and record.is_score_rendering:
        return ""
    return getattr(record, field) or ""


def _pairs_of_groups(of: Mapping[str, str], split: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    members: dict[str, list[str]] = defaultdict(list)
    for name, group in of.items():
        if group:
            members[group].append(name)
    return _in_different_parts(
        ((a, b) for names in members.values() for n, a in enumerate(names) for b in names[n + 1 :]), split
    )


def _in_different_parts(
    pairs: Iterable[tuple[str, str]], split: Mapping[str, str]
) -> tuple[tuple[str, str], ...]:
    return tuple(sorted((a, b) if a < b else (b, a) for a, b in pairs if split[a] != split[b]))


def _note_leaks(
    records: Sequence[LabelRecord], split: Mapping[str, str], progress: Progress | None
) -> dict[str, Leak]:
    digest: dict[str, str] = {}
    prints: dict[str, IntArray] = {}
    for done, record in enumerate(records, start=1):
        assert record.midi_path is not None
        span = f"{record.start_time} {record.end_time}"
        digest[record.segment_id] = f"{sha256_of(record.midi_path)} {span}"
        prints[record.segment_id] = record_fingerprint(record, load_midi(record.midi_path))
        if progress is not None:
            progress(done, len(records))
    same = ((pair.first, pair.second) for pair in overlaps(prints, NEAR_DUPLICATE_SHARE))
    return {
        "identical MIDI": Leak("identical MIDI", _pairs_of_groups(digest, split)),
        "same take": Leak("same take", _in_different_parts(same, split)),
    }
