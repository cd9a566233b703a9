"""The part of a soundfont that some notes need, as a soundfont of its own.

Unpacking every sample of a piano takes two seconds and most of them are never struck: an excerpt of twelve
seconds needs a quarter. FluidSynth unpacks all samples of the instrument that is selected, so it is given the
same file with another index: one preset, its instruments, and of those the zones that the notes fall into.
The samples themselves stay where they are. Zones keep their order, generators and modulators, so that the
same voices start as with the whole file.

Layout after the SoundFont 2.04 specification (E-mu, 2006), sections 5 to 7.
"""

from __future__ import annotations

import mmap
import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tocco.units import BoolArray, IntArray

_KEY_RANGE, _VELOCITY_RANGE, _INSTRUMENT, _SAMPLE = 43, 44, 41, 53
"""Generators (section 8.1.2)."""

_BAG: Final = np.dtype([("generator", "<u2"), ("modulator", "<u2")])
_GENERATOR: Final = np.dtype([("kind", "<u2"), ("amount", "<u2")])
_MODULATOR: Final = np.dtype("V10")
_RECORDS: Final = {
    "phdr": np.dtype([("name", "V20"), ("program", "<u2"), ("bank", "<u2"), ("bag", "<u2"), ("rest", "V12")]),
    "pbag": _BAG,
    "pmod": _MODULATOR,
    "pgen": _GENERATOR,
    "inst": np.dtype([("name", "V20"), ("bag", "<u2")]),
    "ibag": _BAG,
    "imod": _MODULATOR,
    "igen": _GENERATOR,
    "shdr": np.dtype([("head", "V42"), ("link", "<u2"), ("kind", "<u2")]),
}
"""Records of the index, in the order in which a file holds them."""

_Records = NDArray[np.void]


class _Zone(NamedTuple):
    """One zone of a preset or of an instrument."""

    generators: _Records
    modulators: _Records

    def amount(self, kind: int) -> int | None:
        """The last value of a generator, unsigned; None where it is not set."""
        found = self.generators["amount"][self.generators["kind"] == kind]
        return int(found[-1]) if len(found) else None

    def with_amount(self, kind: int, amount: int) -> _Zone:
        changed = self.generators.copy()
        changed["amount"][changed["kind"] == kind] = amount
        return _Zone(changed, self.modulators)

    def of(self, notes: BoolArray) -> BoolArray:
        """(128, 128) those of the notes (pitch, velocity) that fall into the zone's own ranges."""
        return notes & np.outer(self._within(_KEY_RANGE), self._within(_VELOCITY_RANGE))

    def _within(self, kind: int) -> BoolArray:
        amount = self.amount(kind)
        low, high = (0, 127) if amount is None else (amount & 0xFF, amount >> 8)
        value = np.arange(128)
        return (value >= low) & (value <= high)


@dataclass(frozen=True, eq=False)
class FontImage:
    """A file in pieces, as FluidSynth reads it.

    Attributes
    ----------
    pieces
        Consecutive.
    samples : which samples of the original file it keeps
    """

    pieces: tuple[memoryview | bytes, ...]
    samples: frozenset[int]

    def __len__(self) -> int:
        return sum(map(len, self.pieces))

    def read(self, at: int, count: int) -> bytes:
        """`count` bytes from `at` on; fewer at the end."""
        found, start = b"", 0
        for piece in self.pieces:
            low, high = max(at - start, 0), min(at + count - start, len(piece))
            if low < high:
                found += piece[low:high]
            start += len(piece)
        return found


class SoundfontFile:
    """A soundfont on disk whose index has been read.

    Parameters
    ----------
    path

    Raises
    ------
    ValueError
        It is damaged.
    """

    def __init__(self, path: Path) -> None:
        with path.open("rb") as file:
            self._data = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
        lists = {
            bytes(self._data[at : at + 4]): (at, size) for _, at, size in self._chunks(12, len(self._data))
        }
        if b"sdta" not in lists or b"pdta" not in lists:
            raise ValueError("no samples or no index")
        at, size = lists[b"pdta"]
        self._samples_end = at - 8
        chunks = {name: (start, n) for name, start, n in self._chunks(at + 4, at + size)}
        self._index = {name: self._records(name, chunks) for name in _RECORDS}

    def _chunks(self, start: int, end: int) -> Iterator[tuple[str, int, int]]:
        """Name, start and size of each; without the padding of odd sizes, which FluidSynth does not skip."""
        while start + 8 <= end:
            name, size = struct.unpack_from("<4sI", self._data, start)
            if start + 8 + size > end:
                raise ValueError(f"chunk {name!r} is cut off")
            yield name.decode("latin-1"), start + 8, size
            start += 8 + size

    def _records(self, name: str, chunks: Mapping[str, tuple[int, int]]) -> _Records:
        start, size = chunks.get(name, (0, 0))
        if not size or size % _RECORDS[name].itemsize:
            raise ValueError(f"chunk {name} is missing or cut off")
        return np.frombuffer(self._data[start : start + size], _RECORDS[name])

    def has(self, bank: int, program: int) -> bool:
        """Whether there is such an instrument."""
        return len(self._found(bank, program)) > 0

    def _found(self, bank: int, program: int) -> IntArray:
        presets = self._index["phdr"][:-1]
        return np.flatnonzero((presets["bank"] == bank) & (presets["program"] == program))

    def _zones(self, header: str, which: int) -> list[_Zone]:
        """The zones of one preset (`header` is "phdr") or instrument ("inst")."""
        bags, generators, modulators = (self._index[header[0] + part] for part in ("bag", "gen", "mod"))
        first, end = self._index[header]["bag"][which : which + 2]
        return [
            _Zone(
                generators[bags["generator"][bag] : bags["generator"][bag + 1]],
                modulators[bags["modulator"][bag] : bags["modulator"][bag + 1]],
            )
            for bag in range(first, end)
        ]

    def subset(self, bank: int, program: int, notes: BoolArray) -> FontImage:
        """The soundfont with nothing but what some notes need of one instrument.

        Parameters
        ----------
        bank, program
            There must be such an instrument.
        notes : (128, 128) whether a key (pitch) is struck with a velocity

        Raises
        ------
        ValueError
            The index is damaged.
        """
        try:
            return self._image(int(self._found(bank, program)[0]), notes)
        except IndexError as error:
            raise ValueError("the index points outside itself") from error

    def _image(self, preset: int, notes: BoolArray) -> FontImage:
        preset_zones: list[_Zone] = []
        notes_of: dict[int, BoolArray] = {}
        for zone in self._zones("phdr", preset):
            instrument, inside = zone.amount(_INSTRUMENT), zone.of(notes)
            if instrument is None:
                preset_zones.append(zone)
            elif inside.any():
                place = list(notes_of).index(instrument) if instrument in notes_of else len(notes_of)
                notes_of[instrument] = notes_of.get(instrument, np.zeros_like(notes)) | inside
                preset_zones.append(zone.with_amount(_INSTRUMENT, place))
        instrument_zones = [
            [zone for zone in self._zones("inst", instrument) if _is_needed(zone, inside)]
            for instrument, inside in notes_of.items()
        ]
        samples = sorted(
            {s for zones in instrument_zones for zone in zones if (s := zone.amount(_SAMPLE)) is not None}
        )
        renumbered = [[_with_sample_in(samples, zone) for zone in zones] for zones in instrument_zones]
        headers = self._index["shdr"][samples]
        headers["link"] = 0  # the partner of a stereo sample, which FluidSynth does not look up
        index = {
            **_packed("phdr", self._index["phdr"][[preset]], [preset_zones]),
            **_packed("inst", self._index["inst"][list(notes_of)], renumbered),
            "shdr": np.concatenate([headers, np.zeros(1, _RECORDS["shdr"])]),
        }
        return self._assembled(index, frozenset(samples))

    def _assembled(self, index: Mapping[str, _Records], samples: frozenset[int]) -> FontImage:
        chunks = b"".join(_chunk(name, index[name].tobytes()) for name in _RECORDS)
        tail = _chunk("LIST", b"pdta" + chunks)
        head = struct.pack("<4sI", b"RIFF", self._samples_end + len(tail) - 8)
        return FontImage((head, self._data[len(head) : self._samples_end], tail), samples)


def _is_needed(zone: _Zone, notes: BoolArray) -> bool:
    return zone.amount(_SAMPLE) is None or bool(zone.of(notes).any())


def _with_sample_in(samples: Sequence[int], zone: _Zone) -> _Zone:
    sample = zone.amount(_SAMPLE)
    return zone if sample is None else zone.with_amount(_SAMPLE, samples.index(sample))


def _chunk(name: str, content: bytes) -> bytes:
    return struct.pack("<4sI", name.encode("latin-1"), len(content)) + content


def _packed(header: str, headers: _Records, zones_of: Sequence[Sequence[_Zone]]) -> dict[str, _Records]:
    """Headers and their zones as four chunks, each with the empty record that ends it."""
    zones = [zone for group in zones_of for zone in group]
    ended = np.concatenate([headers, np.zeros(1, headers.dtype)])
    ended["bag"] = np.cumsum([0, *map(len, zones_of)])
    bags = np.zeros(len(zones) + 1, _BAG)
    bags["generator"] = np.cumsum([0, *(len(zone.generators) for zone in zones)])
    bags["modulator"] = np.cumsum([0, *(len(zone.modulators) for zone in zones)])
    generators = [*(zone.generators for zone in zones), np.zeros(1, _GENERATOR)]
    modulators = [*(zone.modulators for zone in zones), np.zeros(1, _MODULATOR)]
    kind = header[0]
    return {
        header: ended,
        f"{kind}bag": bags,
        f"{kind}gen": np.concatenate(generators),
        f"{kind}mod": np.concatenate(modulators),
    }
