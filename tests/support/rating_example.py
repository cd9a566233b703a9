"""A small rating project: short segments of the bundled minuet, whose pictures are drawn once for tests."""

from __future__ import annotations

import re
import shutil
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from fastapi.testclient import TestClient

import tocco
from tocco.apps.rating.pictures import write_pictures
from tocco.data.records import LabelRecord
from tocco.labelling.project import Project, SegmentFacts, Settings, write_project
from tocco.rubrics import DIMENSIONS

MINUET: Final = Path(tocco.__file__).parent / "examples" / "petzold_minuet"
SECONDS: Final = 2.0
"""Of each segment."""

OWNER: Final = {"accept": "text/html"}


def short_project(folder: Path, *, n: int = 3, n_calibration: int = 0, **settings: Any) -> Project:
    """Write a project of `n` segments, the first of them for calibration."""
    records, facts = {}, {}
    for k in range(n):
        record = LabelRecord(
            segment_id=f"secret_segment_{k}",
            piece_id="secret_piece",
            performer_id="secret_pianist",
            source="test",
            audio_path=MINUET / "minuet.flac",
            midi_path=MINUET / "minuet.mid",
            score_path=MINUET / "minuet.musicxml",
            start_time=SECONDS * k,
            end_time=SECONDS * (k + 1),
            labels={},
        )
        records[record.segment_id] = record
        is_calibration = k < n_calibration
        known = {"phrasing": 60.0} if is_calibration else {}
        facts[record.segment_id] = SegmentFacts(
            role="calibration" if is_calibration else "rated", known=known
        )
    usual = {"repeat_share": 0.0, "anchor_share": 0.0, "n_pairs": 2, "title": "Test of ratings"}
    project = Project(folder, Settings(**{**usual, **settings}), records, facts)
    write_project(project)
    return project


def drawn_folder(folder: Path) -> Path:
    """A folder with the pictures and the sound of the segments of `short_project`; copied by `project_in`."""
    project = short_project(folder)
    for segment_id in project.segments:
        write_pictures(project, segment_id)
    return folder


def project_in(library: Path, drawn: Path, **how: Any) -> Project:
    """A project in a library of `tocco serve`, with its pictures."""
    folder = library / "ratings"
    for name in ("pictures", "clips"):
        shutil.copytree(drawn / name, folder / name)
    return short_project(folder, **how)


def invite(client: TestClient, rater_id: str) -> str:
    """The token of a link that the owner makes."""
    found = client.post("/raters/invite", data={"rater_id": rater_id}, headers=OWNER)
    assert found.status_code == 200, found.text
    link = re.search(r'value="[^"]*/join/([^"]+)"', found.text)
    assert link, found.text
    return link[1]


def join(client: TestClient, token: str) -> dict[str, str]:
    """Come in by a link; the headers of the rater, whose cookie the client itself does not hold."""
    found = client.post("/join", data={"token": token}, headers=OWNER)
    assert found.status_code == 303, found.text
    value = found.cookies["tocco_rater"]
    client.cookies.delete("tocco_rater")
    return {"cookie": f"tocco_rater={value}"}


def event(kind: str, place: int, **given: Any) -> dict[str, Any]:
    """An event as the page sends it; `place` is a position, or the number of a pair."""
    name = "number" if "vote" in kind else "position"
    ids = {} if kind == "listening" else {"event_id": uuid.uuid4().hex}
    return {"kind": kind, name: place, "given": {"client_time_sec": 1.0, **ids, **given}}


def rate_all(client: TestClient, headers: dict[str, str], position: int, value: float) -> None:
    """Rate every dimension of an item, and hear all of it."""
    for dimension in DIMENSIONS:
        sent = event("rating", position, dimension=dimension, value=value)
        assert client.post("/api/rate/events", json=sent, headers=headers).status_code == 200
    heard = event("listening", position, heard=[[0.0, SECONDS]], position_sec=SECONDS)
    assert client.post("/api/rate/events", json=heard, headers=headers).status_code == 200


@dataclass(frozen=True)
class Two:
    """Two raters of one server."""

    client: TestClient
    anna: dict[str, str]
    bert: dict[str, str]
