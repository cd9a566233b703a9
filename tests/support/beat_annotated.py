"""A small manifest of beat-annotated performances with score MIDI."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import symusic

from pseudo_example import BEAT_SEC, N_BARS, piece, played
from tocco.data.corpora.annotations import Annotation, Beats, write_annotation
from tocco.data.records import LabelRecord, write_labels
from tocco.music.midi import save_midi
from tocco.music.performance import Performance

TICKS = 480


def write_score_midi(path: Path, written: Performance, bpm: float = 60.0 / BEAT_SEC) -> None:
    """The piece on a grid of ticks, at one tempo."""
    score = symusic.Score(TICKS)
    score.tempos.append(symusic.Tempo(time=0, qpm=bpm))
    score.time_signatures.append(symusic.TimeSignature(time=0, numerator=4, denominator=4))
    track = symusic.Track()
    onset = np.round(written.onset_sec / BEAT_SEC * TICKS).astype(int)
    held = np.round((written.offset_sec - written.onset_sec) / 0.95 / BEAT_SEC * TICKS).astype(int)
    for time, duration, pitch in zip(onset, held, written.pitch, strict=True):
        track.notes.append(
            symusic.Note(time=int(time), duration=int(duration), pitch=int(pitch), velocity=64)
        )
    score.tracks.append(track)
    score.dump_midi(str(path))


def beats(first_sec: float, beat_sec: float, n_bars: int = N_BARS) -> Beats:
    at = first_sec + beat_sec * np.arange(4 * n_bars)
    return Beats(beat_sec=tuple(at.tolist()), downbeat_sec=tuple(at[::4].tolist()))


def write_annotated(
    folder: Path, *, n_pieces: int = 2, n_takes: int = 2, score_bpm: float = 60.0 / BEAT_SEC
) -> Path:
    """Takes of pieces of 14 bars, each beginning half a second after its file."""
    folder.mkdir(parents=True, exist_ok=True)
    records: list[LabelRecord] = []
    for number in range(n_pieces):
        written = piece(number)
        score = folder / f"piece{number}.mid"
        write_score_midi(score, written, score_bpm)
        for take in range(n_takes):
            name = f"piece{number}_take{take}"
            midi = folder / f"{name}.mid"
            performance = played(written, 10 * number + take)
            save_midi(performance, midi)
            annotation = Annotation(
                segment_id=name,
                composer="Nobody",
                title=f"Piece {number}",
                source_file=midi.name,
                duration_sec=performance.duration_sec,
                beats=beats(0.5, BEAT_SEC),
                score_beats=beats(0.0, 60.0 / score_bpm),
                is_beat_aligned=True,
            )
            write_annotation(annotation, folder / f"{name}.json")
            records.append(
                LabelRecord(
                    segment_id=name,
                    piece_id=f"Nobody_piece{number}",
                    performer_id=f"take{take}",
                    source="made up",
                    midi_path=midi,
                    score_path=score,
                    annotation_path=folder / f"{name}.json",
                    labels={},
                )
            )
    path = folder / "performances.jsonl"
    write_labels(records, path)
    return path
