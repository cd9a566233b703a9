"""Renderings by content: made once, identified by a key, never half written.

A rendering carries, in its FLAC comment, the key of everything that decides its bytes and the facts of
how it came out. So a folder of renderings is its own record: a second run finds what is there, and a
file that was made of other notes, on another piano or by another version is not taken for it.
"""

from __future__ import annotations

import functools
import hashlib
import shutil
from collections import OrderedDict
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Literal

import numpy as np
import soundfile
from pydantic import ValidationError

from tocco.audio.augmenting.rooms import apply_room_acoustics
from tocco.audio.render_setting import RenderChoice, RenderSetting, content_sha256
from tocco.audio.rendering import (
    PEAK_CEILING_DBFS,
    FluidSynthRenderer,
    at_loudness,
    fluidsynth_version,
    read_comment,
    write_flac,
)
from tocco.audio.rendering.loudness import Levelled
from tocco.audio.rendering.synth import TAIL_RANGE_DB
from tocco.cache import cached, json_key
from tocco.errors import OutputError
from tocco.files import replacing
from tocco.music.midi import load_midi
from tocco.music.performance import Performance
from tocco.schema import StrictModel
from tocco.units import SAMPLE_RATE_HZ, FloatArray, amplitude_from_db

RENDERER_VERSION: Final = 1
"""Counts up with every change of this code that changes bytes."""

MOST_LOADED: Final = 8
"""Pianos that one process keeps loaded."""

Outcome = Literal["rendered", "cached", "kept"]
"""Played now; copied from the cache; found in its place from an earlier run."""


class RenderFacts(StrictModel):
    """How a rendering was made and how it came out: what its FLAC comment holds."""

    key: str
    """SHA-256 of everything that decides the bytes."""

    soundfont: str
    """The piano: "FONT:PROGRAM", or the file's name."""

    soundfont_sha256: str
    """Of the soundfont's file."""

    licence: str | None
    """Of the soundfont; null where only the user knows it."""

    half_pedal: bool
    """Whether the sustain pedal was continuous."""

    level_db: float
    """Level that was asked for, relative to the target loudness."""

    room: str | None
    """The room, null for none."""

    loudness_lufs: float
    """Integrated loudness (ITU-R BS.1770-4), as it came out."""

    peak_dbfs: float
    """Highest sample, as it came out."""

    held_down_by_peak: bool
    """The peak ceiling kept it below the loudness that was asked for."""

    duration_sec: float
    """Of the sound."""

    n_notes: int
    """Of the performance."""


class RendererPool:
    """The pianos that one process has loaded; the one played longest ago makes room for a new one."""

    def __init__(self, most: int = MOST_LOADED) -> None:
        self._most = most
        self._loaded: OrderedDict[tuple[Path, int, int, bool], FluidSynthRenderer] = OrderedDict()

    def __enter__(self) -> RendererPool:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        while self._loaded:
            self._loaded.popitem()[1].close()

    def renderer(self, setting: RenderSetting) -> FluidSynthRenderer:
        """The piano of a setting, loaded at its first use."""
        instrument = setting.instrument
        which = (instrument.soundfont, instrument.bank, instrument.preset, setting.half_pedal)
        if which not in self._loaded:
            if len(self._loaded) == self._most:
                self._loaded.popitem(last=False)[1].close()
            self._loaded[which] = FluidSynthRenderer(
                instrument.soundfont,
                bank=instrument.bank,
                preset=instrument.preset,
                target_rms_dbfs=None,
                half_pedal=setting.half_pedal,
                even_attacks=True,
            )
        self._loaded.move_to_end(which)
        return self._loaded[which]


@dataclass(frozen=True)
class Rendering:
    """One rendering on disk.

    Attributes
    ----------
    path
    facts
    outcome
    """

    path: Path
    facts: RenderFacts
    outcome: Outcome


def render_key(performance: Performance, setting: RenderSetting) -> str:
    """SHA-256 of everything that decides a rendering's bytes.

    Notes and pedals, the soundfont's bytes, the program, level, room response and pedalling, and the
    versions of this code and of the libraries that make samples and files.
    """
    response = setting.impulse_response()
    parts: dict[str, Any] = {
        "content": content_sha256(performance),
        "soundfont": setting.instrument.sha256(),
        "program": [setting.instrument.bank, setting.instrument.preset],
        "name": setting.instrument.name,  # stands in the file
        "target_lufs": setting.target_lufs,
        "ceiling_dbfs": PEAK_CEILING_DBFS,
        "half_pedal": setting.half_pedal,
        "room": setting.room,
        "response": None if response is None else hashlib.sha256(response.tobytes()).hexdigest(),
        "versions": list(_versions()),
    }
    return json_key(parts)


@functools.cache
def _versions() -> tuple[str, ...]:
    libraries = ("numpy", "scipy", "soxr", "pyloudnorm")
    return (
        f"renderer {RENDERER_VERSION}",
        f"fluidsynth {fluidsynth_version()}",
        f"libsndfile {soundfile.__libsndfile_version__}",
        *(f"{name} {version(name)}" for name in libraries),
    )


@dataclass(frozen=True)
class RenderJob:
    """One MIDI file to render: the unit of work of a process or a machine.

    Attributes
    ----------
    midi
    target
        A .flac file.
    choice
        What its setting is drawn from.
    cache
        Folder of renderings by key, None for none.
    overwrite
        Also replace a file that is no rendering.
    """

    midi: Path
    target: Path
    choice: RenderChoice
    cache: Path | None = None
    overwrite: bool = False


def render_job(job: RenderJob, pool: RendererPool) -> Rendering:
    """Read the MIDI, draw its setting, render it.

    Raises
    ------
    InputError, MissingPartError, OutputError
        As in `load_midi` and `render_to`.
    """
    performance = load_midi(job.midi)
    setting = job.choice.draw(performance)
    return render_to(job.target, performance, setting, pool, cache=job.cache, overwrite=job.overwrite)


def play(performance: Performance, setting: RenderSetting, pool: RendererPool) -> Levelled:
    """The sound of a performance in a setting, at its loudness and below the peak ceiling.

    Parameters
    ----------
    performance
        With at least one note.
    setting
    pool
        Loads the piano, or has it.

    Raises
    ------
    InputError
        Nothing can be heard of it, or it is too long.
    MissingPartError
        FluidSynth or the soundfont is absent.
    """
    sound = pool.renderer(setting).render(performance)
    response = setting.impulse_response()
    if response is not None:
        sound = _in_room(sound, response)
    return at_loudness(
        sound,
        setting.target_lufs,
        ceiling_dbfs=PEAK_CEILING_DBFS,
        source=performance.source or "performance",
    )


def _in_room(sound: FloatArray, response: FloatArray) -> FloatArray:
    """The sound in a room, until its reverberation has decayed too; the first sample stays the first."""
    heard = apply_room_acoustics(np.pad(sound, (0, len(response) - 1)), response)
    audible = np.abs(heard) > np.abs(heard).max() * amplitude_from_db(-TAIL_RANGE_DB)
    return heard[: max(len(sound), int(np.flatnonzero(audible)[-1]) + 1)]


def render_to(
    target: Path,
    performance: Performance,
    setting: RenderSetting,
    pool: RendererPool,
    *,
    cache: Path | None = None,
    overwrite: bool = False,
) -> Rendering:
    """Put a rendering at its target: left if it is there, copied if the cache has it, else played.

    Two processes may render the same thing at once: each writes under a name of its own and renames,
    and both have the same bytes.

    Parameters
    ----------
    target
        A .flac file. A rendering of something else under this name is replaced.
    performance, setting, pool
        As in `play`.
    cache
        Folder of renderings by key, shared by any number of targets and processes.
    overwrite
        Also replace a file that is no rendering.

    Raises
    ------
    InputError, MissingPartError
        As in `play`.
    OutputError
        The file cannot be written, or one is in the way that is no rendering.
    """
    key = render_key(performance, setting)
    there = _facts_of(target, key)
    if there is not None:
        return Rendering(target, there, "kept")
    if render_facts(target) is None and target.exists() and not overwrite:
        raise OutputError(
            target,
            "is in the way: no rendering of this program",
            next_step="name another folder, or --overwrite",
        )
    if cache is None:
        with replacing(target) as temporary:
            facts = _write(temporary, performance, setting, pool, key)
        return Rendering(target, facts, "rendered")
    path = cache / key[:2] / f"{key}.flac"
    entry = cached(
        path,
        lambda there: _facts_of(there, key),
        lambda temporary: _write(temporary, performance, setting, pool, key),
    )
    with replacing(target) as temporary:
        shutil.copyfile(path, temporary)
    return Rendering(target, entry.value, "cached" if entry.is_found else "rendered")


def render_facts(path: Path) -> RenderFacts | None:
    """How a rendering was made; None where there is no file or it is none of ours."""
    if not path.is_file():
        return None
    comment = read_comment(path)
    if comment is None:
        return None
    try:
        return RenderFacts.model_validate_json(comment)
    except ValidationError:
        return None


def _facts_of(path: Path, key: str) -> RenderFacts | None:
    """How a rendering was made, where it is the one of this key."""
    facts = render_facts(path)
    return facts if facts is not None and facts.key == key else None


def _write(
    path: Path, performance: Performance, setting: RenderSetting, pool: RendererPool, key: str
) -> RenderFacts:
    levelled = play(performance, setting, pool)
    facts = RenderFacts(
        key=key,
        soundfont=setting.instrument.name,
        soundfont_sha256=setting.instrument.sha256(),
        licence=setting.instrument.licence,
        half_pedal=setting.half_pedal,
        level_db=setting.level_db,
        room=setting.room,
        loudness_lufs=round(levelled.loudness_lufs, 2),
        peak_dbfs=round(levelled.peak_dbfs, 2),
        held_down_by_peak=levelled.held_down_by_peak,
        duration_sec=round(len(levelled.waveform) / SAMPLE_RATE_HZ, 3),
        n_notes=len(performance),
    )
    write_flac(path, levelled.waveform, comment=facts.model_dump_json())
    return facts
