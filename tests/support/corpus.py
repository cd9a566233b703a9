"""A corpus of twenty short performances made on the spot: notes, sound, scores and ratings."""

from pathlib import Path

import numpy as np
import soundfile

from tocco.data.records import LabelRecord, write_labels
from tocco.music.midi import save_midi
from tocco.music.performance import PedalCurve, Performance
from tocco.units import SAMPLE_RATE_HZ, hz_from_pitch

N_RECORDS, N_NOTES = 20, 32
SCALE = np.array([60, 62, 64, 65, 67, 69, 71, 72])


def performance(rng: np.random.Generator, *, velocity: float, jitter_sec: float, key: int = 0) -> Performance:
    """A scale up and down in quarter notes over a bass, at 120 a minute."""
    onset = 0.5 + 0.25 * np.arange(N_NOTES) + np.abs(rng.normal(0.0, jitter_sec, N_NOTES))
    pitch = (
        key + np.resize(np.concatenate([SCALE, SCALE[::-1]]), N_NOTES) - 12 * (np.arange(N_NOTES) % 4 == 0)
    )
    return Performance(
        onset_sec=onset,
        offset_sec=onset + 0.2,
        pitch=pitch,
        velocity=np.clip(rng.normal(velocity, 5.0, N_NOTES), 10, 120).astype(int),
        sustain=PedalCurve(np.array([1.0, 2.0]), np.array([127.0, 0.0])),
        sostenuto=PedalCurve(),
        soft=PedalCurve(),
        duration_sec=float(onset[-1] + 0.5),
    )


def sound(played: Performance) -> np.ndarray:
    """Decaying harmonic tones: enough of a piano for a test."""
    waveform = np.zeros(int((played.duration_sec + 0.5) * SAMPLE_RATE_HZ), dtype=np.float32)
    time = np.arange(int(0.4 * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
    for onset, pitch, velocity in zip(played.onset_sec, played.pitch, played.velocity, strict=True):
        hz = float(hz_from_pitch(pitch))
        tone = sum(np.sin(2 * np.pi * k * hz * time) / k**2 for k in (1, 2, 3)) * np.exp(-6 * time)
        start = int(onset * SAMPLE_RATE_HZ)
        waveform[start : start + len(time)] += (velocity / 127) ** 2 * 0.2 * tone[: len(waveform) - start]
    return waveform


def write_corpus(folder: Path) -> Path:
    """Labels, MIDI, FLAC and score MIDI of twenty performances in two folds; returns the label file."""
    rng = np.random.default_rng(7)
    records = []
    for n in range(N_RECORDS):
        velocity, key = 40.0 + 3.0 * n, n % 6
        played = performance(rng, velocity=velocity, jitter_sec=0.004 * (n % 4), key=key)
        written = performance(np.random.default_rng(0), velocity=64.0, jitter_sec=0.0, key=key)
        name = f"take{n:02d}"
        save_midi(played, folder / f"{name}.mid")
        save_midi(written.shifted(-0.5), folder / f"score{n:02d}.mid")
        soundfile.write(folder / f"{name}.flac", sound(played), SAMPLE_RATE_HZ)
        labels = {
            "dynamics_control": 20.0 + 3 * n,
            "timbre_soft_loud": 15.0 + 4 * n,
            "phrasing": 70.0 - 2 * n,
        }
        records.append(
            LabelRecord(
                segment_id=name,
                piece_id=f"piece{key}",
                performer_id=f"pianist{n % 3}",
                source="test",
                audio_path=folder / f"{name}.flac",
                midi_path=folder / f"{name}.mid",
                score_path=folder / f"score{n:02d}.mid",
                labels=labels,
                label_sd=dict.fromkeys(labels, 8.0),
                n_raters=4,
                work_id=f"work{key % 2}",
                passage_id=f"passage{key}",
                cluster_id=f"cluster{key}",
                folds={"cv4_cluster": key % 2, "cv4_performer": n % 3},
            )
        )
    path = folder / "labels.jsonl"
    write_labels(records, path)
    return path
