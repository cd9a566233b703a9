"""On which piano, how loud and in which room a performance is rendered: drawn by seed and content.

The draw depends on the seed, on the notes and pedals, and on what there is to choose from, never on the
file's name or on its place in a batch: the same performance gets the same setting wherever it comes from.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Final

import numpy as np

from tocco.audio.augmenting.rooms import ROOMS, synthesize_room
from tocco.audio.rendering import TARGET_LUFS, Instrument
from tocco.audio.rendering.soundfonts import ANY
from tocco.errors import UsageError
from tocco.music.performance import Performance
from tocco.schema import nearest
from tocco.units import FloatArray

LEVEL_DB_LIMITS: Final = (-30.0, 12.0)
"""How far from `TARGET_LUFS` a level may be asked for; above, peaks would decide and not the level."""

NO_ROOM: Final = "none"


@dataclass(frozen=True)
class RenderSetting:
    """Everything that decides how one performance sounds.

    Attributes
    ----------
    instrument
    level_db : dB, relative to `TARGET_LUFS`
    room
        Name of one of `ROOMS`; None for none.
    room_seed
        Draws the places of piano and microphone.
    half_pedal
        Whether the sustain pedal is continuous.
    """

    instrument: Instrument
    level_db: float = 0.0
    room: str | None = None
    room_seed: int = 0
    half_pedal: bool = True

    @property
    def target_lufs(self) -> float:
        """Integrated loudness that is asked for, in LUFS."""
        return TARGET_LUFS + self.level_db

    def impulse_response(self) -> FloatArray | None:
        """(R,) float32, the room; None for none."""
        if self.room is None:
            return None
        return synthesize_room(self.room, np.random.default_rng(self.room_seed))


@dataclass(frozen=True)
class RenderChoice:
    """What settings are drawn from.

    Attributes
    ----------
    instruments
        At least one.
    level_db : dB relative to `TARGET_LUFS`, low <= high, within `LEVEL_DB_LIMITS`
    rooms
        Names, None for no room; at least one.
    half_pedal
    seed : >= 0
    """

    instruments: tuple[Instrument, ...]
    level_db: tuple[float, float] = (0.0, 0.0)
    rooms: tuple[str | None, ...] = (None,)
    half_pedal: bool = True
    seed: int = 0

    def __post_init__(self) -> None:
        low, high = self.level_db
        least, most = LEVEL_DB_LIMITS
        if not least <= low <= high <= most:
            raise UsageError(
                "--level-db", f"is {low:g} {high:g}", allowed=f"LOW <= HIGH, both {least:g} to {most:g} dB"
            )
        if self.seed < 0:
            raise UsageError("--seed", f"is {self.seed}", allowed="0 or more")

    def draw(self, performance: Performance) -> RenderSetting:
        """The setting of one performance: the same for the same notes and pedals."""
        content = int(content_sha256(performance), 16)
        rng = np.random.default_rng(np.random.SeedSequence([self.seed, content]))
        instrument = self.instruments[int(rng.integers(len(self.instruments)))]
        level_db = float(rng.uniform(*self.level_db))
        room = self.rooms[int(rng.integers(len(self.rooms)))]
        room_seed = int(rng.integers(2**32))
        return RenderSetting(
            instrument=instrument,
            level_db=round(level_db, 2) + 0.0,
            room=room,
            room_seed=0 if room is None else room_seed,
            half_pedal=self.half_pedal,
        )


def rooms_of(choice: str) -> tuple[str | None, ...]:
    """The rooms that a choice allows.

    Parameters
    ----------
    choice
        "none"; "any", which includes none; or the name of one room.

    Raises
    ------
    InputError
        No such room.
    """
    if choice == NO_ROOM:
        return (None,)
    if choice == ANY:
        return (None, *ROOMS)
    if choice not in ROOMS:
        raise UsageError("--room", nearest(choice, [NO_ROOM, ANY, *ROOMS]))
    return (choice,)


def content_sha256(performance: Performance) -> str:
    """What is played, as a hash: notes, pedals and length, bit for bit; not the file or its name."""
    pedals = (performance.sustain, performance.sostenuto, performance.soft)
    columns = [
        (performance.onset_sec, "<f8"),
        (performance.offset_sec, "<f8"),
        (performance.pitch, "<i2"),
        (performance.velocity, "<i2"),
        *((column, "<f8") for pedal in pedals for column in (pedal.time_sec, pedal.value)),
        (np.array([performance.duration_sec]), "<f8"),
    ]
    digest = hashlib.sha256()
    for values, kind in columns:
        digest.update(len(values).to_bytes(8, "little"))
        digest.update(np.ascontiguousarray(values, dtype=kind).tobytes())
    return digest.hexdigest()
