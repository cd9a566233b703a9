"""Import of PercePiano: 19 perceptual descriptors, each excerpt rated by 3 to 17 people.

J. Park et al., "Piano performance evaluation dataset with multilevel perceptual features",
Scientific Reports 14, 23002 (2024), doi:10.1038/s41598-024-73810-0.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tocco.audio.rendering import FluidSynthRenderer, write_flac
from tocco.data.corpora.corpus import checksums, copy_file
from tocco.data.corpora.percepiano_tables import (
    Votes,
    axis_columns,
    by_segment,
    composite_sd,
    number,
    rater_votes,
)
from tocco.data.records import LabelRecord, write_labels
from tocco.errors import InputError, OutputError
from tocco.files import replacing, sha256_of, write_bytes
from tocco.music.midi import load_midi
from tocco.rubrics import dimensions_from_descriptors

SOURCE = "PercePiano"
FOLDS: tuple[str, ...] = ("cv4_cluster", "cv4_performer")
"""The two protocols without leaks: new music, and a new pianist."""

PUBLISHED_FOLDS = "published_folds.csv"
"""Parts of the published splits, "performer" as published and "passage" by its procedure run again; written
where the pack has them, to compare with published figures."""

_PUBLISHED_COLUMNS = {"performer": "official_performer4fold", "passage": "composition4fold_procedure_rerun"}

_ID_COLUMNS = (
    *("work", "piece", "bars", "seg", "passage", "cluster", "performer", "n_raters"),
    *("is_score", "score_label_ambiguous", "identical_midi_with"),
)
_TABLES = (
    "dimensions.csv",
    "folds.csv",
    "labels.csv",
    "labels_dedup.csv",
    "ratings_wide.csv",
    "ratings_long.csv.gz",
    "LICENSE_PercePiano_MIT.txt",
)
_DEBIASED_TABLE = "labels_rater_debiased.csv"
_FOLDERS = ("midi", "score_midi", "score_xml")

LabelsKind = Literal["raw", "debiased"]

Render = Callable[[Path, Path], object]
"""Renders a MIDI file to an audio file: `render(midi_path, flac_path)`."""


@dataclass(frozen=True)
class ImportReport:
    """Result of an import.

    Attributes
    ----------
    labels_path
        The JSONL with one record per segment.
    n_records, n_human
        All segments, and those played by a person.
    n_rendered, n_present : audio files rendered now, and those that existed before
    skipped
        What was not imported, and why.
    """

    labels_path: Path
    n_records: int
    n_human: int
    n_rendered: int
    n_present: int
    skipped: tuple[str, ...]

    def lines(self) -> tuple[str, ...]:
        """What was written, and what was left out and why; one line each."""
        return (
            f"{self.labels_path}: {self.n_records} excerpts, {self.n_human} of them by pianists; "
            f"{self.n_rendered} rendered, {self.n_present} present before",
            *(f"left out: {reason}" for reason in self.skipped),
        )


@dataclass(frozen=True)
class _Pack:
    """The tables of the source, validated."""

    folder: Path
    columns: tuple[str, ...]  # the 19 descriptors in the spelling of the source, in the order of DESCRIPTORS
    labels: Mapping[str, Mapping[str, str]]
    dedup: Mapping[str, Mapping[str, str]]
    folds: Mapping[str, Mapping[str, str]]
    votes: Votes
    composite_sd: Mapping[str, dict[str, float]]
    n_invalid_ratings: int
    debiased: Mapping[str, Mapping[str, str]] | None  # only on request


def import_percepiano(
    source: Path,
    target: Path,
    *,
    render: Render | None,
    labels: LabelsKind = "raw",
    on_progress: Callable[[int, int], None] | None = None,
) -> ImportReport:
    """Import PercePiano into the shared label schema.

    Writes `labels.jsonl`, `ratings.jsonl` (of each rater), `midi/`, `score/`, `audio/` (if rendered), the
    single answers as in the source, the published splits and a `DATASET.md`. The same
    source gives the same bytes; an interrupted import is continued.

    Parameters
    ----------
    source
        Folder of the pack.
    target
        Output folder; not inside the source.
    render
        Renders a MIDI file to a FLAC file. None leaves the records without audio.
    labels : "raw" | "debiased"
        "raw" are the official means. "debiased" also writes `labels_debiased.jsonl`: means with equal
        weight per rater, from which each rater's leniency is subtracted. They have no `label_sd`.
    on_progress
        Called after each rendering with the number done and the total.

    Raises
    ------
    InputError
        A part of the source is missing or its tables contradict each other.
    OutputError
        The target cannot be written, or has other raw ratings.
    """
    if target.resolve().is_relative_to(source.resolve()):
        raise OutputError(target, "lies inside the source", next_step="choose a folder outside of it")
    pack = _read_pack(source, labels)
    plan = _copies(pack, target)
    records = [
        _record(pack, segment, target, with_audio=render is not None) for segment in sorted(pack.labels)
    ]
    for original, copy in plan:
        copy_file(original, copy)
    n_rendered = _render_all(records, render, on_progress) if render is not None else 0
    skipped = _left_out(pack)
    write_bytes(target / "checksums.sha256", checksums(target, [copy for _, copy in plan]).encode())
    write_bytes(target / "DATASET.md", _card(pack, records, skipped).encode())
    write_labels(_by_rater(pack, records), target / "ratings.jsonl")
    if all(set(_PUBLISHED_COLUMNS.values()) <= set(row) for row in pack.folds.values()):
        write_bytes(target / PUBLISHED_FOLDS, _published_folds(pack).encode())
    labels_path = target / "labels.jsonl"
    write_labels(records, labels_path)
    if pack.debiased is not None:
        labels_path = target / "labels_debiased.jsonl"
        write_labels(_without_leniency(pack, records), labels_path)
    return ImportReport(
        labels_path=labels_path,
        n_records=len(records),
        n_human=sum(not record.is_score_rendering for record in records),
        n_rendered=n_rendered,
        n_present=len(records) - n_rendered if render is not None else 0,
        skipped=skipped,
    )


def import_rendered(
    source: Path,
    target: Path,
    *,
    render: bool = True,
    soundfont: Path | None = None,
    labels: LabelsKind = "raw",
    on_progress: Callable[[int, int], None] | None = None,
) -> ImportReport:
    """Import PercePiano with audio rendered by FluidSynth.

    Parameters
    ----------
    source, target, labels, on_progress : as of `import_percepiano`
    render : whether to render audio
    soundfont : the installed one if not given

    Raises
    ------
    MissingPartError
        FluidSynth or a soundfont is not installed.
    """
    if not render:
        return import_percepiano(source, target, render=None, labels=labels)
    with FluidSynthRenderer(soundfont) as renderer:
        return import_percepiano(
            source,
            target,
            render=lambda midi, audio: write_flac(audio, renderer.render(load_midi(midi))),
            labels=labels,
            on_progress=on_progress,
        )


def _read_pack(source: Path, labels_kind: LabelsKind) -> _Pack:
    for name in _TABLES:
        if not (source / name).is_file():
            raise InputError(
                source / name, "is missing from the PercePiano pack", next_step="fetch the whole pack"
            )
    columns = axis_columns(source / "dimensions.csv")
    means = [f"{column}__mean" for column in columns]
    labels = by_segment(source / "labels.csv", [*_ID_COLUMNS, *means])
    dedup = by_segment(source / "labels_dedup.csv", ["n_raters", *(f"{c}__sd_raters" for c in columns)])
    folds = by_segment(source / "folds.csv", FOLDS)
    for name, table in (("labels_dedup.csv", dedup), ("folds.csv", folds)):
        odd = sorted(set(table) ^ set(labels))
        if odd:
            raise InputError(source / name, f"and labels.csv differ in segment {odd[0]!r}")
    votes, n_invalid = rater_votes(source / "ratings_wide.csv", columns)
    debiased = _debiased(source, columns, labels) if labels_kind == "debiased" else None
    return _Pack(source, columns, labels, dedup, folds, votes, composite_sd(votes), n_invalid, debiased)


def _debiased(
    source: Path, columns: Sequence[str], labels: Mapping[str, Mapping[str, str]]
) -> dict[str, dict[str, str]]:
    """Debiased means of every segment."""
    path = source / _DEBIASED_TABLE
    if not path.is_file():
        raise InputError(path, "is missing from the PercePiano pack", next_step="import the raw labels")
    table = by_segment(path, [f"{column}__mean" for column in columns])
    odd = sorted(set(table) ^ set(labels))
    if odd:
        raise InputError(path, f"and labels.csv differ in segment {odd[0]!r}")
    return table


def _record(pack: _Pack, segment: str, target: Path, *, with_audio: bool) -> LabelRecord:
    row, dedup, folds = pack.labels[segment], pack.dedup[segment], pack.folds[segment]
    labels_csv, dedup_csv = pack.folder / "labels.csv", pack.folder / "labels_dedup.csv"
    means = {c.lower(): 100.0 * number(labels_csv, row, f"{c}__mean", 0.0, 1.0) for c in pack.columns}
    spread = {c.lower(): 100.0 * number(dedup_csv, dedup, f"{c}__sd_raters", 0.0, 1.0) for c in pack.columns}
    labels = means | dimensions_from_descriptors(means)
    n_raters = int(number(dedup_csv, dedup, "n_raters", 1, 1_000))
    if row["n_raters"] != dedup["n_raters"]:
        raise InputError(dedup_csv, f"and labels.csv differ in n_raters of {segment!r}")
    return LabelRecord(
        segment_id=segment,
        piece_id=row["piece"],
        performer_id=row["performer"],
        source=SOURCE,
        audio_path=(target / "audio" / f"{segment}.flac").absolute() if with_audio else None,
        midi_path=(target / "midi" / f"{segment}.mid").absolute(),
        score_path=(target / "score" / f"{_score_name(row)}.mid").absolute(),
        labels={name: round(value, 4) for name, value in labels.items()},
        label_sd={
            name: round(value, 4) for name, value in (spread | pack.composite_sd.get(segment, {})).items()
        },
        n_raters=n_raters,
        work_id=row["work"],
        passage_id=row["passage"],
        cluster_id=row["cluster"],
        is_score_rendering=number(labels_csv, row, "is_score", 0, 1) == 1,
        folds={name: int(number(pack.folder / "folds.csv", folds, name, -1, 99)) for name in FOLDS},
    )


def _by_rater(pack: _Pack, records: Sequence[LabelRecord]) -> list[LabelRecord]:
    """One record per rater and segment, with an id of its own."""
    record_of = {record.segment_id: record for record in records}
    unknown = next((segment for segment, _ in pack.votes if segment not in record_of), None)
    if unknown is not None:
        raise InputError(pack.folder / "ratings_wide.csv", f"rates {unknown!r}, which labels.csv has not")
    return [
        _relabelled(
            record_of[segment],
            votes,
            segment_id=f"{segment}__rater{rater}",
            source=f"{SOURCE} rater {rater}",
            n_raters=1,
        )
        for (segment, rater), votes in pack.votes.items()
    ]


def _published_folds(pack: _Pack) -> str:
    """The part of each segment: 0 to 3, "test", and "train_only"."""
    rows = [["segment_id", *_PUBLISHED_COLUMNS]]
    rows += [[s, *(pack.folds[s][c] for c in _PUBLISHED_COLUMNS.values())] for s in sorted(pack.labels)]
    return "".join(f"{','.join(row)}\n" for row in rows)


def _without_leniency(pack: _Pack, records: Sequence[LabelRecord]) -> list[LabelRecord]:
    relabelled = []
    for record in records:
        row = (pack.debiased or {})[record.segment_id]
        path = pack.folder / _DEBIASED_TABLE
        axes = {c.lower(): 100.0 * number(path, row, f"{c}__mean", 0.0, 1.0) for c in pack.columns}
        points = axes | dimensions_from_descriptors(axes)
        relabelled.append(_relabelled(record, points, source=f"{SOURCE}, rater-debiased"))
    return relabelled


def _relabelled(record: LabelRecord, points: Mapping[str, float], **changed: object) -> LabelRecord:
    """The same segment with other ratings, without standard deviations."""
    fields = {name: getattr(record, name) for name in LabelRecord.model_fields} | changed
    labels = {name: round(value, 4) for name, value in points.items()}
    return LabelRecord.model_validate(fields | {"labels": labels, "label_sd": {}})


def _score_name(row: Mapping[str, str]) -> str:
    return f"{row['piece']}_{row['bars']}bars_Score_{row['seg']}"


def _copies(pack: _Pack, target: Path) -> list[tuple[Path, Path]]:
    """Every file to copy with its target; each segment's MIDI and score must exist."""
    scores = sorted({_score_name(row) for row in pack.labels.values()})
    plan = [
        *((pack.folder / "midi" / f"{s}.mid", target / "midi" / f"{s}.mid") for s in sorted(pack.labels)),
        *((pack.folder / "score_midi" / f"{s}.mid", target / "score" / f"{s}.mid") for s in scores),
        *((pack.folder / "score_xml" / f"{s}.musicxml", target / "score" / f"{s}.musicxml") for s in scores),
    ]
    for original, _ in plan:
        if not original.is_file() or original.stat().st_size == 0:
            raise InputError(original, "is missing or empty", next_step="fetch the whole pack")
    ratings = target / "ratings_long.csv.gz"
    if ratings.exists() and sha256_of(ratings) != sha256_of(pack.folder / ratings.name):
        raise OutputError(
            ratings, "has other ratings, which are never overwritten", next_step="choose a new folder"
        )
    licence = "LICENSE_PercePiano_MIT.txt"
    return [*plan, (pack.folder / ratings.name, ratings), (pack.folder / licence, target / licence)]


def _render_all(
    records: Sequence[LabelRecord], render: Render, on_progress: Callable[[int, int], None] | None
) -> int:
    """Render missing audio files, atomically."""
    n_rendered = 0
    for done, record in enumerate(records, start=1):
        if record.midi_path is None or record.audio_path is None:
            raise InputError(record.segment_id, "has no MIDI to render")
        if not record.audio_path.is_file():
            with replacing(record.audio_path) as temporary:
                render(record.midi_path, temporary)
                _check_audio(record.midi_path, temporary)
            n_rendered += 1
        if on_progress is not None:
            on_progress(done, len(records))
    return n_rendered


def _check_audio(midi: Path, audio: Path) -> None:
    import soundfile

    try:
        n_samples = soundfile.info(audio).frames
    except soundfile.LibsndfileError as error:
        raise InputError(
            midi, "was rendered to an invalid audio file", next_step="check the soundfont with `tocco doctor`"
        ) from error
    if n_samples == 0:
        raise InputError(midi, "was rendered to an empty audio file")


def _left_out(pack: _Pack) -> tuple[str, ...]:
    ambiguous = sum(row["score_label_ambiguous"] == "1" for row in pack.labels.values())
    twins = sum(bool(row["identical_midi_with"]) for row in pack.labels.values())
    debiased = (
        f"{_DEBIASED_TABLE}: not requested (--labels debiased)"
        if pack.debiased is None
        else f"nothing of {_DEBIASED_TABLE}: its means are labels_debiased.jsonl"
    )
    return (
        f"{pack.n_invalid_ratings} rating events with an answer outside 1 to 7 (the official script drops "
        "the whole row too); they stay in ratings_long.csv.gz",
        "folds other than cv4_cluster and cv4_performer: they put overlapping excerpts on both sides, "
        "or serve only to compare with published figures; the published splits are in "
        f"{PUBLISHED_FOLDS} where the pack has them",
        debiased,
        f"no segments: {ambiguous} score renderings with conflicting label versions and {twins} "
        "segments with the MIDI of another id are included, the latter in one cluster",
    )


def _folder_sha256(folder: Path) -> tuple[int, str]:
    files = sorted(path for path in folder.iterdir() if path.is_file())
    listing = "".join(f"{sha256_of(path)}  {path.name}\n" for path in files)
    return len(files), hashlib.sha256(listing.encode()).hexdigest()


def _card(pack: _Pack, records: Sequence[LabelRecord], skipped: Iterable[str]) -> str:
    n_human = sum(not record.is_score_rendering for record in records)
    tables = [f"| `{name}` | {sha256_of(pack.folder / name)} |" for name in _TABLES]
    folders = []
    for name in _FOLDERS:
        count, digest = _folder_sha256(pack.folder / name)
        folders.append(f"| `{name}/`, {count} files | {digest} |")
    clusters = len({record.cluster_id for record in records})
    return _CARD.format(
        n_records=len(records),
        n_human=n_human,
        n_score=len(records) - n_human,
        n_passages=len({record.passage_id for record in records}),
        n_clusters=clusters,
        n_works=len({record.work_id for record in records}),
        skipped="\n".join(f"- {line}" for line in skipped),
        checksums="\n".join([*tables, *folders]),
    )


_CARD = """\
# PercePiano, in tocco's label schema

{n_records} rated excerpts of {n_works} works: {n_human} played by people, {n_score} deadpan renderings of
the score; {n_passages} passages in {n_clusters} clusters of overlapping music. Split by cluster or by
performer, never by segment.

## Source and licence
J. Park, J. Kim, J. M. Park, A. Choi, W.-S. Li, J. Park, S.-w. Hwang, "Piano performance evaluation dataset
with multilevel perceptual features", Scientific Reports 14, 23002 (2024), doi:10.1038/s41598-024-73810-0.
Data: github.com/JonghoKimSNU/PercePiano, commit e672299; Zenodo doi:10.5281/zenodo.13269612.

The repository that holds the MIDI, score and label files carries the MIT licence, (c) 2024 Jongho Kim SNU
(`LICENSE_PercePiano_MIT.txt`). The article is CC BY-NC-ND. There is no separate licence of the data. State
all of this in the card of anything that is trained on it.

## Content
- `labels.jsonl`: one record per segment. The 19 descriptors are 100 x the official mean (rating / 7); they
  describe and do not judge. Nine dimensions are computed from them (`tocco.rubrics`); note_accuracy has no
  human label. `label_sd` is the sample standard deviation between raters, with equal weight per rater, in
  points.
- `ratings.jsonl`: ratings of each rater and segment (id `<segment>__rater<number>`), answers of one
  rater averaged, 100 x rating / 7; missing answers are absent.
- `labels_debiased.jsonl` (on request): means with equal weight per rater, without each rater's leniency, as
  the source states them; without `label_sd`.
- `published_folds.csv`: the published splits by performer and by passage, only to compare with published
  figures.
- `ratings_long.csv.gz`: every single answer, byte for byte as in the source.
- `midi/`: performances. `score/`: the score of each passage as MIDI (repeats unfolded) and MusicXML.
- `audio/`: rendered from the MIDI, on request. The raters heard another rendering.
- `checksums.sha256`: of every copied file.

## Left out, and why
{skipped}

## SHA-256 of the source
A folder's is that of its list of `<sha256>  <name>` lines, sorted by name.

| part | SHA-256 |
|---|---|
{checksums}
"""
