"""WAV and AIFF files whose stated sizes are not those of their sound."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tocco.audio.processing import load_audio
from tocco.errors import InputError

RATE_HZ = 24_000
SOUND = (0.3 * np.sin(np.arange(2 * RATE_HZ) * 0.1) * 32767).astype("<i2")
PCM = SOUND.tobytes()
LIST = b"LIST" + struct.pack("<I", 5) + b"INFOx\0"


def wav(size: int, pcm: bytes = PCM, *, before: bytes = b"", riff_size: int | None = None) -> bytes:
    form = struct.pack("<HHIIHH", 1, 1, RATE_HZ, 2 * RATE_HZ, 2, 16)
    body = b"WAVE" + b"fmt " + struct.pack("<I", 16) + form + before + b"data" + struct.pack("<I", size) + pcm
    return b"RIFF" + struct.pack("<I", len(body) if riff_size is None else riff_size) + body


def rf64(size: int) -> bytes:
    long = b"ds64" + struct.pack("<IQQQI", 28, 0, size, 0, 0)
    form = b"fmt " + struct.pack("<IHHIIHH", 16, 1, 1, RATE_HZ, 2 * RATE_HZ, 2, 16)
    return b"RF64\xff\xff\xff\xffWAVE" + long + form + b"data\xff\xff\xff\xff" + PCM


@pytest.fixture
def load(tmp_path: Path):
    def load_bytes(data: bytes) -> np.ndarray:
        (tmp_path / "take").write_bytes(data)
        return load_audio(tmp_path / "take")

    return load_bytes


@pytest.mark.parametrize("extra", [1, 16, 4000, -1, -16])
def test_a_size_that_is_off_by_less_than_a_tenth_of_a_second_is_tolerated(load, extra: int) -> None:
    audio = load(wav(len(PCM) + extra))
    assert len(audio) == len(SOUND) + min(extra, 0) // 2
    np.testing.assert_allclose(audio, SOUND[: len(audio)] / 32768, atol=1e-6)


@pytest.mark.parametrize("extra", [4801, 96_000, 0x7FFD_0000])
def test_a_recording_that_lacks_more_is_cut_off(load, extra: int) -> None:
    with pytest.raises(InputError, match="is cut off: its WAV header promises"):
        load(wav(len(PCM) + extra))


@pytest.mark.parametrize("n_missing", [1, 3, 4000])
def test_a_last_sample_may_be_torn(load, n_missing: int) -> None:
    assert len(load(wav(len(PCM), PCM[:-n_missing]))) == (len(PCM) - n_missing) // 2


@pytest.mark.parametrize("size", [0, 0xFFFF_FFFF, 0x7FFF_FFFF, 0x8000_0000, len(PCM) // 2])
@pytest.mark.parametrize("riff_size", [0, 36, 0xFFFF_FFFF, None])
@pytest.mark.parametrize("before", [b"", LIST, b"fact\4\0\0\0\0\0\0\0"])
def test_sound_whose_size_is_not_stated_is_read_to_its_end(
    load, size: int, riff_size: int | None, before: bytes
) -> None:
    audio = load(wav(size, before=before, riff_size=riff_size))
    np.testing.assert_allclose(audio, SOUND / 32768, atol=1e-6)


@pytest.mark.parametrize("size", [0, 0xFFFF_FFFF_FFFF_FFFF, len(PCM)])
def test_a_long_wav_is_read_to_its_end_too(load, size: int) -> None:
    assert len(load(rf64(size))) == len(SOUND)


@pytest.mark.parametrize(
    "tail", [LIST, b"id3 " + struct.pack("<I", 4000) + bytes(9000), b"abcd\2\0\0\0xy" + LIST]
)
def test_chunks_after_the_sound_are_no_sound(load, tail: bytes) -> None:
    assert len(load(wav(len(PCM), PCM + tail + tail * 500))) == len(SOUND)


def test_a_wav_without_sound_is_empty(load) -> None:
    for data in (wav(0, b""), wav(0, LIST)):
        with pytest.raises(InputError, match=r"is empty \(0 samples\)"):
            load(data)


@pytest.mark.parametrize(("n_missing", "is_whole"), [(2, True), (4000, True), (6000, False), (48_000, False)])
def test_an_aiff_is_cut_off_by_the_same_measure(tmp_path: Path, load, n_missing: int, is_whole: bool) -> None:
    soundfile.write(tmp_path / "take.aiff", SOUND, RATE_HZ, subtype="PCM_16")
    data = (tmp_path / "take.aiff").read_bytes()[:-n_missing]
    if is_whole:
        assert len(load(data)) == len(SOUND) - n_missing // 2
    else:
        with pytest.raises(InputError, match="is cut off: its AIFF header promises"):
            load(data)
