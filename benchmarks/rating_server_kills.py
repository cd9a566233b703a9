"""Whether ratings survive a server that is killed while people rate.

    python benchmarks/rating_server_kills.py --kills 20 -o results/labelling/server_kills.json

Raters send events one after another, as the page does: each is sent again until it is answered, with the
same id. The server gets SIGKILL at random times and is started again. In the end every event that was
acknowledged has to be in the store as it was given, once, and every event at all, since each was sent until
it was acknowledged.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import threading
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from rating_server import RatingServer, minuet_project

from tocco.files import write_bytes
from tocco.labelling.backup import check_store
from tocco.rubrics import DIMENSIONS

MOST_SEC = 3.0
"""Latest kill after a start."""


@dataclass
class Counts:
    """What was found."""

    kills: int = 0
    sent_again: int = 0
    acknowledged: int = 0
    lost: int = 0
    changed: int = 0
    saved_more_than_once: int = 0
    refused: int = 0


class Rater(threading.Thread):
    """Sends ratings until it is asked to stop; `acknowledged` has the value of each id."""

    def __init__(self, server: RatingServer, name: str, cookie: str, seed: int) -> None:
        super().__init__(name=name)
        self.server = server
        self.headers = {"cookie": f"tocco_rater={cookie}", "origin": server.address}
        self.rng = np.random.default_rng(seed)
        self.acknowledged: dict[str, float] = {}
        self.sent_again = self.refused = 0
        self.ends = threading.Event()

    def run(self) -> None:
        """One event after another."""
        with httpx.Client(base_url=self.server.address, headers=self.headers, timeout=20.0) as client:
            while not self.ends.is_set():
                self._rate(client)
                time.sleep(float(self.rng.uniform(0.0, 0.05)))

    def _rate(self, client: httpx.Client) -> None:
        event_id, value = f"{self.name}-{len(self.acknowledged):07d}", float(self.rng.integers(0, 101))
        given = {
            "event_id": event_id,
            "client_time_sec": 0.0,
            "dimension": str(self.rng.choice(DIMENSIONS)),
            "value": value,
        }
        sent = {"kind": "rating", "position": int(self.rng.integers(0, 20)), "given": given}
        while not self.ends.is_set():
            try:
                answer = client.post("/api/rate/events", json=sent)
            except httpx.TransportError:
                self.sent_again += 1
                time.sleep(0.1)
                continue
            if answer.status_code == 200:
                self.acknowledged[event_id] = value
            else:
                self.refused += 1
                self.acknowledged.setdefault(f"refused-{event_id}", value)
            return


def main() -> None:
    """Kill, restart, compare, write the figures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--raters", type=int, default=8)
    parser.add_argument("--seed", type=int, default=20261122)
    parser.add_argument("-o", "--output", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        counts = run(Path(folder), options.kills, options.raters, options.seed)
    load = [round(one, 1) for one in os.getloadavg()]
    result: dict[str, Any] = {"raters": options.raters, "load_average": load, **asdict(counts)}
    text = json.dumps(result, indent=2) + "\n"
    if options.output is not None:
        write_bytes(options.output, text.encode())
    sys.stdout.write(text)


def run(folder: Path, n_kills: int, n_raters: int, seed: int) -> Counts:
    """What is found after so many kills."""
    rng = np.random.default_rng(seed)
    project = minuet_project(folder, 20)
    server = RatingServer(folder)
    server.start()
    raters = [Rater(server, f"rater{k}", server.cookie(f"rater{k}"), seed + k) for k in range(n_raters)]
    for one in raters:
        one.start()
    for _ in range(n_kills):
        time.sleep(float(rng.uniform(0.2, MOST_SEC)))
        server.kill()
        server.start()
    time.sleep(1.0)
    for one in raters:
        one.ends.set()
    for one in raters:
        one.join()
    server.kill()
    check_store(project.store_path)
    with project.open_store() as store:
        events = store.events()
    stored = {one.event_id: one.value for one in events}
    given = {k: v for one in raters for k, v in one.acknowledged.items() if not k.startswith("refused-")}
    return Counts(
        kills=n_kills,
        sent_again=sum(one.sent_again for one in raters),
        acknowledged=len(given),
        lost=len(set(given) - set(stored)),
        changed=sum(stored.get(one, value) != value for one, value in given.items()),
        saved_more_than_once=len(events) - len(stored),
        refused=sum(one.refused for one in raters),
    )


if __name__ == "__main__":
    main()
