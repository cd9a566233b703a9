"""Ties: of tied notes only the first one is struck, and it lasts to the end of the last one.

Ties are joined after unfolding, since what follows a note depends on the way through the page: a note
ahead of two endings may be tied into both.
"""

from __future__ import annotations

import bisect
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from tocco.music.notation import PrintedNote

_MAX_GAP_BEAT = 0.1
"""Less than a thirty-second between a note and the one that it is tied to; programs round to ticks."""

_MAX_GAP_UNWRITTEN_BEAT = 1 / 32
"""The same where only the first of the two notes is written as tied."""

_STARTING = ("start", "continue")
_STOPPING = ("stop", "continue")

TieEnds = Mapping[tuple[str, int], tuple[bool, bool]]
"""By part, and place among its notes as the file lists them: whether a tie starts, whether one stops."""


def take_ties(root: Any) -> TieEnds:
    """Read the tie ends of every note, and remove them from the tree.

    A note that states none (`tie`, what is heard) is tied as it is printed (`tied`).

    Parameters
    ----------
    root : the tree's `score-partwise` element
    """
    ends: dict[tuple[str, int], tuple[bool, bool]] = {}
    for part in root.iter("part"):
        part_id = part.get("id", "P1")
        for place, note in enumerate(part.iterfind("measure/note")):
            ties = note.findall("tie")
            kinds = {tie.get("type") for tie in ties or note.iterfind("notations/tied")}
            starts, stops = not kinds.isdisjoint(_STARTING), not kinds.isdisjoint(_STOPPING)
            if starts or stops:
                ends[part_id, place] = (starts, stops)
            for tie in ties:
                note.remove(tie)
    return ends


@dataclass(frozen=True)
class PlacedNote:
    """A printed note at its place in the unfolded score.

    Attributes
    ----------
    onset_beat, duration_beat : beats from the start of the unfolded score
    note
    note_id : unique in the unfolded score
    span : index of the stretch of the score from which it comes
    """

    onset_beat: float
    duration_beat: float
    note: PrintedNote
    note_id: str
    span: int

    @property
    def end_beat(self) -> float:
        """Where it ends, in beats from the start of the unfolded score."""
        return self.onset_beat + self.duration_beat


def join_ties(notes: Sequence[PlacedNote]) -> list[PlacedNote]:
    """Leave the notes that are struck, each as long as it is held.

    Parameters
    ----------
    notes : in printed order within each stretch

    Returns
    -------
    In the same order.

    Notes
    -----
    A tie joins the next note of its pitch in its part: one that is written as tied, of its own voice or else
    of any, and without one the note that follows at once in print. What no note takes up ends, and a
    note that nothing is tied to is struck. A small note tied to its main note is one strike of the main
    note's length.
    """
    tied = {(n.note.part, n.note.pitch) for n in notes if n.note.tie_start}
    if not tied:
        return list(notes)
    groups: defaultdict[tuple[int, int], list[int]] = defaultdict(list)
    for rank, placed in enumerate(notes):
        key = (placed.note.part, placed.note.pitch)
        if key in tied:
            groups[key].append(rank)
    joined = list[PlacedNote | None](notes)
    for ranks in groups.values():
        ranks.sort(key=lambda rank: _played_order(notes[rank]))
        group = [notes[rank] for rank in ranks]
        for chain in _chains(_links(group)):
            first = group[chain[0]]
            duration = round(group[chain[-1]].end_beat - first.onset_beat, 9)
            joined[ranks[chain[0]]] = replace(first, duration_beat=duration)
            for k in chain[1:]:
                joined[ranks[k]] = None
    return [placed for placed in joined if placed is not None]


def _played_order(placed: PlacedNote) -> tuple[float, bool, int]:
    """Small notes come before the note on whose onset they stand."""
    return placed.onset_beat, not placed.note.is_grace, -placed.note.grace_lead


def _chains(links: dict[int, int]) -> Iterator[list[int]]:
    """Notes from the first to the last of every chain of ties."""
    for first in links.keys() - set(links.values()):
        chain = [first]
        while chain[-1] in links:
            chain.append(links[chain[-1]])
        yield chain


def _links(notes: Sequence[PlacedNote]) -> dict[int, int]:
    """For every note whose tie is taken up, the note that does.

    Parameters
    ----------
    notes : of one part and one pitch, in the order in which they are played
    """
    onsets = [placed.onset_beat for placed in notes]
    links: dict[int, int] = {}
    taken: set[int] = set()
    for is_written in (True, False):
        for is_own_voice in (True, False):
            for k, placed in enumerate(notes):
                if not placed.note.tie_start or k in links:
                    continue
                if not is_written and placed.note.is_grace and placed.note.tie_stop and k not in taken:
                    # The file ties it from nowhere as well: its other end is not to be trusted either.
                    continue
                found = _continuation(
                    notes, onsets, k, taken, is_written=is_written, is_own_voice=is_own_voice
                )
                if found is not None:
                    links[k] = found
                    taken.add(found)
    return links


def _continuation(
    notes: Sequence[PlacedNote],
    onsets: Sequence[float],
    k: int,
    taken: set[int],
    *,
    is_written: bool,
    is_own_voice: bool,
) -> int | None:
    """The nearest free note that a tie may lead to."""
    placed = notes[k]
    gap = _MAX_GAP_BEAT if is_written else _MAX_GAP_UNWRITTEN_BEAT
    low = max(bisect.bisect_left(onsets, placed.end_beat - gap), k + 1)
    high = bisect.bisect_right(onsets, placed.end_beat + gap)
    candidates = [
        other
        for other in range(low, high)
        if other not in taken
        and (placed.note.is_grace or onsets[other] > placed.onset_beat)
        and (not is_own_voice or notes[other].note.voice == placed.note.voice)
        and (
            notes[other].note.tie_stop
            if is_written
            else notes[other].span == placed.span and not notes[other].note.is_grace
        )
    ]
    return min(candidates, key=lambda other: abs(onsets[other] - placed.end_beat), default=None)
