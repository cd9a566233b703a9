"""Notes that were played against notes that were heard: how many, and how loud."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from tocco.evaluation.markdown import number, table
from tocco.evaluation.transcription.pairs import Pair
from tocco.music.midi import load_midi
from tocco.music.performance import Performance
from tocco.units import IntArray

SAME_SEC: Final = 0.05


@dataclass(frozen=True, eq=False)
class NotesHeard:
    """The notes of one recording.

    Attributes
    ----------
    instrument, chain : of the recording
    n_played, n_heard
    played, heard : (M,) velocity of the notes of one key within 50 ms of each other, pair by pair
    """

    instrument: str
    chain: str
    n_played: int
    n_heard: int
    played: IntArray
    heard: IntArray


def notes_heard(pair: Pair, folder: Path) -> NotesHeard:
    """Compare the notes of a transcription with the keys, one to one."""
    played, heard = load_midi(pair.keys_midi(folder)), load_midi(pair.heard_midi(folder))
    same = same_notes(played, heard)
    return NotesHeard(
        pair.instrument,
        pair.chain,
        len(played),
        len(heard),
        played.velocity[same[:, 0]],
        heard.velocity[same[:, 1]],
    )


def same_notes(played: Performance, heard: Performance) -> IntArray:
    """(M, 2) index of a played note and of the nearest free heard one of its key within 50 ms."""
    free = np.ones(len(heard), dtype=bool)
    pairs = []
    for note in range(len(played)):
        apart = np.abs(heard.onset_sec - played.onset_sec[note])
        near = np.flatnonzero(free & (heard.pitch == played.pitch[note]) & (apart <= SAME_SEC))
        if len(near):
            nearest = near[np.argmin(apart[near])]
            free[nearest] = False
            pairs.append((note, int(nearest)))
    return np.array(pairs, dtype=np.int64).reshape(-1, 2)


def notes_table(found: Sequence[NotesHeard]) -> list[str]:
    """One row for every piano and way of recording: notes, and velocity heard on velocity played."""
    head = ("piano", "recorded by", "notes", "recall", "precision", "velocity: slope", "r", "bias")
    groups = sorted({(one.instrument, one.chain) for one in found})
    rows = [_row(*group, [one for one in found if (one.instrument, one.chain) == group]) for group in groups]
    return table(head, [*rows, _row("all", "", found)])


def _row(instrument: str, chain: str, found: Sequence[NotesHeard]) -> tuple[str, ...]:
    played, heard = (np.concatenate([getattr(one, field) for one in found]) for field in ("played", "heard"))
    n_played, n_heard = (sum(getattr(one, field) for one in found) for field in ("n_played", "n_heard"))
    varies = len(played) > 1 and played.std() > 0 and heard.std() > 0
    slope = float(np.polyfit(played, heard, 1)[0]) if varies else float("nan")
    together = float(np.corrcoef(played, heard)[0, 1]) if varies else float("nan")
    return (
        instrument,
        chain,
        str(n_played),
        f"{len(played) / n_played:.3f}",
        f"{len(played) / n_heard:.3f}",
        number(slope, ".2f"),
        number(together, ".2f"),
        number(float(np.mean(heard) - np.mean(played)) if varies else float("nan"), "+.1f"),
    )
