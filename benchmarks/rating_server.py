"""`tocco serve` with a rating project, for benchmarks: it can be killed and started again."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Self

import tocco
from tocco.apps.rating.pictures import pictures_path, write_pictures
from tocco.apps.web.raters import RATER, cookie_value
from tocco.apps.web.sessions import Sessions, signing_key
from tocco.data.records import LabelRecord
from tocco.labelling.invitations import make_token
from tocco.labelling.project import Project, SegmentFacts, Settings, read_project, write_project
from tocco.labelling.raters import add_rater

MINUET = Path(tocco.__file__).parent / "examples" / "petzold_minuet"
SECONDS = 20.0
DISTINCT = 8


def minuet_project(library: Path, n: int) -> Project:
    """A project of `n` segments of the minuet, of which `DISTINCT` differ in sound, with their pictures."""
    first = LabelRecord(
        segment_id="segment",
        piece_id="minuet",
        source="benchmark",
        audio_path=MINUET / "minuet.flac",
        midi_path=MINUET / "minuet.mid",
        score_path=MINUET / "minuet.musicxml",
        labels={},
    )
    records = {}
    for k in range(n):
        start = 9.0 * (k % DISTINCT)
        name = f"segment_{k}"
        records[name] = first.model_copy(
            update={"segment_id": name, "start_time": start, "end_time": start + SECONDS}
        )
    facts = {name: SegmentFacts() for name in records}
    project = Project(library / "ratings", Settings(anchor_share=0.0), records, facts)
    write_project(project)
    for name in list(records)[:DISTINCT]:
        write_pictures(project, name)
    assert all(pictures_path(project, name).exists() for name in records)
    return project


class RatingServer:
    """A server on a free port of this machine.

    Parameters
    ----------
    library : whose folder `ratings` is a project
    """

    def __init__(self, library: Path) -> None:
        self.library = library
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            self.port = listener.getsockname()[1]
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        """Without a slash at the end."""
        return f"http://localhost:{self.port}"

    def start(self) -> None:
        """Start it, and wait until it answers."""
        command = [sys.executable, "-m", "tocco", "serve", "-o", str(self.library), "--port", str(self.port)]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        while self.process.poll() is None:
            try:
                urllib.request.urlopen(f"{self.address}/static/app.css", timeout=5).close()
            except OSError:
                time.sleep(0.05)
            else:
                return
        raise RuntimeError("tocco serve has ended")

    def kill(self) -> None:
        """SIGKILL: it has no time for anything."""
        assert self.process is not None
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def processor_sec(self) -> float:
        """Time that the server has computed; on Linux, as everything here."""
        assert self.process is not None
        fields = Path(f"/proc/{self.process.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def cookie(self, rater_id: str) -> str:
        """What the browser of a rater holds who used an invitation."""
        project = read_project(self.library / "ratings")
        with project.open_store() as store:
            add_rater(store, rater_id)
            token = make_token(store, project.secret(), rater_id, valid_days=1.0)
        return Sessions(signing_key(self.library), None).sign(RATER, cookie_value(rater_id, token))

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()
