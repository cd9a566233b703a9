"""Small valid files of every kind that is read, and what reads them."""

from __future__ import annotations

import hashlib
import io
import json
import tempfile
import zipfile
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Final

import av
import numpy as np
import soundfile
import torch
from fuzz_damage import Text

from tocco.audio.description import describe_audio
from tocco.data.manifest import read_manifest
from tocco.data.records import read_labels
from tocco.inference.bundle import (
    CALIBRATION,
    CHECKSUMS,
    CONFIG,
    PARTS,
    WEIGHTS,
    BundleCalibration,
    BundleConfig,
    bundled_path,
    example_path,
    load_bundle,
    save_bundle,
)
from tocco.models.network import build_network
from tocco.music.midi import load_midi
from tocco.music.score import score_readings

RATE_HZ: Final = 16_000
_SCORE: Final = (Path(__file__).parent / "fuzz_score.musicxml").read_text()


@dataclass(frozen=True)
class Kind:
    """A kind of file.

    Attributes
    ----------
    name, suffix
    text : which structure its text has; "" for binary files
    """

    name: str
    suffix: str
    text: Text = ""


KINDS: Final = (
    Kind("midi", ".mid"),
    Kind("wav", ".wav"),
    Kind("aiff", ".aiff"),
    Kind("flac", ".flac"),
    Kind("mp3", ".mp3"),
    Kind("ogg", ".ogg"),
    Kind("opus", ".opus"),
    Kind("m4a", ".m4a"),
    Kind("webm", ".webm"),
    Kind("musicxml", ".musicxml", "xml"),
    Kind("mxl", ".mxl"),
    Kind("score_midi", ".mid"),
    Kind("labels", ".jsonl", "data"),
    Kind("manifest", ".csv", "data"),
    Kind("weights", ".safetensors"),
    Kind("config", ".yaml", "data"),
    Kind("calibration", ".json", "data"),
)
_MANIFEST: Final = b"""id,audio,midi,score
a,a.wav,a.mid,
b_1,,b.mid,"b, 1.musicxml"

c,c.flac,c.mid,c.mxl
"""
_LIBAV: Final = {"opus": ("opus", "libopus"), "m4a": ("ipod", "aac"), "webm": ("webm", "libopus")}
_BUNDLE_PARTS: Final = {"weights": WEIGHTS, "config": CONFIG, "calibration": CALIBRATION}


def read_as(kind: Kind, content: bytes, folder: Path) -> None:
    """Read a file of a kind, as the commands do."""
    if kind.name in _BUNDLE_PARTS:
        _read_bundle(_BUNDLE_PARTS[kind.name], content, folder / "bundle")
        return
    path = folder / f"file{kind.suffix}"
    path.write_bytes(content)
    match kind.name:
        case "midi":
            load_midi(path)
        case "musicxml" | "mxl" | "score_midi":
            score_readings(path)
        case "labels":
            read_labels(path)
        case "manifest":
            read_manifest(path)
        case _:
            describe_audio(path)


def seeds_of(kind: Kind) -> list[bytes]:
    """The valid files that are damaged."""
    if kind.name in _BUNDLE_PARTS:
        with tempfile.TemporaryDirectory() as folder:
            _write_bundle(Path(folder))
            return [(Path(folder) / _BUNDLE_PARTS[kind.name]).read_bytes()]
    match kind.name:
        case "midi":
            return [_midi(0), _midi(1), (example_path() / "minuet.mid").read_bytes()]
        case "score_midi":
            return [_midi(0), _midi(1)]
        case "musicxml":
            return [_SCORE.encode(), (example_path() / "minuet.musicxml").read_bytes()]
        case "mxl":
            return [_mxl(zipfile.ZIP_STORED), _mxl(zipfile.ZIP_DEFLATED)]
        case "labels":
            return [_labels()]
        case "manifest":
            return [_MANIFEST]
        case "wav":
            return [_soundfile("WAV", 1), _soundfile("WAV", 2), _soundfile("RF64", 2)]
        case "mp3":
            titled = _soundfile("MP3", 2, titled=True) + b"TAG" + bytes(125)
            return [_soundfile("MP3", 1), _soundfile("MP3", 2), titled]
        case "aiff" | "flac" | "ogg":
            return [_soundfile(kind.name.upper(), 1), _soundfile(kind.name.upper(), 2)]
        case _:
            return [_libav(*_LIBAV[kind.name])]


def _sound(n_channels: int) -> np.ndarray:
    time_sec = np.arange(RATE_HZ) / RATE_HZ
    mono = 0.3 * np.sin(2 * np.pi * (200 * time_sec + 900 * time_sec**2))
    return np.stack([mono] * n_channels, axis=1).astype(np.float32)


def _soundfile(kind: str, n_channels: int, *, titled: bool = False) -> bytes:
    target = io.BytesIO()
    with soundfile.SoundFile(target, "w", RATE_HZ, n_channels, format=kind) as file:
        if titled:
            file.title = "Minuet"
        file.write(_sound(n_channels))
    return target.getvalue()


def _libav(container_name: str, codec: str) -> bytes:
    target = io.BytesIO()
    rate_hz = 48_000 if codec == "libopus" else RATE_HZ
    with av.open(target, "w", format=container_name) as container:
        container.metadata["title"] = "Minuet"
        stream = container.add_stream(codec, rate=rate_hz, layout="mono")
        size = stream.codec_context.frame_size or 1024
        to_codec = av.AudioResampler(stream.format.name, "mono", rate_hz, frame_size=size)
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(_sound(1).T), format="fltp", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = RATE_HZ, 0, Fraction(1, RATE_HZ)
        for piece in (frame, None):
            for part in to_codec.resample(piece):
                container.mux(stream.encode(part))
        container.mux(stream.encode(None))
    return target.getvalue()


def _midi(kind: int) -> bytes:
    """A file of two tracks, or of one, with every sort of event."""
    conductor = b"\0\xff\x51\x03\x07\xa1\x20\0\xff\x58\x04\x04\x02\x18\x08\x83\x60\xff\x51\x03\x06\x1a\x80"
    notes = b"\0\xff\x03\x05piano\0\xc0\0\0\xb0\x40\x7f\0\xf0\x03\1\2\xf7"
    for pitch in (60, 64, 67, 72):
        notes += bytes([0, 0x90, pitch, 70, 0x60, pitch, 0, 0, 0xB0, 0x40, pitch])
    tracks = [conductor, notes] if kind else [conductor + notes]
    chunks = (track + b"\0\xff\x2f\0" for track in tracks)
    header = b"MThd\0\0\0\6" + bytes([0, kind, 0, len(tracks), 1, 0xE0])
    return header + b"".join(b"MTrk" + len(chunk).to_bytes(4, "big") + chunk for chunk in chunks)


def _mxl(compression: int) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", compression) as archive:
        container = '<container><rootfiles><rootfile full-path="score.xml"/></rootfiles></container>'
        # Fixed dates: the same bytes every time.
        for name, text in (("META-INF/container.xml", container), ("score.xml", _SCORE)):
            archive.writestr(zipfile.ZipInfo(name, (2020, 1, 1, 0, 0, 0)), text, compression)
    return target.getvalue()


def _labels() -> bytes:
    rows = [
        {
            "segment_id": f"s{i}",
            "piece_id": "minuet",
            "performer_id": None,
            "source": "rater-1",
            "audio_path": "a.wav",
            "midi_path": "a.mid",
            "start_time": 0.5 * i,
            "end_time": 0.5 * i + 8.0,
            "labels": {"phrasing": 61.5, "overall_quality": 70},
            "label_sd": {"phrasing": 4.0},
            "n_raters": 3,
            "folds": {"cv4": i},
        }
        for i in range(3)
    ]
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def _read_bundle(part: str, content: bytes, folder: Path) -> None:
    if not folder.exists():
        _write_bundle(folder)
    whole = (folder / part).read_bytes()
    (folder / part).write_bytes(content)
    digests = {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in PARTS}
    (folder / CHECKSUMS).write_text("".join(f"{digest}  {name}\n" for name, digest in digests.items()))
    try:
        load_bundle(folder)
    finally:
        (folder / part).write_bytes(whole)


def _write_bundle(folder: Path) -> None:
    """A bundle with the settings of the bundled one and a much smaller network."""
    real = _bundled_settings()
    sizes = {"audio_width": 16, "audio_depth": 1, "midi_layers": 1, "midi_size": 16, "midi_heads": 2}
    sizes |= {"fusion_size": 16, "fusion_heads": 2, "lstm_layers": 1, "lstm_hidden": 8, "statistics_width": 8}
    alone = {"training": {}, "predictors": [{"name": "network", "weight": 1.0}]}
    config = BundleConfig.model_validate(real | alone | {"network": real["network"] | sizes})
    calibration = BundleCalibration.model_validate_json((bundled_path() / CALIBRATION).read_text())
    torch.manual_seed(1)
    arguments = {k: tuple(v) if isinstance(v, list) else v for k, v in config.network.items()}
    save_bundle(folder, config, calibration, build_network(**arguments), "# Card\n")


@cache
def _bundled_settings() -> dict:
    import yaml

    return yaml.safe_load((bundled_path() / CONFIG).read_text())
