"""A small manifest to be pseudo-labelled, and a scale to do it with."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path

import numpy as np

from tocco.data.pseudo_labelling import CorruptionPlan, LabelTask
from tocco.data.records import LabelRecord, write_labels
from tocco.music.midi import save_midi
from tocco.music.performance import Origin, PedalCurve, Performance
from tocco.music.transcriber_noise import TranscriberNoise
from tocco.pseudo_labels.fitting.scale import MeasuredSegment, fit_scale
from tocco.pseudo_labels.pseudo_label import Component, PseudoLabel
from tocco.pseudo_labels.raters.registry import RATERS
from tocco.pseudo_labels.scale.difficulty import DIFFICULTY_COVARIATES
from tocco.pseudo_labels.scale.files import Scales
from tocco.pseudo_labels.scale.model import Pool, ReferenceScale

BEAT_SEC = 0.5
N_BARS = 14
MAJOR = np.array([0, 2, 4, 5, 7, 9, 11])


def key(degree: int) -> int:
    return 72 + 12 * (degree // 7) + int(MAJOR[degree % 7])


def piece(seed: int) -> Performance:
    """Bars of 4/4 as a machine would play them: a tune in quarters and sixteenths over chords in halves."""
    rng = np.random.default_rng(seed)
    rows: list[tuple[float, float, int, int]] = []
    degree = 0
    for beat in range(4 * N_BARS):
        steps = 4 if (beat // 4) % 2 else 1
        for k in range(steps):
            degree = int(np.clip(degree + rng.choice([-2, -1, 1, 2]), -3, 9))
            rows.append((beat + k / steps, 1.0 / steps, key(degree), 80))
        if beat % 2 == 0:
            root = int(rng.integers(-14, -8))
            rows += [(float(beat), 2.0, key(root + third), 55) for third in (0, 2, 4)]
    rows.sort(key=lambda row: (row[0], row[2]))
    onset, duration, pitch, velocity = (np.array(column) for column in zip(*rows, strict=True))
    return Performance(
        onset_sec=BEAT_SEC * onset,
        offset_sec=BEAT_SEC * (onset + 0.95 * duration),
        pitch=pitch,
        velocity=velocity,
        sustain=PedalCurve(),
        sostenuto=PedalCurve(),
        soft=PedalCurve(),
        duration_sec=BEAT_SEC * 4 * N_BARS,
    )


def played(written: Performance, seed: int) -> Performance:
    """The piece as a person plays it: swells, a little unevenness, a pedal to every chord."""
    rng = np.random.default_rng(seed)
    swell = 12.0 * np.sin(2.0 * np.pi * written.onset_sec / 8.0)
    onset = np.maximum(written.onset_sec + 0.5 + rng.normal(0.0, 0.008, len(written)), 0.01)
    order = np.lexsort((written.pitch, onset))
    chord = 0.5 + BEAT_SEC * np.arange(0, 4 * N_BARS, 2)
    at = np.column_stack((chord + 0.06, chord + 0.16)).ravel()
    level = np.clip(written.velocity + swell + rng.normal(0.0, 3.0, len(written)), 1, 127)
    return replace(
        written,
        onset_sec=onset[order],
        offset_sec=(onset + (written.offset_sec - written.onset_sec))[order],
        pitch=written.pitch[order],
        velocity=level.astype(int)[order],
        sustain=PedalCurve(at, np.tile([0.0, 127.0], len(chord))),
        duration_sec=float(onset.max() + 1.2),
    )


def write_manifest(folder: Path, *, n_pieces: int = 2, n_takes: int = 2, with_stranger: bool = False) -> Path:
    """Takes of some pieces with score MIDI; a stranger has the score of other music."""
    folder.mkdir(parents=True, exist_ok=True)
    records = []
    for p in range(n_pieces):
        written = piece(p)
        save_midi(written, folder / f"score{p}.mid")
        for t in range(n_takes):
            name = f"piece{p}_take{t}"
            save_midi(played(written, 10 * p + t), folder / f"{name}.mid")
            records.append(
                LabelRecord(
                    segment_id=name,
                    piece_id=f"piece{p}",
                    performer_id=f"pianist{t}",
                    source="made up",
                    midi_path=folder / f"{name}.mid",
                    score_path=folder / f"score{p}.mid",
                    cluster_id=f"piece{p}",
                    labels={},
                )
            )
    if with_stranger:
        other = replace(piece(99), pitch=piece(99).pitch[::-1] - 12)
        save_midi(other, folder / "other.mid")
        stranger = {"segment_id": "stranger", "score_path": folder / "other.mid"}
        records.append(records[0].model_copy(update=stranger))
    write_labels(records, folder / "performances.jsonl")
    return folder / "performances.jsonl"


def made_up_scales(pieces: tuple[str, ...] = ("pool",)) -> Scales:
    return Scales(made_up_scale(pieces), made_up_scale(pieces, origin="transcribed"))


def made_up_scale(pieces: tuple[str, ...] = ("pool",), *, origin: Origin = "keys") -> ReferenceScale:
    """A scale fitted to random components: its ratings mean nothing, and move the right way."""
    rng = np.random.default_rng(6 if origin == "transcribed" else 5)
    segments = []
    for n in range(400):
        labels = {}
        for name, rater in RATERS.items():
            components = {
                kind.name: Component(float(np.abs(rng.normal(0.3, 0.3))), kind.unit, "")
                for kind in rater.scaled
            }
            labels[name] = PseudoLabel(name, None, components, (), 1.0, {})
        covariates = rng.normal(0.0, 1.0, len(DIFFICULTY_COVARIATES))
        segments.append(MeasuredSegment("abcd"[n % 4], "pqr"[n % 3], labels, covariates))
    pool = Pool(
        corpora={"made up": 4},
        n_performances=4,
        n_segments=len(segments),
        n_rendered=4,
        segment_sec=10.0,
        overlap=0.5,
        seed=0,
        pieces=pieces,
        labels_sha256="0",
        content_sha256="0",
        noise=asdict(TranscriberNoise()) if origin == "transcribed" else None,
    )
    return fit_scale(segments, pool)


def task_of(
    record: LabelRecord, scale: ReferenceScale, folder: Path, plan: CorruptionPlan | None = None
) -> LabelTask:
    return LabelTask(record, plan or CorruptionPlan(), scale, folder)
