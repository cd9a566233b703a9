"""`tocco label ...`: what its commands do at the terminal."""

from __future__ import annotations

import csv
import io
import json
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

import typer

from tocco.apps.progress import progress_bar
from tocco.data.records import write_labels
from tocco.errors import InputError, OutputError, UsageError
from tocco.files import writable_folder, write_bytes
from tocco.inference.assessment import Assessment, read_assessment
from tocco.labelling import backup as backups
from tocco.labelling.annotation_json import annotation_objects, import_annotations, read_annotations
from tocco.labelling.consensus import expert_labels
from tocco.labelling.events import Role
from tocco.labelling.invitations import JOIN_PATH, make_token
from tocco.labelling.media import clip
from tocco.labelling.prepare import Plan, Prepared
from tocco.labelling.prepare import prepare as make_project
from tocco.labelling.project import Project, Settings, read_project
from tocco.labelling.quality import project_quality
from tocco.labelling.quality_words import concerns, quality_json, quality_markdown
from tocco.labelling.raters import add_rater, revoke_invitations, set_active
from tocco.labelling.raters import raters as all_raters
from tocco.labelling.session import Session

_MOST_VALUES: Final = 12
"""Values of a property that are listed; the rest is a count."""


def prepare(
    source: Path,
    folder: Path,
    plan: Plan,
    settings: Settings,
    *,
    known: Path | None,
    assessments: Path | None,
    render: bool,
) -> None:
    """Make a project, render what has no recording, and print what it holds."""
    assessed = {} if assessments is None else _read_assessments(assessments)
    with progress_bar("reading performances") as advance:
        made = make_project(
            source, folder, plan, settings, known=known, assessments=assessed, progress=advance
        )
    for one in made.refusals:
        typer.echo(f"left out: {one.subject}: {one.reason}", err=True)
    if render:
        _render(made.project)
    for line in _summary(made, plan.n_segments):
        typer.echo(line)


def _read_assessments(folder: Path) -> dict[str, Assessment]:
    found = {}
    for path in sorted(folder.glob("*.json")):
        try:
            found[path.stem] = read_assessment(path)
        except InputError:  # a folder of assessments has other JSON files too
            continue
    if not found:
        raise InputError(folder, "has no assessments", next_step="write them with `tocco assess -o`")
    return found


def _render(project: Project) -> None:
    silent = [name for name, record in project.segments.items() if record.audio_path is None]
    with progress_bar("rendering") as advance:
        for i, name in enumerate(silent):
            clip(project, name)
            advance(i + 1, len(silent))


def _summary(made: Prepared, n_wanted: int) -> Iterable[str]:
    project = made.project
    n = sum(one.role != "anchor" for one in project.facts.values())
    known = f", {made.n_known_calibration} with known ratings" if made.n_known_calibration else ""
    fewer = f", of {n_wanted} that were asked for: the performances have no more" if n < n_wanted else ""
    yield f"{project.folder}: {n} segments to rate{fewer}"
    yield f"  calibration: {made.n_calibration}{known}"
    yield f"  anchors: {made.n_anchors}" + (
        "" if made.n_anchors else " (none: give known ratings with --known)"
    )
    yield f"  left for later rounds: {made.n_pool}"
    for name, counts in made.counts.items():
        shown = ", ".join(f"{value} {count}" for value, count in list(counts.items())[:_MOST_VALUES])
        more = len(counts) - _MOST_VALUES
        yield f"  {name} ({len(counts)}): {shown}" + (f", and {more} more" if more > 0 else "")


def invite(
    folder: Path, rater_id: str, *, name: str, role: Role, url: str, days: float, revoke: bool
) -> None:
    """Add a rater and print their link, alone on standard output."""
    if not url.startswith(("http://", "https://")):
        raise UsageError("--url", f"is {url!r}", allowed="an address with http:// or https://")
    project = read_project(folder)
    with project.open_store() as store:
        add_rater(store, rater_id, name=name, role=role)
        if revoke:
            typer.echo(f"{revoke_invitations(store, rater_id)} earlier links are void", err=True)
        token = make_token(store, project.secret(), rater_id, valid_days=days)
    typer.echo(url.rstrip("/") + JOIN_PATH + token)


def raters(folder: Path, *, deactivate: str | None, activate: str | None) -> None:
    """Change whether raters are active, and list them all."""
    project = read_project(folder)
    with project.open_store() as store:
        for rater_id, is_active in ((deactivate, False), (activate, True)):
            if rater_id is not None:
                set_active(store, rater_id, is_active)
        for one in all_raters(store):
            state = f"{one.rater_id}: {one.role}" + (f", {one.name}" if one.name else "")
            if not one.is_active:
                typer.echo(f"{state}; not active")
                continue
            progress = Session(project, store, one.rater_id).progress()
            typer.echo(f"{state}; {progress.done} of {progress.total} items, {progress.week_done} in 7 days")


def next_(folder: Path, n: int, bundle: Path | None, *, dry_run: bool) -> None:
    """Choose a round, add it unless it is a dry run, and print it."""
    from tocco.inference.bundle import load_bundle
    from tocco.labelling.next_round import add_round, next_round

    project = read_project(folder)
    with project.open_store() as store, progress_bar("measuring") as advance:
        found = next_round(project, store, n, load_bundle(bundle), progress=advance)
        if not dry_run:
            add_round(project, found)
            store.note("admin", "next round", {"round": found.number, "segments": len(found.chosen)})
    done = "would be added" if dry_run else "added"
    typer.echo(
        f"round {found.number}: {len(found.chosen)} segments {done}; {len(found.left)} stay in the pool"
    )
    typer.echo(f"  chosen by {'; '.join(found.parts) or 'nothing but novelty'}; each times novelty")
    if not found.n_rated:
        typer.echo("  the project's own ratings do not count yet: fewer than 20 segments are rated")
    if found.n_without_notes:
        typer.echo(f"  {found.n_without_notes} candidates have no notes and were not considered")
    pieces = _counts(one.piece_id for one in found.chosen)
    typer.echo(f"  pieces ({len(pieces)}): " + ", ".join(f"{k} {v}" for k, v in pieces[:_MOST_VALUES]))


def _counts(values: Iterable[str]) -> list[tuple[str, int]]:
    return Counter(values).most_common()


def report(folder: Path, output: Path) -> None:
    """Write the report on raters, and print whom to talk to."""
    project = read_project(folder)
    writable_folder(output)
    with project.open_store() as store:
        quality = project_quality(project, store)
    write_bytes(output / "raters.md", quality_markdown(quality).encode())
    write_bytes(output / "raters.json", quality_json(quality).encode())
    n = 0
    for one in quality.raters:
        for sentence in concerns(one):
            typer.echo(f"{one.rater} {sentence}")
            n += 1
    if not quality.raters:
        typer.echo("no rating counts yet")
    elif n == 0:
        typer.echo("nothing beyond chance is found that speaks against a rater")
    typer.echo(str(output / "raters.md"))
    typer.echo(str(output / "raters.json"))


def export(folder: Path, output: Path, min_raters: int) -> None:
    """Write labels, ratings and votes."""
    project = read_project(folder)
    writable_folder(output)
    with project.open_store() as store:
        consensus = expert_labels(project, store, min_raters=min_raters)
        objects = annotation_objects(project, store)
        votes = store.votes()
        store.note("admin", "export", {"segments": len(consensus.debiased)})
    write_labels(consensus.debiased, output / "expert_labels.jsonl")
    write_labels(consensus.raw, output / "expert_labels_raw.jsonl")
    rows = [
        (r.segment_id, r.dimension, r.n, r.mean, _cell(r.sd), r.raw_mean, _cell(r.raw_sd))
        for r in consensus.rows
    ]
    header = ("segment_id", "dimension", "n", "mean", "sd", "raw_mean", "raw_sd")
    _write_csv(output / "expert_labels.csv", header, rows)
    write_bytes(
        output / "annotations.json", (json.dumps(objects, indent=1, ensure_ascii=False) + "\n").encode()
    )
    pairs = [(v.rater_id, v.segment_a, v.segment_b, v.dimension, v.outcome) for v in votes]
    _write_csv(output / "votes.csv", ("rater", "a", "b", "dimension", "better"), pairs)
    typer.echo(
        f"{len(consensus.debiased)} segments with labels, {consensus.n_without} without; "
        f"{len(objects)} rated presentations, {len(votes)} votes"
    )
    for name in ("expert_labels.jsonl", "expert_labels_raw.jsonl", "expert_labels.csv", "annotations.json"):
        typer.echo(str(output / name))
    typer.echo(str(output / "votes.csv"))


def _cell(value: float | None) -> object:
    return "" if value is None else value


def _write_csv(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    write_bytes(path, text.getvalue().encode())


def import_(folder: Path, files: Sequence[Path], rater_id: str | None) -> None:
    """Read every file, then import them all."""
    project = read_project(folder)
    read = {path: read_annotations(path) for path in files}
    with project.open_store() as store:
        for path, given in read.items():
            done = import_annotations(project, store, given, rater_id=rater_id, source=path.name)
            typer.echo(
                f"{path}: {done.segments} segments, {done.ratings} new ratings, {done.comments} new "
                f"comments, {done.known} known before"
            )


def backup(folder: Path, output: Path) -> None:
    """Copy the store."""
    project = read_project(folder)
    if output.is_dir():
        output = output / time.strftime("ratings-%Y%m%dT%H%M%S.sqlite", time.gmtime())
    if output.exists():
        raise OutputError(output, "is there already", next_step="choose another name")
    with project.open_store() as store:
        n = backups.backup(store, output)
    typer.echo(f"{output}: {n} events")


def restore(folder: Path, copy: Path) -> None:
    """Put a backup in the place of the store."""
    project = read_project(folder)
    former = backups.restore(copy, project.store_path)
    n = backups.check_store(project.store_path)
    typer.echo(f"{project.store_path}: {n} events")
    if former is not None:
        typer.echo(f"what was there before: {former}")
