"""A made-up MAESTRO of a few seconds a piece: index, archives, and the release that names them."""

from __future__ import annotations

import csv
import hashlib
import io
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

from corpus import performance, sound
from tocco.data.corpora.maestro.index import Release
from tocco.music.midi import save_midi
from tocco.units import SAMPLE_RATE_HZ

COMPOSERS = ("Domenico Scarlatti", "Franz Schubert", "Franz Schubert / Franz Liszt", "Clara Schumann")
HEADER = (
    "canonical_composer",
    "canonical_title",
    "split",
    "year",
    "midi_filename",
    "audio_filename",
    "duration",
)


@dataclass(frozen=True)
class SmallMaestro:
    """Files by their names in the archive, and the release that describes them."""

    files: dict[str, bytes]
    release: Release

    def archive(self, rng: np.random.Generator | None = None, *, audio: bool = True) -> bytes:
        """A zip of all files, or of all but the audio; with `rng`, in a random order."""
        names = [name for name in self.files if audio or not name.endswith(".wav")]
        order = rng.permutation(len(names)) if rng is not None else range(len(names))
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            for i in order:
                info = zipfile.ZipInfo(f"{self.release.folder}/{names[i]}")
                archive.writestr(info, self.files[names[i]], zipfile.ZIP_DEFLATED)
        return buffer.getvalue()

    def published(self) -> dict[str, bytes]:
        """What lies on the publisher's server, by path."""
        return {
            f"/{self.release.index_name}": self.files[self.release.index_name],
            f"/{self.release.audio_archive}": self.archive(),
            f"/{self.release.midi_archive}": self.archive(audio=False),
        }

    def unpacked(self, folder: Path) -> Path:
        """The files in a folder."""
        for name, content in self.files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(content)
        return folder


def small_maestro(n: int, scratch: Path, *, real: bool = False) -> SmallMaestro:
    """A corpus of `n` recordings: of random bytes, or with `real` of notes and their sound."""
    rng = np.random.default_rng(11)
    rows, files = [], {}
    for i in range(n):
        year, split = 2004 + i % 3, ("train", "train", "train", "validation", "test")[i % 5]
        stem = f"{year}/MIDI-Unprocessed_{i:02d}_R1_{year}_wav--1"
        wav, midi, duration = rng.bytes(int(rng.integers(0, 9000))) + bytes(3000), rng.bytes(500), 10.0 + i
        if real:
            played = performance(rng, velocity=70.0, jitter_sec=0.01, key=i)
            save_midi(played, scratch / "x.mid")
            soundfile.write(scratch / "x.wav", sound(played), SAMPLE_RATE_HZ, subtype="PCM_16")
            wav, midi = (scratch / "x.wav").read_bytes(), (scratch / "x.mid").read_bytes()
            duration = float(played.offset_sec.max())
        files |= {f"{stem}.wav": wav, f"{stem}.midi": midi}
        composer = COMPOSERS[i % len(COMPOSERS)]
        rows.append([composer, f"Sonata No. {i // 2}", split, year, f"{stem}.midi", f"{stem}.wav", duration])
    text = io.StringIO(newline="")
    csv.writer(text).writerows([HEADER, *rows])
    index = text.getvalue().encode()
    release = Release(
        version="v0.0.1",
        base_url="http://127.0.0.1:1",
        folder="small",
        index_name="small.csv",
        index_sha256=hashlib.sha256(index).hexdigest(),
        audio_archive="small.zip",
        midi_archive="small-midi.zip",
        midi_sha256="",
    )
    small = SmallMaestro({"small.csv": index, **files}, release)
    midi_sha256 = hashlib.sha256(small.archive(audio=False)).hexdigest()
    return SmallMaestro(small.files, Release(**{**vars(release), "midi_sha256": midi_sha256}))
