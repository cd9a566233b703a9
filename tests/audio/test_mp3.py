"""MP3 files whose stated length is missing, wrong, or that of another file."""

from __future__ import annotations

import io
import struct
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tocco.audio.decoding import open_sound
from tocco.audio.mpeg_frames import Frame, InfoTag, frame_header, frames, info_tag
from tocco.audio.processing import AudioLimits, load_audio
from tocco.errors import InputError

RATE_HZ = 44_100
DURATION_SEC = 4.0
FRAME_SEC = 1152 / RATE_HZ

ID3V2 = b"ID3\4\0\0\0\0\2\0" + bytes(256)
ID3V1 = b"TAG" + b"title".ljust(125, b"\0")
_ITEM = b"\5\0\0\0\0\0\0\0Title\0hello"


def _ape(flags: int) -> bytes:
    return b"APETAGEX" + struct.pack("<IIII", 2000, len(_ITEM) + 32, 1, flags) + bytes(8)


APE = _ape(0xA0000000) + _ITEM + _ape(0x80000000)
LYRICS = b"LYRICSBEGININD0000200000014LYRICS200"


@pytest.fixture(scope="module")
def sound() -> np.ndarray:
    """(S, 2) two quiet seconds and two loud ones, so that a variable bit rate varies."""
    t = np.arange(round(DURATION_SEC * RATE_HZ)) / RATE_HZ
    noise = np.random.default_rng(5).standard_normal(len(t))
    left = np.where(t < 2.0, 0.001, 0.2) * np.sin(2 * np.pi * (300 * t + 400 * t**2)) + 0.05 * noise * (t > 2)
    return np.stack([left, 0.5 * left], axis=1).astype(np.float32)


@pytest.fixture(scope="module")
def mp3(sound: np.ndarray) -> bytes:
    target = io.BytesIO()
    soundfile.write(target, sound, RATE_HZ, format="MP3", bitrate_mode="VARIABLE", compression_level=0.5)
    return target.getvalue()


def all_frames(data: bytes) -> list[Frame]:
    return list(frames(io.BytesIO(data), 0, len(data)))


def without_info(data: bytes) -> bytes:
    return data[all_frames(data)[0].header.size :]


def info_of(data: bytes) -> InfoTag:
    tag = info_tag(all_frames(data)[0])
    assert tag is not None
    return tag


def stating(data: bytes, n_frames: int, n_bytes: int) -> bytes:
    """The file with other numbers in its first frame, whose checksum is wrong then."""
    at = max(data.find(b"Xing"), data.find(b"Info")) + 8
    return data[:at] + struct.pack(">II", n_frames, n_bytes) + data[at + 8 :]


def without_extension(data: bytes) -> bytes:
    """The file with a Xing tag as the first encoders wrote it: no delay, no checksum."""
    at = max(data.find(b"Xing"), data.find(b"Info")) + 116
    return data[:at] + bytes(64) + data[at + 64 :]


@pytest.fixture
def load(tmp_path: Path):
    def load_bytes(data: bytes) -> np.ndarray:
        (tmp_path / "take.mp3").write_bytes(data)
        return load_audio(tmp_path / "take.mp3", sample_rate_hz=RATE_HZ)

    return load_bytes


def test_an_mp3_has_the_samples_that_were_encoded(load, mp3: bytes, sound: np.ndarray) -> None:
    audio = load(mp3)
    assert len(audio) == len(sound)
    reference, _ = soundfile.read(io.BytesIO(mp3), dtype="float32")
    np.testing.assert_allclose(audio, reference.mean(axis=1), atol=1e-5)


def test_a_variable_bit_rate_without_a_stated_length_is_read_to_its_end(load, mp3: bytes) -> None:
    bare = without_info(mp3)
    sizes = {frame.header.size for frame in all_frames(bare)}
    assert max(sizes) > 2 * min(sizes)
    assert len(load(bare)) == len(all_frames(bare)) * 1152
    # The delay of encoder and decoder is not stated any more, and stays in front.
    np.testing.assert_allclose(load(bare)[1105:][:176_400], load(mp3), atol=1e-4)


@pytest.mark.parametrize("frames_factor", [0.0, 0.5, 2.0])
@pytest.mark.parametrize("bytes_factor", [0.0, 0.5, 1.0, 2.0])
@pytest.mark.parametrize("change", [lambda data: data, without_extension], ids=["LAME", "Xing"])
def test_a_wrong_count_ends_nothing_and_promises_nothing(
    load, mp3: bytes, frames_factor: float, bytes_factor: float, change
) -> None:
    tag = info_of(mp3)
    wrong = stating(change(mp3), int(tag.n_frames * frames_factor), int(tag.n_bytes * bytes_factor))
    assert DURATION_SEC <= len(load(wrong)) / RATE_HZ <= DURATION_SEC + 0.06


def test_joined_files_are_read_one_after_the_other_without_a_gap(load, mp3: bytes) -> None:
    one = load(mp3)
    for joined in (mp3 + mp3, ID3V2 + mp3 + ID3V1 + ID3V2 + mp3 + APE + ID3V1):
        audio = load(joined)
        assert len(audio) == 2 * len(one)
        np.testing.assert_array_equal(audio[: len(one)], one)
        np.testing.assert_array_equal(audio[len(one) :], one)


@pytest.mark.parametrize("before", [b"", ID3V2, ID3V2 + ID3V2, ID3V2 + bytes(700)])
@pytest.mark.parametrize("after", [b"", ID3V1, APE, APE + ID3V1, LYRICS + ID3V1, _ITEM + _ape(0)])
def test_tags_at_either_end_are_no_sound(load, mp3: bytes, before: bytes, after: bytes) -> None:
    np.testing.assert_array_equal(load(before + mp3 + after), load(mp3))


def test_a_last_frame_that_is_cut_short_is_left_out(load, mp3: bytes) -> None:
    n_all = len(all_frames(without_info(mp3))) * 1152
    assert len(load(without_info(mp3)[:-50])) == n_all - 1152
    assert 0 < DURATION_SEC - len(load(mp3[:-50])) / RATE_HZ < 0.03


@pytest.mark.parametrize("change", [lambda data: data, without_extension], ids=["LAME", "Xing"])
def test_a_file_that_was_cut_off_lacks_the_stated_bytes_and_frames(load, mp3: bytes, change) -> None:
    # Not at the end of a frame: no copy stops just there.
    data = change(mp3)
    size = int(len(data) * 0.6)
    size += any(frame.at == size for frame in all_frames(data))
    with pytest.raises(InputError, match=r"is cut off: its header promises 4\.\d\d s, \d\.\d\d s can be"):
        load(data[:size])


@pytest.mark.parametrize("alien", [bytes(6000), b"\xff\xfb" * 3000, b"any text " * 600])
def test_bytes_in_the_middle_that_are_no_sound_are_damage(load, mp3: bytes, alien: bytes) -> None:
    half = all_frames(mp3)[80].at
    with pytest.raises(
        InputError, match=r"is damaged or cut off: the MP3 holds bytes at 2\.\d\d s that are no"
    ):
        load(mp3[:half] + alien + mp3[half:])
    assert len(load(mp3[:half] + alien[:40] + mp3[half:])) / RATE_HZ == pytest.approx(DURATION_SEC, abs=0.03)


def test_a_download_that_was_never_filled_is_damaged(load, mp3: bytes) -> None:
    half = len(mp3) // 2
    for data in (mp3, without_info(mp3)):
        with pytest.raises(InputError, match="is damaged or cut off"):
            load(data[:half] + bytes(half))


def test_parts_at_another_rate_are_refused(load, mp3: bytes, sound: np.ndarray) -> None:
    other = io.BytesIO()
    soundfile.write(other, sound, 32_000, format="MP3")
    with pytest.raises(InputError, match=r"changes its sample rate or channels at 4\.\d\d s"):
        load(mp3 + other.getvalue())


def test_a_tag_without_frames_is_no_mp3(load) -> None:
    with pytest.raises(
        InputError, match=r"looks like MP3 but cannot be opened \(no frames were found in it\)"
    ):
        load(ID3V2 + b"any text" * 1000)


def test_the_longest_recording_is_enforced_while_decoding(tmp_path: Path, mp3: bytes) -> None:
    path = tmp_path / "take.mp3"
    path.write_bytes(stating(mp3, 1, 400))
    with open_sound(path, AudioLimits(max_sec=2.0)) as opened:
        blocks = iter(opened.blocks)
        assert len(next(blocks)) / RATE_HZ < 2.0  # the sound streams
        with pytest.raises(InputError, match="is too long"):
            list(blocks)


@pytest.mark.parametrize(
    ("data", "size", "n_samples", "rate_hz", "n_channels"),
    [
        (b"\xff\xfb\x90\x64", 417, 1152, 44_100, 2),  # MPEG-1, 128 kbit/s: 144 * 128000 / 44100
        (b"\xff\xfb\x92\xc4", 418, 1152, 44_100, 1),  # padded, mono
        (b"\xff\xfb\x14\x00", 96, 1152, 48_000, 2),
        (b"\xff\xf3\x84\x00", 192, 576, 24_000, 2),  # MPEG-2, 64 kbit/s: 72 * 64000 / 24000
        (b"\xff\xe3\x18\xc0", 72, 576, 8_000, 1),  # MPEG-2.5
    ],
)
def test_headers_of_all_versions(
    data: bytes, size: int, n_samples: int, rate_hz: int, n_channels: int
) -> None:
    header = frame_header(data)
    assert header is not None
    found = (header.size, header.n_samples, header.sample_rate_hz, header.n_channels)
    assert found == (size, n_samples, rate_hz, n_channels)


@pytest.mark.parametrize(
    "data", [b"\xff\xfb\x00\x64", b"\xff\xfb\xf0\x64", b"\xff\xfb\x9c\x64", b"\xff\xfd\x90\x64"]
)
def test_what_is_no_header(data: bytes) -> None:
    assert frame_header(data) is None  # free bit rate, bad bit rate, reserved rate, layer II


def test_what_the_encoder_states_is_read_and_its_checksum_tested(mp3: bytes) -> None:
    tag, found = info_of(mp3), all_frames(mp3)
    assert (tag.n_frames, tag.n_bytes) == (len(found) - 1, len(mp3))
    assert (tag.delay, tag.is_intact) == (576 + 529, True)
    assert tag.delay + (tag.padding or 0) + round(DURATION_SEC * RATE_HZ) == tag.n_frames * 1152
    assert info_of(stating(mp3, 7, 9)).is_intact is False
    assert info_of(without_extension(mp3)) == InfoTag(tag.n_frames, tag.n_bytes, None, None, is_intact=None)
    assert all(b.at == a.at + a.header.size for a, b in pairwise(found))
    assert sum(info_tag(frame) is not None for frame in found) == 1
