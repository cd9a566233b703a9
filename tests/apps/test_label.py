"""`tocco label`: a project from its making to its labels, at the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from labelling_example import complete, write_scale
from tocco.apps.cli.main import app
from tocco.data.records import read_labels
from tocco.errors import InputError, OutputError, ToccoError, UsageError
from tocco.labelling.invitations import JOIN_PATH, rater_of_token
from tocco.labelling.project import read_project
from tocco.labelling.session import Session


def label(*arguments: str | Path) -> str:
    """What a command prints; its error is raised."""
    done = CliRunner().invoke(app, ["label", *map(str, arguments)])
    if isinstance(done.exception, ToccoError):
        raise done.exception
    assert done.exit_code == 0, done.output
    return done.stdout


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    music = tmp_path / "music"
    music.mkdir()
    for name in ("Bach_scale", "Chopin_waltz_take1", "Chopin_waltz_take2"):
        write_scale(music / f"{name}.mid", 80.0)
    project = tmp_path / "project"
    said = label(
        "prepare",
        music,
        "-o",
        project,
        "--count",
        "6",
        "--calibration",
        "1",
        "--no-render",
        "--title",
        "Trio",
    )
    assert "6 segments to rate\n" in said
    assert "composer (2): " in said
    assert "left for later rounds: 3" in said
    return project


def test_fewer_segments_than_were_asked_for_are_said(folder: Path) -> None:
    said = label(
        "prepare", folder.parent / "music", "-o", folder.parent / "all", "--count", "40", "--no-render"
    )
    assert "9 segments to rate, of 40 that were asked for: the performances have no more\n" in said


def test_a_project_from_its_making_to_its_labels(folder: Path, tmp_path: Path) -> None:
    link = label("invite", folder, "ann", "--name", "Ann", "--url", "https://rate.example/")
    assert link.startswith(f"https://rate.example{JOIN_PATH}")
    assert link.count("\n") == 1
    project = read_project(folder)
    with project.open_store() as store:
        token = link.strip().rsplit("/", 1)[1]
        assert rater_of_token(store, project.secret(), token).name == "Ann"
        complete(Session(project, store, "ann"), 0, 60.0)
    assert "ann: rater, Ann; 0 of 7 items" in label("raters", folder)
    with project.open_store() as store:
        from tocco.labelling.events import ListeningGiven

        whole = ListeningGiven(position_sec=0.0, heard=[(0.0, 99.0)], client_time_sec=0.0)
        Session(project, store, "ann").listen(0, whole)
    assert "ann: rater, Ann; 1 of 7 items, 1 in 7 days" in label("raters", folder)
    said = label("export", folder, "-o", tmp_path / "out")
    assert "1 segments with labels, 5 without" in said
    (record,) = read_labels(tmp_path / "out" / "expert_labels.jsonl", must_exist=True)
    assert set(record.labels.values()) == {60.0}
    rows = (tmp_path / "out" / "expert_labels.csv").read_text().splitlines()
    assert rows[0] == "segment_id,dimension,n,mean,sd,raw_mean,raw_sd"
    assert rows[1].endswith(",note_accuracy,1,60.0,,60.0,")
    assert json.loads((tmp_path / "out" / "annotations.json").read_text())[0]["rater"] == "ann"
    assert (tmp_path / "out" / "votes.csv").read_text() == "rater,a,b,dimension,better\n"
    said = label("report", folder, "-o", tmp_path / "report")
    assert said.startswith("nothing beyond chance")
    assert "# Raters of Trio" in (tmp_path / "report" / "raters.md").read_text()
    content = json.loads((tmp_path / "report" / "raters.json").read_text())
    assert (content["n_rated"], content["n_segments"]) == (1, 6)
    with read_project(folder).open_store() as store:
        assert {"export", "invite", "sign in"} <= {one.action for one in store.audit()}


def test_ratings_are_imported_backed_up_and_restored(folder: Path, tmp_path: Path) -> None:
    segments = list(read_project(folder).segments)
    path = tmp_path / "mine.json"
    path.write_text(json.dumps([{"segment_id": name, "labels": {"phrasing": 50}} for name in segments]))
    assert "6 segments, 6 new ratings, 0 new comments, 0 known before" in label(
        "import", folder, path, "--rater", "me"
    )
    assert "0 new ratings, 0 new comments, 6 known" in label("import", folder, path, "--rater", "me")
    assert label("backup", folder, "-o", tmp_path / "copy.sqlite").endswith("copy.sqlite: 6 events\n")
    with pytest.raises(OutputError, match="is there already"):
        label("backup", folder, "-o", tmp_path / "copy.sqlite")
    read_project(folder).store_path.unlink()
    assert "ratings.sqlite: 6 events" in label("restore", folder, tmp_path / "copy.sqlite")
    with read_project(folder).open_store() as store:
        assert len(store.ratings("me")) == 6


def test_a_round_is_shown_and_then_added(folder: Path) -> None:
    said = label("next", folder, "--count", "2", "--dry-run")
    assert said.startswith("round 2: 2 segments would be added; 1 stay in the pool")
    assert "disagreement of the bundle's members" in said
    assert len(read_project(folder).segments) == 6
    assert label("next", folder, "--count", "2").startswith("round 2: 2 segments added")
    assert len(read_project(folder).segments) == 8


def test_links_are_revoked_and_raters_shut_out(folder: Path) -> None:
    first = label("invite", folder, "ann").strip().rsplit("/", 1)[1]
    second = label("invite", folder, "ann", "--revoke").strip().rsplit("/", 1)[1]
    project = read_project(folder)
    with project.open_store() as store:
        with pytest.raises(InputError, match="was revoked"):
            rater_of_token(store, project.secret(), first)
        assert rater_of_token(store, project.secret(), second).rater_id == "ann"
    assert label("raters", folder, "--deactivate", "ann") == "ann: rater; not active\n"
    assert "ann: rater; 0 of 7" in label("raters", folder, "--activate", "ann")


@pytest.mark.parametrize(
    ("arguments", "error", "problem"),
    [
        (["raters", "{tmp}/nothing"], InputError, "is no labelling project"),
        (["invite", "{project}", "ann", "--url", "rate.example"], UsageError, "http://"),
        (["raters", "{project}", "--activate", "eve"], InputError, "has no rater 'eve'"),
        (["export", "{project}", "-o", "{tmp}/out"], InputError, "no segment with 1 or more ratings"),
        (["restore", "{project}", "{project}/project.json"], InputError, "is no store of ratings"),
        (["prepare", "{tmp}/music", "-o", "{project}"], OutputError, "is a labelling project already"),
        (["prepare", "{tmp}/music", "-o", "{tmp}/p", "--dimension", "phrasng"], UsageError, "'phrasing'"),
        (["prepare", "{tmp}/music", "-o", "{tmp}/p", "--count", "5"], UsageError, "at most --count, 5"),
        (["prepare", "{tmp}/none", "-o", "{tmp}/p"], InputError, "none"),
    ],
)
def test_errors_are_one_line(
    folder: Path, tmp_path: Path, arguments: list[str], error: type[ToccoError], problem: str
) -> None:
    given = [one.format(tmp=tmp_path, project=folder) for one in arguments]
    with pytest.raises(error, match=problem) as caught:
        label(*given)
    assert "\n" not in str(caught.value)


def test_a_report_without_ratings_says_so(folder: Path, tmp_path: Path) -> None:
    assert label("report", folder, "-o", tmp_path / "report").startswith("no rating counts yet")
    assert "No rating counts yet." in (tmp_path / "report" / "raters.md").read_text()
