"""Hand-made rows, and an assessor with known ratings, for the validity suite."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import symusic

from corruption_etude import etude
from tocco.data.records import LabelRecord, write_labels
from tocco.evaluation.validity.rows import Modality, Row, RowPart
from tocco.inference.assessment import Aggregate, Assessment, Curve, Part, Rating
from tocco.inference.evidence import BundleIdentity, InputFile, Inputs
from tocco.music.midi import load_midi, save_midi
from tocco.music.performance import Origin
from tocco.rubrics import DESCRIPTORS, DIMENSIONS

LOG_NAME = "assessed.txt"


def row(
    part: RowPart,
    kind: str = "",
    step: int = 0,
    *,
    piece: str = "p",
    take: str | None = None,
    modality: Modality = "keys_score",
    level: float = 60.0,
    width: float = 20.0,
    aggregate: float | None = 60.0,
    abstained: bool = False,
    refusal: str | None = None,
    **ratings: float | None,
) -> Row:
    """A row with every rating at `level`, but for those that are given; None for a missing one."""
    silent = abstained or refusal is not None
    rated = {} if silent else dict.fromkeys(DIMENSIONS, level) | ratings
    known = {name: value for name, value in rated.items() if value is not None}
    return Row(
        part=part,
        take=take or f"{piece}_take",
        piece=piece,
        kind=kind,
        step=step,
        modality=modality,
        ratings=known,
        width=dict.fromkeys(known, width),
        low={name: value - width / 2.0 for name, value in known.items()},
        aggregate=None if silent else aggregate,
        abstained=abstained,
        refusal=refusal,
    )


class KnownAssessor:
    """Rates everything 60, the overall quality by the mean velocity, and note accuracy with a score alone.

    Every assessment is a line of `assessed.txt` in the working directory.
    """

    def assess(
        self,
        audio: Path | None,
        midi: Path | None = None,
        score: Path | None = None,
        *,
        origin: Origin = "keys",
    ) -> Assessment:
        assert midi is not None
        played = load_midi(midi)
        with Path(LOG_NAME).open("a") as log:
            log.write(f"{midi.name} {score is not None} {audio is not None}\n")
        values = dict.fromkeys(DIMENSIONS, 60.0)
        values["overall_quality"] = float(played.velocity.mean()) * 100.0 / 127.0
        if score is None:
            del values["note_accuracy"]
        return assessment(values, has_score=score is not None)


def known_assessor(bundle: Path | None) -> KnownAssessor:
    """The assessor of any bundle."""
    del bundle
    return KnownAssessor()


def assessment(values: dict[str, float], *, has_score: bool) -> Assessment:
    """An assessment with ratings of one width."""
    ratings = {
        name: Rating(value=values[name], sigma=5.0, interval_90=_around(values[name]), source="model")
        if name in values
        else Rating.missing("no score was given")
        for name in DIMENSIONS
    }
    file = InputFile(name="take.mid", sha256="a" * 64, origin="given", duration_sec=20.0)
    return Assessment(
        rubric="tocco10",
        ratings=ratings,
        descriptors={name: Rating.missing("not asked") for name in DESCRIPTORS},
        aggregate=Aggregate(
            value=values["overall_quality"],
            parts=(Part(dimension="overall_quality", value=values["overall_quality"], weight=1.0),),
            weights={"overall_quality": 1.0},
        ),
        curve=Curve(time_sec=(), start_sec=(), end_sec=(), value={}),
        alignment=None,
        alignment_reason="not asked",
        inputs=Inputs(
            notes="keys",
            sound="rendered",
            audio=file,
            midi=file,
            score=file.model_copy(update={"duration_sec": None}) if has_score else None,
        ),
        bundle=BundleIdentity(name="known", version="1", sha256="b" * 64),
        tocco_version="0",
    )


def _around(value: float) -> tuple[float, float]:
    return max(value - 8.0, 0.0), min(value + 8.0, 100.0)


def write_etude(folder: Path, n: int = 2) -> Path:
    """A manifest of one piece for each of `n` pieces, all of them the etude; its takes lie beside it."""
    played, alignment = etude()
    midi = symusic.Score(480)
    midi.time_signatures.append(symusic.TimeSignature(0, 4, 4))
    midi.tempos.append(symusic.Tempo(0, 120.0))
    written = alignment.score
    for staff in (1, 2):
        track = symusic.Track(name=f"staff {staff}")
        for k in np.flatnonzero(written.staff == staff):
            start, length = (round(480 * float(x[k])) for x in (written.onset_beat, written.duration_beat))
            track.notes.append(symusic.Note(start, length, int(written.pitch[k]), 64))
        midi.tracks.append(track)
    records = []
    for k in range(n):
        score, take = folder / f"score_{k}.mid", folder / f"take_{k}.mid"
        midi.dump_midi(str(score))
        save_midi(played.shifted(0.1 * k), take)
        records.append(
            LabelRecord(
                segment_id=f"take_{k}",
                piece_id=f"piece_{k}",
                performer_id=f"pianist_{k}",
                source="test",
                midi_path=take,
                score_path=score,
                labels={},
            )
        )
    manifest = folder / "takes.jsonl"
    write_labels(records, manifest)
    return manifest
