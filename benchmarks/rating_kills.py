"""Whether ratings survive a process that is killed while it writes them.

    python benchmarks/rating_kills.py --kills 1000 -o results/labelling/kills.json

A process writes ratings, comments, undos and listening to a store, from two threads, and reports every
acknowledgement through a pipe. After a random time it gets SIGKILL. Then the store is checked: whether it
opens and every page of it is sound, whether every acknowledged event is in it as it was given, and whether
the event that each thread had under way, when it is sent again, is saved exactly once. All kills hit the same
store, so recoveries follow upon recoveries. The writer closes and opens the store every few events, since
closing moves the log into the file. Not measured: a power failure, for which SQLite relies on the disk's word
that it has written (`synchronous=FULL`).
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sqlite3
import tempfile
import threading
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from tocco.errors import ToccoError
from tocco.files import write_bytes
from tocco.labelling.backup import check_store
from tocco.labelling.events import (
    CommentGiven,
    Event,
    ListeningGiven,
    Presentation,
    RatingGiven,
    Saved,
    UndoGiven,
)
from tocco.labelling.raters import add_rater
from tocco.labelling.store import RatingStore
from tocco.labelling.store_file import create_store

THREADS = ("ann", "bea")
MOST_MS = 250.0
"""Latest kill after the writer began to open the store."""

REOPEN_EVERY = 7
DIMENSIONS = ("phrasing", "musicality", "overall_quality")


@dataclass
class Counts:
    """What was found over all kills."""

    kills: int = 0
    killed_before_the_first_acknowledgement: int = 0
    acknowledged: int = 0
    lost: int = 0
    changed: int = 0
    unreadable: int = 0
    under_way_and_saved: int = 0
    under_way_and_not_saved: int = 0
    sent_again_and_not_saved_once: int = 0


def event_id(kill: int, rater: str, number: int) -> str:
    """The id of that event, as the client that sends it would choose one."""
    return f"kill{kill:05d}-{rater}-{number:05d}"


def give(store: RatingStore, kill: int, rater: str, number: int) -> Saved:
    """The event of that number: always the same for the same arguments."""
    presentation = Presentation(rater, f"take{kill}", "first")
    name = event_id(kill, rater, number)
    if number % 5 == 3:
        return store.comment(
            presentation, CommentGiven(event_id=name, client_time_sec=0.0, comment=f"{number} " + "é" * 200)
        )
    if number % 5 == 4:
        return store.undo(presentation, UndoGiven(event_id=name, client_time_sec=0.0))
    dimension = DIMENSIONS[number % len(DIMENSIONS)]
    value = float((31 * number + 7 * kill) % 101)
    return store.rate(
        presentation, RatingGiven(event_id=name, client_time_sec=0.0, dimension=dimension, value=value)
    )


def is_as_given(event: Event, kill: int, number: int) -> bool:
    """Whether an event of the store has the content that `give` gives."""
    if number % 5 == 3:
        return event.kind == "comment" and event.comment == f"{number} " + "é" * 200
    if number % 5 == 4:
        return event.kind == "undo" and event.undoes is not None
    return (event.kind, event.dimension, event.value) == (
        "rating",
        DIMENSIONS[number % len(DIMENSIONS)],
        float((31 * number + 7 * kill) % 101),
    )


def write_until_killed(path: Path, kill: int, pipe: int) -> None:
    """Body of the child: it never returns."""
    lock = threading.Lock()
    os.write(pipe, b"open\n")

    def work(rater: str) -> None:
        number = 0
        while True:
            with RatingStore(path) as store:
                for _ in range(REOPEN_EVERY):
                    saved = give(store, kill, rater, number)
                    with lock:
                        os.write(pipe, f"{rater} {number} {saved.sequence}\n".encode())
                    heard = ListeningGiven(position_sec=1.0, heard=[(0.0, 1.0)], client_time_sec=0.0)
                    store.save_listening(Presentation(rater, f"take{kill}", "first"), heard, 20.0)
                    number += 1

    threads = [threading.Thread(target=work, args=(rater,)) for rater in THREADS]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    os._exit(1)


def killed_writer(path: Path, kill: int, after_sec: float) -> dict[str, list[int]]:
    """Kill a writer; returns the sequences that it had acknowledged, by rater and number of the event."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        try:
            write_until_killed(path, kill, writing)
        finally:
            os._exit(1)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        pipe.readline()
        time.sleep(after_sec)
        os.kill(child, signal.SIGKILL)
        said = pipe.read().decode()
    _, status = os.waitpid(child, 0)
    if not os.WIFSIGNALED(status):
        raise SystemExit(f"writer {kill} ended by itself with status {status}")
    found: dict[str, list[int]] = {rater: [] for rater in THREADS}
    for line in said.split("\n")[:-1]:
        rater, number, sequence = line.split(" ")
        assert int(number) == len(found[rater])
        found[rater].append(int(sequence))
    return found


def check(path: Path, kill: int, acknowledged: Mapping[str, list[int]], after: int, counts: Counts) -> int:
    """Compare what follows event `after` with what was acknowledged, and send again what was under way.

    Returns the last sequence of the store.
    """
    try:
        check_store(path)
        with RatingStore(path) as store:
            events = {one.event_id: one for one in store.events(after=after)}
    except ToccoError as error:
        print(f"kill {kill}: {error}")
        counts.unreadable += 1
        return after
    for rater, sequences in acknowledged.items():
        counts.acknowledged += len(sequences)
        for number, sequence in enumerate(sequences):
            event = events.get(event_id(kill, rater, number))
            if event is None:
                counts.lost += 1
            elif event.sequence != sequence or not is_as_given(event, kill, number):
                counts.changed += 1
    with RatingStore(path) as store:
        for rater, sequences in acknowledged.items():
            number = len(sequences)
            was_saved = event_id(kill, rater, number) in events
            _send_again(store, kill, rater, number, counts, was_saved=was_saved, after=after)
        return max(one.sequence for one in store.events(after=after))


def _send_again(
    store: RatingStore, kill: int, rater: str, number: int, counts: Counts, *, was_saved: bool, after: int
) -> None:
    name = event_id(kill, rater, number)
    if was_saved:
        counts.under_way_and_saved += 1
    else:
        counts.under_way_and_not_saved += 1
    saved = give(store, kill, rater, number)
    copies = [one for one in store.events(rater, after) if one.event_id == name]
    if saved.is_duplicate != was_saved or len(copies) != 1 or not is_as_given(copies[0], kill, number):
        counts.sent_again_and_not_saved_once += 1


def run(kills: int, seed: int, folder: Path) -> Counts:
    """Kill so many writers of one store."""
    rng = np.random.default_rng(seed)
    path = folder / "ratings.sqlite"
    create_store(path)
    with RatingStore(path) as store:
        for rater in THREADS:
            add_rater(store, rater)
    counts = Counts()
    everything: dict[str, int] = {}
    last = 0
    for kill in range(kills):
        acknowledged = killed_writer(path, kill, float(rng.uniform(0.0, MOST_MS / 1000.0)))
        counts.kills += 1
        counts.killed_before_the_first_acknowledgement += not any(acknowledged.values())
        last = check(path, kill, acknowledged, last, counts)
        for rater, sequences in acknowledged.items():
            everything |= {event_id(kill, rater, i): s for i, s in enumerate(sequences)}
        if (kill + 1) % 100 == 0:
            print(kill + 1, asdict(counts), flush=True)
    with RatingStore(path) as store:
        at_the_end = {one.event_id: one.sequence for one in store.events()}
    counts.lost += sum(at_the_end.get(name) != sequence for name, sequence in everything.items())
    return counts


def main() -> None:
    """Run, print and write; ends with 1 where anything was lost."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--kills", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("-o", "--output", type=Path)
    options = parser.parse_args()
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        counts = run(options.kills, options.seed, Path(folder))
    result = {
        "command": f"python benchmarks/rating_kills.py --kills {options.kills} --seed {options.seed}",
        "sqlite": sqlite3.sqlite_version,
        "journal": "WAL, synchronous=FULL",
        **asdict(counts),
        "wall_sec": round(time.monotonic() - began, 1),
    }
    text = json.dumps(result, indent=2) + "\n"
    if options.output is not None:
        write_bytes(options.output, text.encode())
    print(text, end="")
    if counts.lost or counts.changed or counts.unreadable or counts.sent_again_and_not_saved_once:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
