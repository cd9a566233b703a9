"""The part of a soundfont that some notes need."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest

from tocco.audio.rendering.soundfont_subset import SoundfontFile


def chunk(name: bytes, content: bytes) -> bytes:
    return name + struct.pack("<I", len(content)) + content


def bags(*pairs: tuple[int, int]) -> bytes:
    return b"".join(struct.pack("<HH", *pair) for pair in pairs)


def generators(*pairs: tuple[int, int]) -> bytes:
    return bags(*pairs)


def sample(name: bytes, start: int) -> bytes:
    rest = (start, start + 8, start, start + 8, 44100)
    return struct.pack("<20sIIIIIbbHH", name, *rest, 60, 0, 7, 1)


def span(low: int, high: int) -> int:
    return low | high << 8


def font_bytes() -> bytes:
    """Two presets; the second (bank 8) has a global zone, an instrument for soft and one for loud notes."""
    presets = [(b"other", 0, 0, 0), (b"piano", 0, 8, 1), (b"EOP", 0, 0, 4)]
    index = {
        b"phdr": b"".join(struct.pack("<20sHHHIII", *preset, 0, 0, 0) for preset in presets),
        b"pbag": bags((0, 0), (1, 0), (2, 1), (4, 1), (6, 1)),
        b"pmod": b"modulator1" + bytes(10),
        b"pgen": generators(
            (41, 0), (48, 30), (44, span(0, 63)), (41, 2), (44, span(64, 127)), (41, 1), (0, 0)
        ),
        b"inst": b"".join(
            struct.pack("<20sH", *each) for each in [(b"other", 0), (b"loud", 1), (b"soft", 2), (b"EOI", 5)]
        ),
        b"ibag": bags((0, 0), (1, 0), (2, 0), (3, 0), (5, 0), (7, 1)),
        b"imod": b"modulator2" + bytes(10),
        b"igen": generators(
            (53, 0), (53, 3), (34, 5), (43, span(0, 60)), (53, 1), (43, span(61, 127)), (53, 2), (0, 0)
        ),
        b"shdr": b"".join(sample(name, 8 * n) for n, name in enumerate([b"a", b"b", b"c", b"d"]))
        + sample(b"EOS", 0),
    }
    lists = (
        chunk(b"LIST", b"INFO" + chunk(b"ifil", bytes(4)))
        + chunk(b"LIST", b"sdta" + chunk(b"smpl", bytes(range(65))))  # odd, without padding, as in the wild
        + chunk(b"LIST", b"pdta" + b"".join(chunk(name, content) for name, content in index.items()))
    )
    return chunk(b"RIFF", b"sfbk" + lists)


@pytest.fixture
def font(tmp_path: Path) -> Path:
    path = tmp_path / "font.sf2"
    path.write_bytes(font_bytes())
    return path


def notes(*struck: tuple[int, int]) -> np.ndarray:
    mask = np.zeros((128, 128), bool)
    for note in struck:
        mask[note] = True
    return mask


def test_an_instrument_is_found_by_bank_and_program(font: Path) -> None:
    file = SoundfontFile(font)
    assert [file.has(bank, program) for bank, program in [(0, 0), (8, 0), (0, 1)]] == [True, True, False]


@pytest.mark.parametrize(
    ("struck", "samples"),
    [
        ([(40, 20)], {1}),
        ([(80, 20)], {2}),
        ([(80, 100)], {3}),
        ([(60, 63), (61, 64)], {1, 3}),
        ([(60, 1), (61, 1), (1, 127)], {1, 2, 3}),
        ([], set()),
    ],
)
def test_the_samples_of_the_zones_that_the_notes_fall_into_remain(
    font: Path, struck: list[tuple[int, int]], samples: set[int]
) -> None:
    assert SoundfontFile(font).subset(8, 0, notes(*struck)).samples == samples


def test_a_part_is_a_soundfont_whose_zones_read_as_before(font: Path, tmp_path: Path) -> None:
    image = SoundfontFile(font).subset(8, 0, notes((80, 20), (80, 100)))
    data = image.read(0, len(image))
    assert len(data) == struct.unpack_from("<I", data, 4)[0] + 8
    assert data[8:121] == font_bytes()[8:121]  # what lies before the index, samples and all
    again = tmp_path / "part.sf2"
    again.write_bytes(data)
    part = SoundfontFile(again)
    assert part.has(8, 0)
    assert not part.has(0, 0)
    whole = part.subset(8, 0, np.ones((128, 128), bool))
    assert whole.read(0, len(whole)) == data  # nothing is left to leave out, and nothing changes its place
    presets, instruments = part._zones("phdr", 0), [part._zones("inst", n) for n in (0, 1)]
    assert [zone.generators.tolist() for zone in presets] == [
        [(48, 30)],
        [(44, span(0, 63)), (41, 0)],
        [(44, span(64, 127)), (41, 1)],
    ]
    assert [zone.modulators.tobytes() for zone in presets] == [b"modulator1", b"", b""]
    assert [[zone.generators.tolist() for zone in zones] for zones in instruments] == [
        [[(34, 5)], [(43, span(61, 127)), (53, 0)]],
        [[(53, 1)]],
    ]
    assert part._index["shdr"]["head"][:-1].tobytes() == sample(b"c", 16)[:42] + sample(b"d", 24)[:42]


def test_reading_across_the_pieces_of_an_image_gives_the_same_bytes(font: Path) -> None:
    image = SoundfontFile(font).subset(8, 0, notes((80, 20)))
    whole = image.read(0, 10**6)
    assert len(whole) == len(image)
    assert b"".join(image.read(at, 7) for at in range(0, len(image), 7)) == whole


@pytest.mark.parametrize("length", [12, 30, 100, 300, -1])
def test_a_cut_off_soundfont_is_refused(font: Path, length: int) -> None:
    font.write_bytes(font_bytes()[:length])
    with pytest.raises(ValueError, match=r"cut off|no samples"):
        SoundfontFile(font)
