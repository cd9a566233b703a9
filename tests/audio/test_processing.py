"""Recordings in, waveforms and windows out."""

from __future__ import annotations

import math
import tracemalloc
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile
import soxr
from hypothesis import example, given
from hypothesis import strategies as st

from tocco.audio.description import describe_audio
from tocco.audio.processing import (
    AudioLimits,
    DescribedStream,
    load_audio,
    normalize_audio,
    segment_audio,
    segment_bounds,
    stream_audio,
)
from tocco.errors import InputError
from tocco.units import SAMPLE_RATE_HZ

LOSSLESS = ["wav", "aiff", "flac", "alac.m4a"]
LOSSY = ["mp3", "ogg", "m4a", "fast.m4a", "webm", "opus"]


def lag_samples(heard: np.ndarray, reference: np.ndarray) -> int:
    """Samples by which one waveform comes after another, by cross-correlation."""
    n = len(heard) + len(reference)
    product = np.fft.rfft(heard, n) * np.conj(np.fft.rfft(reference, n))
    lag = int(np.argmax(np.fft.irfft(product, n)))
    return lag if lag < n // 2 else lag - n


def mono_24k(samples: np.ndarray, rate_hz: int) -> np.ndarray:
    return soxr.resample(samples.mean(axis=1), rate_hz, SAMPLE_RATE_HZ)


@pytest.mark.parametrize("kind", LOSSLESS)
def test_lossless_kinds_load_as_they_were_recorded(encode, chirp, kind: str) -> None:
    audio = load_audio(encode(kind, chirp, 44_100))
    assert audio.dtype == np.float32
    assert audio.shape == (48_000,)
    np.testing.assert_allclose(audio, mono_24k(chirp, 44_100), atol=1.5 / 32768)


@pytest.mark.parametrize("kind", LOSSY)
def test_lossy_kinds_load_in_time_and_in_shape(encode, chirp, kind: str) -> None:
    audio = load_audio(encode(kind, chirp, 44_100))
    reference = mono_24k(chirp, 44_100)
    assert 0 <= len(audio) - len(reference) <= 0.025 * SAMPLE_RATE_HZ
    assert abs(lag_samples(audio, reference)) <= 1
    assert np.corrcoef(audio[: len(reference)], reference)[0, 1] > 0.99


def test_raw_aac_comes_late_by_its_encoder_delay_only(encode, chirp) -> None:
    lag_sec = lag_samples(load_audio(encode("aac", chirp, 44_100)), mono_24k(chirp, 44_100)) / SAMPLE_RATE_HZ
    assert lag_sec == pytest.approx(1024 / 44_100, abs=2 / SAMPLE_RATE_HZ)


@pytest.mark.parametrize("kind", ["mp3", "m4a", "webm", "flac", "ogg"])
def test_the_content_decides_not_the_name(encode, chirp, kind: str) -> None:
    path = encode(kind, chirp, 44_100)
    expected = load_audio(path)
    for suffix in (".wav", ".raw", ""):
        renamed = path.with_name(f"other{suffix}")
        renamed.write_bytes(path.read_bytes())
        np.testing.assert_array_equal(load_audio(renamed), expected)


@pytest.mark.parametrize(
    ("subtype", "atol"),
    [
        ("PCM_U8", 1 / 128),
        ("PCM_16", 1 / 32768),
        ("PCM_24", 1e-6),
        ("PCM_32", 1e-6),
        ("FLOAT", 0),
        ("DOUBLE", 0),
    ],
)
def test_every_sample_format_reads_the_same(tmp_path: Path, rng, subtype: str, atol: float) -> None:
    audio = rng.uniform(-0.9, 0.9, 24_000).astype(np.float32)
    soundfile.write(tmp_path / "take.wav", audio, 24_000, subtype=subtype)
    np.testing.assert_allclose(load_audio(tmp_path / "take.wav"), audio, atol=atol)


@pytest.mark.parametrize("n_channels", [1, 2, 3, 6, 11])
def test_channels_are_averaged(tmp_path: Path, rng, n_channels: int) -> None:
    samples = rng.uniform(-0.9, 0.9, (24_000, n_channels)).astype(np.float32)
    soundfile.write(tmp_path / "take.wav", samples, 24_000, subtype="FLOAT")
    np.testing.assert_allclose(load_audio(tmp_path / "take.wav"), samples.mean(axis=1), atol=1e-6)


@pytest.mark.parametrize("rate_hz", [8_000, 11_025, 16_000, 22_050, 32_000, 44_100, 48_000, 96_000, 192_000])
def test_streamed_resampling_is_soxr_on_the_whole(tmp_path: Path, rng, rate_hz: int) -> None:
    audio = (0.1 * rng.standard_normal(3 * rate_hz + 17)).astype(np.float32)
    soundfile.write(tmp_path / "take.wav", audio, rate_hz, subtype="FLOAT")
    loaded, whole = load_audio(tmp_path / "take.wav"), soxr.resample(audio, rate_hz, SAMPLE_RATE_HZ)
    assert abs(len(loaded) - len(audio) * SAMPLE_RATE_HZ / rate_hz) <= 0.5
    assert len(loaded) == len(whole)
    np.testing.assert_allclose(loaded, whole, atol=1e-6)


def test_resampling_is_band_limited(tmp_path: Path) -> None:
    t = np.arange(96_000) / 48_000
    soundfile.write(tmp_path / "take.wav", 0.5 * np.sin(2 * np.pi * 15_000 * t), 48_000, subtype="FLOAT")
    middle = load_audio(tmp_path / "take.wav")[2_400:-2_400]
    assert np.abs(middle).max() < 1e-4  # 15 kHz does not fold down to 9 kHz


def test_a_pure_tone_keeps_its_pitch_and_level(tmp_path: Path) -> None:
    t = np.arange(96_000) / 48_000
    soundfile.write(tmp_path / "take.wav", 0.5 * np.sin(2 * np.pi * 440 * t), 48_000, subtype="FLOAT")
    audio = load_audio(tmp_path / "take.wav")
    expected = 0.5 * np.sin(2 * np.pi * 440 * np.arange(48_000) / 24_000)
    np.testing.assert_allclose(audio[500:-500], expected[500:-500], atol=1e-4)


@pytest.mark.parametrize("block_sec", [0.01, 0.37, 1.0, 10.0])
def test_blocks_join_to_the_whole(encode, chirp, block_sec: float) -> None:
    path = encode("mp3", chirp, 44_100)
    blocks = list(stream_audio(path, block_sec=block_sec))
    assert {len(b) for b in blocks[:-1]} <= {round(block_sec * SAMPLE_RATE_HZ)}
    assert 0 < len(blocks[-1]) <= round(block_sec * SAMPLE_RATE_HZ)
    np.testing.assert_array_equal(np.concatenate(blocks), load_audio(path))


def test_streaming_takes_no_more_memory_for_longer_recordings(tmp_path: Path) -> None:
    def peak_bytes(duration_sec: int) -> int:
        path = tmp_path / f"{duration_sec}.flac"
        soundfile.write(path, np.zeros(duration_sec * 24_000, np.int16), 24_000)
        tracemalloc.start()
        n = sum(len(block) for block in stream_audio(path))
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert n == duration_sec * 24_000
        return peak

    assert max(peak_bytes(60), peak_bytes(600)) < 16e6  # ten minutes are 58 MB at once


@pytest.mark.parametrize(
    "kind", ["wav", "aiff", "flac", "mp3", "ogg", "m4a", "fast.m4a", "alac.m4a", "aac", "webm", "opus"]
)
@pytest.mark.parametrize("kept", [0.3, 0.77])
def test_a_file_that_was_cut_off_is_refused(encode, chirp, kind: str, kept: float, capfd) -> None:
    path = encode(kind, np.tile(chirp, (3, 1)), 44_100)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * kept)])
    with pytest.raises(InputError, match="cut off") as caught:
        load_audio(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)
    assert capfd.readouterr() == ("", "")  # no decoder talks past us


def test_a_wav_written_to_a_pipe_has_no_size_to_break(encode, chirp) -> None:
    path = encode("wav", chirp, 44_100)
    content = bytearray(path.read_bytes())
    at = content.index(b"data") + 4
    content[4:8] = content[at : at + 4] = b"\xff\xff\xff\xff"
    path.write_bytes(content)
    assert len(load_audio(path)) == 48_000


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_samples_that_are_no_numbers_are_refused(tmp_path: Path, value: float) -> None:
    audio = np.zeros((48_000, 2), np.float32)
    audio[12_000, 1] = value
    soundfile.write(tmp_path / "take.wav", audio, 24_000, subtype="FLOAT")
    with pytest.raises(InputError, match=r"NaN or infinite samples \(first at 0\.500 s\)"):
        load_audio(tmp_path / "take.wav")


def test_lengths_outside_the_limits_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "take.wav"
    for n, allowed in ((0, False), (11_999, False), (12_000, True)):
        soundfile.write(path, np.full(n, 0.1), 24_000)
        if allowed:
            assert len(load_audio(path)) == n
            continue
        with pytest.raises(InputError, match="too short" if n else r"empty \(0 samples\)"):
            load_audio(path)
    soundfile.write(path, np.full(48_000, 0.1), 24_000)
    with pytest.raises(InputError, match=r"too long \(2 s or more\) \(allowed: 0\.5 to 1\.5 s\)"):
        load_audio(path, limits=AudioLimits(max_sec=1.5))


def test_the_upper_limit_holds_while_decoding_whatever_the_header_says(encode, chirp) -> None:
    path = encode("aac", np.tile(chirp[:, :1], (4, 1)), 44_100)  # raw AAC states no length
    blocks = stream_audio(path, block_sec=0.5, limits=AudioLimits(max_sec=4.0))
    seen: list[int] = []
    with pytest.raises(InputError, match="too long"):
        seen.extend(len(block) for block in blocks)
    assert 3.0 * SAMPLE_RATE_HZ < sum(seen) <= 4.0 * SAMPLE_RATE_HZ


@pytest.mark.parametrize("rate_hz", [4_000, 500_000])
def test_rates_that_no_recorder_uses_are_refused(tmp_path: Path, rate_hz: int) -> None:
    soundfile.write(tmp_path / "take.wav", np.full(rate_hz, 0.1), rate_hz)
    with pytest.raises(InputError, match=rf"sample rate of {rate_hz} Hz \(allowed: 8000 to 384000 Hz\)"):
        load_audio(tmp_path / "take.wav")


@pytest.mark.parametrize("kind", ["wav", "flac", "mp3", "ogg", "m4a", "webm", "aac"])
def test_noise_behind_a_good_beginning_is_one_named_error(
    tmp_path: Path, encode, chirp, rng, kind: str
) -> None:
    head = encode(kind, chirp, 44_100).read_bytes()[:48]
    path = tmp_path / "broken"
    path.write_bytes(head + rng.bytes(20_000))
    with pytest.raises(InputError) as caught:
        load_audio(path)
    assert "\n" not in str(caught.value)


def test_a_block_of_no_length_is_refused_at_once(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="block_sec"):
        stream_audio(tmp_path / "any.wav", block_sec=0.0)


def test_the_peak_is_set_and_the_level_remembered(rng) -> None:
    audio = (0.01 * rng.standard_normal(24_000)).astype(np.float32)
    result = normalize_audio(audio)
    assert 20 * math.log10(np.abs(result.waveform).max()) == pytest.approx(-3.0, abs=1e-4)
    assert result.original_rms_dbfs == pytest.approx(-40.0, abs=0.2)
    assert result.original_peak_dbfs + result.gain_db == pytest.approx(-3.0)
    np.testing.assert_allclose(result.waveform, audio * 10 ** (result.gain_db / 20), rtol=1e-5)


@given(gain_db=st.floats(-30, 30), target_db=st.floats(-20, 0))
def test_normalising_forgets_the_gain_of_the_recording(gain_db: float, target_db: float) -> None:
    audio = np.sin(np.arange(1000.0))
    once = normalize_audio(audio, target_db)
    again = normalize_audio(audio * 10 ** (gain_db / 20), target_db)
    np.testing.assert_allclose(again.waveform, once.waveform, atol=1e-5)
    assert again.original_rms_dbfs - once.original_rms_dbfs == pytest.approx(gain_db, abs=1e-6)


def test_silence_stays_silence() -> None:
    dither = np.where(np.arange(1000) % 2, 1, -1) / 32768
    for audio in (np.zeros(1000, np.float32), dither):
        result = normalize_audio(audio)
        assert result.gain_db == 0.0
        np.testing.assert_array_equal(result.waveform, audio.astype(np.float32))
    assert normalize_audio(np.zeros(10)).original_peak_dbfs == -120.0


@pytest.mark.parametrize("audio", [np.zeros(0), np.zeros((2, 10)), np.array([0.0, np.nan])])
def test_no_waveform_no_level(audio: np.ndarray) -> None:
    with pytest.raises(InputError, match="audio"):
        normalize_audio(audio)
    with pytest.raises(InputError, match="audio"):
        segment_audio(audio)


def test_a_target_over_full_scale_is_refused() -> None:
    for target_db in (0.1, math.nan):
        with pytest.raises(InputError, match="target_db"):
            normalize_audio(np.ones(10), target_db)


@pytest.mark.parametrize(
    ("duration_sec", "expected"),
    [
        (4.0, [[0, 4]]),
        (10.0, [[0, 10]]),
        (10.5, [[0, 10], [0.5, 10.5]]),
        (15.0, [[0, 10], [5, 15]]),
        (16.0, [[0, 10], [5, 15], [6, 16]]),
    ],
)
def test_windows_of_known_lengths(duration_sec: float, expected: list[list[float]]) -> None:
    np.testing.assert_allclose(segment_bounds(duration_sec), expected)


@given(
    duration_sec=st.floats(0.01, 500),
    segment_sec=st.floats(0.5, 30),
    overlap=st.floats(0, 0.95),
)
def test_windows_cover_the_recording_and_nothing_else(
    duration_sec: float, segment_sec: float, overlap: float
) -> None:
    bounds = segment_bounds(duration_sec, segment_sec, overlap)
    start, end = bounds.T
    assert start[0] == 0.0
    assert end[-1] == pytest.approx(duration_sec)
    assert (end <= duration_sec * (1 + 1e-12)).all()
    np.testing.assert_allclose(end - start, min(segment_sec, duration_sec))
    assert (np.diff(start) > 0).all()
    assert (np.diff(start) <= segment_sec * (1 - overlap) + 1e-9).all()
    assert (start[1:] <= end[:-1] + 1e-9).all()


@given(n_samples=st.integers(1, 5000), segment_sec=st.floats(0.3, 3), overlap=st.floats(0, 0.9))
@example(n_samples=1501, segment_sec=1.0625, overlap=0.0)
@example(n_samples=4000, segment_sec=1.0625, overlap=0.0)
def test_segments_are_views_that_cover_every_sample(
    n_samples: int, segment_sec: float, overlap: float
) -> None:
    audio = np.arange(n_samples, dtype=np.float32)
    segments = segment_audio(audio, segment_sec, overlap, sample_rate_hz=1000)
    heard = np.zeros(n_samples, bool)
    for segment in segments:
        first = round(segment.start_sec * 1000)
        assert len(segment.waveform) == min(n_samples, math.ceil(segment_sec * 1000 - 1e-6))
        np.testing.assert_array_equal(segment.waveform, audio[first : first + len(segment.waveform)])
        assert segment.end_sec == pytest.approx(segment.start_sec + len(segment.waveform) / 1000)
        assert np.shares_memory(segment.waveform, audio)
        heard[first : first + len(segment.waveform)] = True
    assert heard.all()
    assert segments[-1].end_sec == pytest.approx(n_samples / 1000)


def test_a_segment_cannot_be_written_to() -> None:
    segment = segment_audio(np.zeros(24_000 * 12, np.float32))[1]
    assert (segment.start_sec, segment.end_sec) == (2.0, 12.0)
    with pytest.raises(ValueError, match="read-only"):
        segment.waveform[0] = 1.0


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ((0.0,), "duration_sec"),
        ((math.nan,), "duration_sec"),
        ((10.0, 0.0), "segment_sec"),
        ((10.0, math.inf), "segment_sec"),
        ((10.0, 5.0, 1.0), "overlap"),
        ((10.0, 5.0, -0.1), "overlap"),
    ],
)
def test_windows_out_of_range_are_refused(arguments: tuple[float, ...], name: str) -> None:
    with pytest.raises(InputError, match=name):
        segment_bounds(*arguments)


def _ogg_crc(page: bytes) -> int:
    """Checksum of an Ogg page whose own is zero (RFC 3533)."""
    crc = 0
    for byte in page:
        crc ^= byte << 24
        for _ in range(8):
            crc = (crc << 1 ^ (0x04C11DB7 if crc & 0x80000000 else 0)) & 0xFFFFFFFF
    return crc


def _in_latin_1(content: bytes, *, is_ogg: bool) -> bytes:
    """A file whose title was written as UTF-8, written as Latin-1."""
    assert content.count(b"Prxlude") == 1
    at = content.index(b"Prxlude")
    content = content.replace(b"Prxlude", "Prélude".encode("latin-1"))
    if is_ogg:
        start = content.rindex(b"OggS", 0, at)
        end = content.index(b"OggS", at)
        page = content[start : start + 22] + bytes(4) + content[start + 26 : end]
        crc = _ogg_crc(page).to_bytes(4, "little")
        content = content[: start + 22] + crc + content[start + 26 :]
    return content


@pytest.mark.parametrize("kind", ["m4a", "alac.m4a", "webm", "opus", "ogg", "flac", "mp3", "wav"])
def test_a_title_in_latin_1_is_no_fault(tmp_path: Path, encode, chirp, kind: str, monkeypatch) -> None:
    if kind in ("ogg", "flac", "mp3", "wav"):
        path = tmp_path / f"take.{kind}"
        with soundfile.SoundFile(path, "w", 44_100, 2) as file:
            file.title = "Prxlude"
            file.write(chirp)
    else:
        opened = av.open

        def open_titled(*args, **kwargs):
            container = opened(*args, **kwargs)
            container.metadata["title"] = "Prxlude"
            return container

        monkeypatch.setattr(av, "open", open_titled)
        path = encode(kind, chirp, 44_100)
        monkeypatch.undo()
    expected = load_audio(path)
    path.write_bytes(_in_latin_1(path.read_bytes(), is_ogg=kind in ("opus", "ogg")))
    np.testing.assert_array_equal(load_audio(path), expected)


@pytest.mark.parametrize("kind", ["wav", "mp3", "m4a"])
def test_a_described_stream_has_the_blocks_of_the_one_and_the_description_of_the_other(
    encode, chirp, kind: str
) -> None:
    path = encode(kind, chirp, 44_100)
    stream = DescribedStream(path)
    with pytest.raises(ValueError, match="not been read to its end"):
        _ = stream.description
    np.testing.assert_array_equal(np.concatenate(list(stream)), load_audio(path))
    assert stream.description == describe_audio(path)


def test_a_stream_that_was_left_early_has_no_description(tmp_path: Path) -> None:
    path = tmp_path / "take.wav"
    soundfile.write(path, np.zeros(40 * SAMPLE_RATE_HZ, np.float32), SAMPLE_RATE_HZ)
    stream = DescribedStream(path)
    next(iter(stream))
    with pytest.raises(ValueError, match="not been read to its end"):
        _ = stream.description


def test_describing_a_stream_takes_no_more_memory_for_longer_recordings(tmp_path: Path) -> None:
    most = []
    for n_sec in (240, 480):
        path = tmp_path / f"{n_sec}.wav"
        soundfile.write(path, np.zeros(n_sec * SAMPLE_RATE_HZ, np.int16), SAMPLE_RATE_HZ)
        tracemalloc.start()
        assert sum(len(block) for block in DescribedStream(path)) == n_sec * SAMPLE_RATE_HZ
        most.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert most[1] < 1.01 * most[0]
