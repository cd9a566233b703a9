"""Raters for locust: each asks for what a browser asks for, and sends what it sends.

Started by `rating_load.py`, which says in the environment where the cookies are and where acknowledgements
go.
"""

from __future__ import annotations

import json
import os
import random
import time
import uuid
from pathlib import Path
from typing import Any

from locust import HttpUser, between, events, task

COOKIES = iter(json.loads(Path(os.environ["RATING_LOAD_COOKIES"]).read_text(encoding="utf-8")))
ACKNOWLEDGED = Path(os.environ["RATING_LOAD_ACKNOWLEDGED"])
LISTENING_SEC = 2.0


class Rater(HttpUser):
    """One person: a take, its score and sound, ten sliders, a comment now and then, the next take."""

    wait_time = between(0.5, 2.0)

    def on_start(self) -> None:
        """Come in, and learn what is rated."""
        cookie = next(COOKIES)
        self.random = random.Random(cookie)
        self.client.headers.update({"cookie": f"tocco_rater={cookie}", "origin": self.host or ""})
        self.acknowledged = (ACKNOWLEDGED / f"{uuid.uuid4().hex}.txt").open("w", encoding="utf-8")
        session = self.get("/api/rate/session", "session")
        self.dimensions = [one["name"] for one in session["dimensions"]]
        self.n_items = len(session["items"])
        self.position = -1
        self.heard_sec = 0.0
        self.left: list[str] = []
        self.next_take()

    def on_stop(self) -> None:
        """Write what was acknowledged."""
        self.acknowledged.close()

    def next_take(self) -> None:
        """Ask for everything that is shown of a take."""
        self.position = (self.position + 1) % self.n_items
        self.duration = self.get(f"/api/rate/items/{self.position}", "item")["duration_sec"]
        self.get(f"/api/rate/items/{self.position}/score", "score")
        self.client.get(f"/api/rate/items/{self.position}/sound", name="sound")
        self.left = list(self.dimensions)
        self.since = time.monotonic()
        self.heard_sec = 0.0

    @task
    def rate(self) -> None:
        """Release one slider, and say what was heard meanwhile."""
        self.listen()
        if not self.left:
            if self.random.random() < 0.2:
                self.save("comment", comment="held too long in the second line")
            self.next_take()
            return
        value = float(self.random.randint(0, 100))
        self.save("rating", dimension=self.left.pop(), value=value, uncertain=self.random.random() < 0.1)
        if self.random.random() < 0.05:
            self.save("undo")

    def listen(self) -> None:
        """As often as the page does while it plays."""
        now = time.monotonic() - self.since
        while self.heard_sec + LISTENING_SEC < min(now, self.duration):
            span = [self.heard_sec, self.heard_sec + LISTENING_SEC]
            self.heard_sec += LISTENING_SEC
            given = {"position_sec": span[1], "heard": [span], "client_time_sec": time.time()}
            self.send({"kind": "listening", "position": self.position, "given": given}, "listening")

    def save(self, kind: str, **given: Any) -> None:
        """Send an event, and note its id once it is acknowledged."""
        event_id = uuid.uuid4().hex
        full = {"event_id": event_id, "client_time_sec": time.time(), **given}
        answer = self.send({"kind": kind, "position": self.position, "given": full}, kind)
        if answer is not None:
            self.acknowledged.write(event_id + "\n")
            self.acknowledged.flush()

    def send(self, sent: dict[str, Any], name: str) -> Any:
        """Post an event."""
        answer = self.client.post("/api/rate/events", json=sent, name=name)
        return answer.json() if answer.status_code == 200 else None

    def get(self, path: str, name: str) -> Any:
        """Ask for JSON."""
        return self.client.get(path, name=name).json()


@events.quitting.add_listener
def _codes(environment: Any, **_: Any) -> None:
    environment.process_exit_code = 0  # errors are counted, and judged by whoever started this
