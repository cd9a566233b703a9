"""Labelling projects of a few segments of one short performance, and what raters give."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tocco.data.records import LabelRecord
from tocco.labelling.events import ListeningGiven, Occasion, Presentation, Rating, RatingGiven, VoteGiven
from tocco.labelling.project import Project, SegmentFacts, Settings, read_project, write_project
from tocco.labelling.session import Session
from tocco.labelling.store import RatingStore
from tocco.labelling.store_file import create_store
from tocco.labelling.table import RatingTable, rating_table
from tocco.music.midi import save_midi
from tocco.music.performance import PedalCurve, Performance

SEGMENT_SEC = 8.0
_numbers = itertools.count()


def given(**fields: Any) -> dict[str, Any]:
    """Fields that every event has, with an id of its own."""
    return {"event_id": f"event-{next(_numbers):06d}", "client_time_sec": 0.0, **fields}


def rating(dimension: str, value: float | None, **fields: Any) -> RatingGiven:
    return RatingGiven(**given(dimension=dimension, value=value, **fields))


def vote(outcome: str) -> VoteGiven:
    return VoteGiven(**given(outcome=outcome))


def listening(*heard: tuple[float, float], position_sec: float = 0.0) -> ListeningGiven:
    return ListeningGiven(position_sec=position_sec, heard=list(heard), client_time_sec=0.0)


class Clock:
    """A clock that stands where it is put."""

    def __init__(self, now: float = 1_700_000_000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


def new_store(folder: Path, clock: Clock | None = None) -> RatingStore:
    path = folder / "ratings.sqlite"
    create_store(path)
    return RatingStore(path, clock=clock or Clock())


def write_scale(path: Path, duration_sec: float = 30.0) -> Path:
    """MIDI of a scale, up and down, two notes a second."""
    onset = np.arange(0.0, duration_sec - 0.5, 0.5)
    up_and_down = np.concatenate([np.arange(60, 72), np.arange(72, 60, -1)])
    pitch = np.resize(up_and_down, len(onset))
    save_midi(
        Performance(
            onset,
            onset + 0.4,
            pitch,
            np.full(len(onset), 70),
            PedalCurve(),
            PedalCurve(),
            PedalCurve(),
            duration_sec,
        ),
        path,
    )
    return path


def make_project(
    folder: Path,
    *,
    rated: int = 5,
    calibration: int = 0,
    anchors: int = 0,
    pieces: int = 5,
    known: Mapping[str, float] | None = None,
    settings: Settings | None = None,
) -> Project:
    """A project with dummy segments, written and read back."""
    folder.mkdir(parents=True, exist_ok=True)
    midi = write_scale(folder / "scale.mid")
    roles = ["calibration"] * calibration + ["anchor"] * anchors + ["rated"] * rated
    records, facts = {}, {}
    for i, role in enumerate(roles):
        name = f"segment{i:03d}"
        start = float(i % 20)
        records[name] = LabelRecord(
            segment_id=name,
            piece_id=f"piece{i % pieces}",
            source="prepared",
            midi_path=midi,
            start_time=start,
            end_time=start + SEGMENT_SEC,
            labels={},
        )
        facts[name] = SegmentFacts(role=role, known={} if role == "rated" else dict(known or {}))
    write_project(Project(folder, settings or Settings(), records, facts))
    return read_project(folder)


def complete(session: Session, position: int, value: float = 60.0, **of: float) -> None:
    """Hear an item to its end and rate every dimension: `value`, or as named."""
    session.listen(position, listening((0.0, SEGMENT_SEC)))
    for name in session.project.settings.dimensions:
        session.rate(position, rating(name, of.get(name, value)))


def table_of(
    rows: Sequence[tuple[str, str, str, float]], dimensions: Sequence[str], occasion: Occasion = "first"
) -> RatingTable:
    """Ratings (rater, segment, dimension, value) that count, as a table."""
    return rating_table(ratings_of(rows, occasion), dimensions)


def ratings_of(
    rows: Sequence[tuple[str, str, str, float]], occasion: Occasion = "first", start: int = 1
) -> list[Rating]:
    """The same as ratings of the store, numbered from `start` on."""
    return [
        Rating(Presentation(rater, segment, occasion), dimension, value, False, start + i, 0.0, 1.0)
        for i, (rater, segment, dimension, value) in enumerate(rows)
    ]


def write_many(path: Path, rater_id: str, n: int) -> None:
    with RatingStore(path) as store:
        for i in range(n):
            event = RatingGiven(
                event_id=f"{rater_id}-{i:06d}", client_time_sec=0.0, dimension="phrasing", value=float(i)
            )
            store.rate(Presentation(rater_id, f"take{i}", "first"), event)
