"""A changed performance with the way that score, alignment, bounds and ratings take along with it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from tocco.errors import InputError
from tocco.music.alignment import Alignment
from tocco.music.performance import PedalCurve, Performance
from tocco.music.score import Score
from tocco.music.time_map import TimeMap
from tocco.units import IntArray


@dataclass(frozen=True, eq=False)
class Augmented:
    """A changed performance, and how all that belongs to it moves along.

    Attributes
    ----------
    performance
    time_map : old seconds to new seconds
    semitones : by which keys and score moved up
    valid_labels : targets whose rating still holds
    new_of_old : (N,) index into `performance` of each old note, -1 where it is gone
    """

    performance: Performance
    time_map: TimeMap
    semitones: int
    valid_labels: frozenset[str]
    new_of_old: IntArray

    def bounds(self, start_sec: float, end_sec: float) -> tuple[float, float]:
        """A segment's bounds on the new clock."""
        return float(self.time_map(start_sec)), float(self.time_map(end_sec))

    def labels(self, labels: Mapping[str, float]) -> dict[str, float]:
        """Those ratings that still hold."""
        return {name: value for name, value in labels.items() if name in self.valid_labels}

    def check_keeps(self, targets: Iterable[str]) -> None:
        """Refuse the augmentation for ratings that it touches.

        Raises
        ------
        InputError
            One of the targets no longer holds.
        """
        touched = sorted(set(targets) - self.valid_labels)
        if touched:
            raise InputError(
                "augmentation",
                f"changes what {', '.join(touched)} rate",
                allowed="augmentations that leave the label as it was",
                next_step="leave these labels out or choose a smaller change",
            )

    def score(self, score: Score) -> Score:
        """The score in the key of the changed performance; beats do not move."""
        return score if self.semitones == 0 else replace(score, pitch=score.pitch + self.semitones)

    def alignment(self, alignment: Alignment) -> Alignment:
        """The alignment of the old performance as one of the new.

        A matched note that is gone is a deletion; an added one is an insertion where its onset falls.
        """
        return _carried_alignment(self, alignment)

    def then(self, later: Augmented) -> Augmented:
        """Both changes as one; `later` was made from this performance."""
        kept = self.new_of_old >= 0
        new = np.full(len(self.new_of_old), -1, dtype=np.int64)
        new[kept] = later.new_of_old[self.new_of_old[kept]]
        return Augmented(
            performance=later.performance,
            time_map=self.time_map.then(later.time_map),
            semitones=self.semitones + later.semitones,
            valid_labels=self.valid_labels & later.valid_labels,
            new_of_old=new,
        )


def moved_along(
    performance: Performance, time_map: TimeMap, semitones: int, valid_labels: frozenset[str]
) -> Augmented:
    """The keys and pedals of a recording whose time and pitch were changed; no note comes or goes.

    Parameters
    ----------
    performance
    time_map, semitones : what was done to the recording
    valid_labels : targets whose rating still holds
    """

    def moved(pedal: PedalCurve) -> PedalCurve:
        return replace(pedal, time_sec=time_map(pedal.time_sec))

    played = replace(performance, pitch=performance.pitch + semitones)
    if not time_map.is_identity:
        played = replace(
            played,
            onset_sec=time_map(performance.onset_sec),
            offset_sec=time_map(performance.offset_sec),
            sustain=moved(performance.sustain),
            sostenuto=moved(performance.sostenuto),
            soft=moved(performance.soft),
            duration_sec=float(time_map(performance.duration_sec)),
        )
    return Augmented(played, time_map, semitones, valid_labels, np.arange(len(performance)))


def _carried_alignment(change: Augmented, alignment: Alignment) -> Alignment:
    played, place, clock = change.performance, change.new_of_old, change.time_map
    if len(alignment.performance_beat) != len(place):
        raise InputError(
            "alignment",
            f"speaks of {len(alignment.performance_beat)} notes, the performance had {len(place)}",
            next_step="give the alignment of the performance that was augmented",
        )
    old = np.full(len(played), -1, dtype=np.int64)
    old[place[place >= 0]] = np.flatnonzero(place >= 0)
    is_heard = place[alignment.match[:, 1]] >= 0
    match, lost = alignment.match[is_heard], alignment.match[~is_heard, 0]
    pairs = alignment.substitution
    pairs = pairs[place[pairs[:, 1]] >= 0]
    inserted = place[alignment.insertion]
    stays = place >= 0
    beat = alignment.beat_at(clock.inverse()(played.onset_sec))
    beat[place[stays]] = alignment.performance_beat[stays]
    return replace(
        alignment,
        score=change.score(alignment.score),
        match=np.column_stack((match[:, 0], place[match[:, 1]])),
        deletion=np.sort(np.concatenate((alignment.deletion, lost))),
        insertion=np.sort(np.concatenate((inserted[inserted >= 0], np.flatnonzero(old < 0)))),
        substitution=np.column_stack((pairs[:, 0], place[pairs[:, 1]])),
        anchor_sec=clock(alignment.anchor_sec),
        written_sec=clock(alignment.written_sec) if len(alignment.written_sec) else alignment.written_sec,
        performance_beat=beat,
        performance_onset_sec=played.onset_sec,
        performance_pitch=played.pitch,
        confidence=alignment.confidence[is_heard] if len(alignment.confidence) else alignment.confidence,
        **_carried_findings(alignment, place, clock),
    )


def _carried_findings(alignment: Alignment, place: IntArray, clock: TimeMap) -> dict[str, tuple]:
    """Retries, skips, ornaments and rolled chords with new times and note indices."""

    def moved(sec: float) -> float:
        return float(clock(sec))

    retries = []
    for retry in alignment.retries:
        kept = place[retry.first_note : retry.last_note + 1]
        kept = kept[kept >= 0]
        if len(kept):
            first, last = int(kept.min()), int(kept.max())
            start, end = moved(retry.start_sec), moved(retry.end_sec)
            retries.append(replace(retry, first_note=first, last_note=last, start_sec=start, end_sec=end))
    ornaments = (
        replace(ornament, played=tuple(int(place[note]) for note in ornament.played))
        for ornament in alignment.ornaments
    )
    rolled = (
        replace(
            chord,
            at_sec=moved(chord.at_sec),
            spread_sec=moved(chord.at_sec + chord.spread_sec) - moved(chord.at_sec),
        )
        for chord in alignment.rolled_chords
    )
    return {
        "retries": tuple(retries),
        "skips": tuple(replace(skip, at_sec=moved(skip.at_sec)) for skip in alignment.skips),
        "ornaments": tuple(ornament for ornament in ornaments if min(ornament.played) >= 0),
        "rolled_chords": tuple(rolled),
    }
