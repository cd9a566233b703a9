"""What a player did besides playing on: tries given up, bars skipped, chords rolled, notes adorned."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from tocco.music.matching.chords import PlayedNotes
from tocco.music.matching.ornaments import Arpeggio, Ornament
from tocco.music.matching.structure import Retry, Skip
from tocco.units import FloatArray, IntArray


@dataclass(frozen=True)
class RetriedSpan:
    """Playing that was given up and played again; its notes are insertions.

    Attributes
    ----------
    first_note, last_note : index into the performance, inclusive
    start_sec, end_sec : from the first note given up to the first note of the new try
    start_beat, end_beat : from the first to the last onset that was tried
    """

    first_note: int
    last_note: int
    start_sec: float
    end_sec: float
    start_beat: float
    end_beat: float


@dataclass(frozen=True)
class SkippedSpan:
    """A stretch of the score that was passed over; its notes are `unplayed`, not missing.

    Attributes
    ----------
    at_sec : the last note before the skip
    start_beat, end_beat : from the first to the last onset that was left out
    """

    at_sec: float
    start_beat: float
    end_beat: float


@dataclass(frozen=True)
class RolledChord:
    """A chord played from low to high, or from high to low.

    Attributes
    ----------
    at_sec : its place on the clock of the performance
    onset_beat : its place in the score
    is_upward : whether from low to high
    spread_sec : from its first to its last note
    """

    at_sec: float
    onset_beat: float
    is_upward: bool
    spread_sec: float


def retried_spans(
    retries: Sequence[Retry], played: PlayedNotes, onset_beat: FloatArray
) -> tuple[RetriedSpan, ...]:
    """Tries given up, in seconds and beats.

    Parameters
    ----------
    retries : in order of playing
    played : the performance
    onset_beat : (G,) of the onset groups
    """
    last = len(played) - 1
    return tuple(
        RetriedSpan(
            first_note=retry.first_note,
            last_note=retry.last_note,
            start_sec=float(played.onset_sec[retry.first_note]),
            end_sec=float(played.onset_sec[min(retry.last_note + 1, last)]),
            start_beat=float(onset_beat[retry.first_group]),
            end_beat=float(onset_beat[retry.last_group]),
        )
        for retry in retries
    )


def skipped_spans(
    skips: Sequence[Skip], played: PlayedNotes, onset_beat: FloatArray
) -> tuple[SkippedSpan, ...]:
    """Skips, in seconds and beats; parameters as for `retried_spans`."""
    return tuple(
        SkippedSpan(
            at_sec=float(played.onset_sec[skip.before_note]),
            start_beat=float(onset_beat[skip.first_group]),
            end_beat=float(onset_beat[skip.last_group]),
        )
        for skip in skips
    )


def rolled_chords(
    arpeggios: Sequence[Arpeggio], onset_beat: FloatArray, onset_sec: FloatArray
) -> tuple[RolledChord, ...]:
    """Rolled chords, in seconds and beats.

    Parameters
    ----------
    arpeggios : in order of the score
    onset_beat, onset_sec : (G,) of the onset groups
    """
    return tuple(
        RolledChord(float(onset_sec[a.group]), float(onset_beat[a.group]), a.is_upward, a.spread_sec)
        for a in arpeggios
    )


def retries_within(
    spans: Sequence[RetriedSpan], start_sec: float, end_sec: float, place: IntArray
) -> tuple[RetriedSpan, ...]:
    """Tries that a segment holds some notes of, on the segment's own clock.

    Parameters
    ----------
    spans : of the whole performance
    start_sec, end_sec : the segment
    place : (N,) new index of each note, -1 for one that the segment leaves out
    """
    found = []
    for span in spans:
        kept = place[span.first_note : span.last_note + 1]
        kept = kept[kept >= 0]
        if len(kept):
            found.append(
                replace(
                    span,
                    first_note=int(kept.min()),
                    last_note=int(kept.max()),
                    start_sec=max(span.start_sec, start_sec) - start_sec,
                    end_sec=min(span.end_sec, end_sec) - start_sec,
                )
            )
    return tuple(found)


def ornaments_within(ornaments: Sequence[Ornament], place: IntArray) -> tuple[Ornament, ...]:
    """Ornaments of which a segment holds every added note; parameters as for `retries_within`."""
    moved = (
        replace(ornament, played=tuple(int(place[note]) for note in ornament.played))
        for ornament in ornaments
    )
    return tuple(ornament for ornament in moved if min(ornament.played) >= 0)
