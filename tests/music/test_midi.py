from pathlib import Path

import numpy as np
import pytest
import symusic
from hypothesis import given, settings
from hypothesis import strategies as st

from tocco.errors import InputError, OutputError
from tocco.inference.bundle import example_path
from tocco.music.midi import MidiLimits, load_midi, save_midi, segment_midi
from tocco.music.midi_origin import is_transcription
from tocco.music.performance import PedalCurve, Performance

TICKS_PER_SEC = 1000


def varlen(value):
    parts = [value & 0x7F]
    while value := value >> 7:
        parts.append(0x80 | value & 0x7F)
    return bytes(reversed(parts))


def track_of(events, end_ms=0):
    """A track of (ms, status, number, value) events, in the order given."""
    data, now = b"", 0
    for ms, *message in events:
        data += varlen(ms - now) + bytes(message)
        now = ms
    return data + varlen(max(0, end_ms - now)) + b"\xff\x2f\x00"


def write(path, *tracks):
    """One millisecond a tick."""
    chunks = b"".join(b"MTrk" + len(t).to_bytes(4, "big") + t for t in tracks)
    path.write_bytes(b"MThd\x00\x00\x00\x06\x00\x01" + len(tracks).to_bytes(2, "big") + b"\x01\xf4" + chunks)
    return path


def load(tmp_path, *events, end_ms=0):
    return load_midi(write(tmp_path / "take.mid", track_of(events, end_ms)))


def spans(performance):
    return [
        (int(p), round(a * 1000), round(b * 1000))
        for p, a, b in zip(performance.pitch, performance.onset_sec, performance.offset_sec, strict=True)
    ]


def performance_of(onset, offset, pitch, velocity=None, sustain=None, duration=None):
    onset, offset = np.asarray(onset, float), np.asarray(offset, float)
    return Performance(
        onset_sec=onset,
        offset_sec=offset,
        pitch=np.asarray(pitch),
        velocity=np.full(len(onset), 64) if velocity is None else np.asarray(velocity),
        sustain=sustain or PedalCurve(),
        sostenuto=PedalCurve(),
        soft=PedalCurve(),
        duration_sec=float(offset.max()) if duration is None else duration,
    )


def test_notes_are_sorted_by_onset_then_pitch_and_end_at_their_note_off(tmp_path):
    performance = load(
        tmp_path,
        (100, 0x90, 64, 80),
        (100, 0x90, 60, 70),
        (300, 0x80, 64, 0),
        (400, 0x90, 60, 0),  # velocity 0 is a note-off
        (500, 0x90, 127, 1),
        (600, 0x90, 0, 127),
        (650, 0x80, 127, 3),
        (700, 0x80, 0, 9),
    )
    assert spans(performance) == [(60, 100, 400), (64, 100, 300), (127, 500, 650), (0, 600, 700)]
    assert performance.velocity.tolist() == [70, 80, 1, 127]
    assert performance.duration_sec == pytest.approx(0.7)
    assert performance.n_unmatched == 0
    assert performance.source.endswith("take.mid")


def test_a_restrike_ends_the_note_that_is_held(tmp_path):
    one = track_of([(0, 0x90, 60, 50), (1000, 0x80, 60, 0)])
    other = track_of([(400, 0x91, 60, 90), (700, 0x81, 60, 0)])
    performance = load_midi(write(tmp_path / "x.mid", one, other))
    assert spans(performance) == [(60, 0, 400), (60, 400, 700)]
    assert performance.velocity.tolist() == [50, 90]
    assert performance.n_unmatched == 0


def test_a_note_off_just_after_the_restrike_belongs_to_the_earlier_note(tmp_path):
    performance = load(
        tmp_path, (0, 0x90, 60, 50), (500, 0x90, 60, 60), (504, 0x80, 60, 0), (900, 0x80, 60, 0)
    )
    assert spans(performance) == [(60, 0, 500), (60, 500, 900)]
    assert performance.n_unmatched == 0


def test_a_lost_note_off_harms_only_its_own_note(tmp_path):
    performance = load(
        tmp_path,
        (0, 0x90, 60, 50),
        (500, 0x90, 60, 60),
        (700, 0x80, 60, 0),
        (1000, 0x90, 60, 60),
        (1200, 0x80, 60, 0),
    )
    assert spans(performance) == [(60, 0, 500), (60, 500, 700), (60, 1000, 1200)]
    assert performance.n_unmatched == 1


@pytest.mark.parametrize(("end_ms", "expected_ms"), [(2500, 2500), (60_000, 4100), (110, 150)])
def test_a_note_without_note_off_lasts_to_the_end_of_its_track_or_four_seconds(tmp_path, end_ms, expected_ms):
    performance = load(tmp_path, (100, 0x90, 60, 50), end_ms=end_ms)
    assert spans(performance) == [(60, 100, expected_ms)]
    assert performance.n_unmatched == 1


def test_many_unmatched_note_ons_each_last_until_the_next(tmp_path):
    performance = load(tmp_path, *((10 * i, 0x90, 60, 50) for i in range(20_001)))
    assert len(performance) == performance.n_unmatched == 20_001
    np.testing.assert_allclose(performance.offset_sec[:-1], performance.onset_sec[1:])


def test_strikes_of_one_key_at_one_time_are_one_note(tmp_path):
    one = track_of([(0, 0x90, 60, 50), (300, 0x80, 60, 0)])
    other = track_of([(0, 0x91, 60, 90), (200, 0x81, 60, 0)])
    performance = load_midi(write(tmp_path / "x.mid", one, other))
    assert spans(performance) == [(60, 0, 300)]
    assert performance.velocity.tolist() == [90]


def test_note_offs_without_a_note_are_ignored_and_zero_length_becomes_a_millisecond(tmp_path):
    performance = load(
        tmp_path, (0, 0x80, 60, 0), (100, 0x90, 62, 50), (100, 0x80, 62, 0), (200, 0x80, 62, 0)
    )
    assert spans(performance) == [(62, 100, 101)]


@pytest.mark.parametrize("controller", [120, 123])
def test_all_notes_off_ends_what_its_channel_holds(tmp_path, controller):
    performance = load(
        tmp_path,
        (0, 0x90, 60, 50),
        (0, 0x90, 64, 50),
        (0, 0x91, 67, 50),
        (300, 0xB0, controller, 0),
        (500, 0x81, 67, 0),
    )
    assert spans(performance) == [(60, 0, 300), (64, 0, 300), (67, 0, 500)]
    assert performance.n_unmatched == 0


def test_pedals_are_kept_as_steps_without_repeats(tmp_path):
    performance = load(
        tmp_path,
        (0, 0xB0, 64, 0),  # up before it was down: no step
        (0, 0x90, 60, 50),
        (100, 0xB0, 64, 30),
        (150, 0xB1, 64, 30),  # the same position from another channel
        (200, 0xB0, 64, 90),
        (200, 0xB0, 64, 100),  # of two at one time the last
        (250, 0xB0, 66, 127),
        (260, 0xB0, 67, 55),
        (300, 0x80, 60, 0),
        (400, 0xB1, 64, 0),
        (400, 0xB0, 121, 0),  # reset of all controllers
    )
    assert performance.sustain.time_sec == pytest.approx([0.1, 0.2, 0.4])
    assert performance.sustain.value.tolist() == [30, 100, 0]
    assert performance.sostenuto.time_sec == pytest.approx([0.25, 0.4])
    assert performance.soft.value.tolist() == [55, 0]
    assert performance.duration_sec == pytest.approx(0.4)  # the pedal held the note


def test_each_channel_has_a_pedal_of_its_own_and_the_lowest_pedal_counts(tmp_path):
    performance = load(
        tmp_path,
        (0, 0x90, 60, 50),
        (0, 0x91, 48, 50),
        (100, 0xB0, 64, 127),
        (200, 0xB1, 64, 80),
        (300, 0xB1, 64, 0),  # channel 1 lets go, channel 0 holds
        (400, 0xB1, 64, 100),
        (500, 0xB0, 64, 0),  # channel 0 lets go, channel 1 holds
        (600, 0xB0, 121, 0),  # a reset of channel 0 is none of channel 1
        (700, 0xB1, 64, 0),
        (800, 0x80, 60, 0),
        (800, 0x81, 48, 0),
    )
    assert performance.sustain.time_sec == pytest.approx([0.1, 0.5, 0.7])
    assert performance.sustain.value.tolist() == [127, 100, 0]


def test_a_midi_inside_riff_is_read(tmp_path):
    inner = write(tmp_path / "take.mid", track_of([(0, 0x90, 60, 50), (300, 0x80, 60, 0)])).read_bytes()
    info = b"LIST\x05\0\0\0INFOx\0"  # of odd size, and so padded
    data = b"data" + len(inner).to_bytes(4, "little") + inner
    body = b"RMID" + info + data
    path = tmp_path / "take.rmi"
    path.write_bytes(b"RIFF" + len(body).to_bytes(4, "little") + body)
    assert spans(load_midi(path)) == [(60, 0, 300)]
    path.write_bytes(b"RIFF" + len(body).to_bytes(4, "little") + body[:16])
    with pytest.raises(InputError, match="is a broken MIDI file: it does not begin with MThd"):
        load_midi(path)


def test_pedalling_after_the_last_note_stopped_does_not_lengthen_the_performance(tmp_path):
    performance = load(
        tmp_path, (0, 0x90, 60, 50), (300, 0x80, 60, 0), (5000, 0xB0, 64, 127), (6000, 0xB0, 64, 0)
    )
    assert performance.duration_sec == pytest.approx(0.3)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"RIFF\x00\x00\x00\x00WAVEfmt ", "not MIDI but WAV audio"),
        (b"fLaC\x00\x00\x00\x22", "FLAC"),
        (b"OggS\x00\x02", "OGG"),
        (b"ID3\x03\x00", "MP3"),
        (b"\xff\xfb\x90\x64", "MP3"),
        (b"\x00\x00\x00\x1cftypM4A ", "M4A"),
        (b"\x1aE\xdf\xa3\x01", "WebM"),
        (b"<?xml version='1.0'?>", "XML"),
        (b"PK\x03\x04\x00", "ZIP"),
        (b"hello", "is no MIDI file"),
    ],
)
def test_a_file_of_another_kind_is_named(tmp_path, content, words):
    path = tmp_path / "take.mid"
    path.write_bytes(content)
    with pytest.raises(InputError, match="allowed: a") as caught:
        load_midi(path)
    assert words in str(caught.value)


def test_missing_files_folders_and_files_too_large_are_refused(tmp_path):
    with pytest.raises(InputError, match="does not exist"):
        load_midi(tmp_path / "no.mid")
    with pytest.raises(InputError, match="is a folder"):
        load_midi(tmp_path)
    with pytest.raises(InputError, match="cannot be read"):
        load_midi("a\x00b.mid")
    path = write(tmp_path / "x.mid", track_of([(0, 0x90, 60, 50)]))
    path.write_bytes(path.read_bytes() + bytes(2 << 20))
    with pytest.raises(InputError, match=r"is a MIDI of 2\.01 MiB \(allowed: up to 2\.00 MiB\)"):
        load_midi(path, limits=MidiLimits(max_bytes=2 << 20))


@pytest.mark.parametrize("events", [(), ((0, 0xB0, 64, 127),), ((0, 0x99, 36, 90), (9, 0x89, 36, 0))])
def test_a_midi_without_piano_notes_is_refused(tmp_path, events):
    with pytest.raises(InputError, match="without piano notes"):
        load(tmp_path, *events)


def random_performance(rng, n=400):
    pitch = rng.integers(0, 128, n)
    onset = np.sort(rng.choice(60_000, n, replace=False)) / 1000 + 2e-4
    offset = onset + rng.uniform(0.01, 2.0, n)
    for key in range(128):
        of_key = np.flatnonzero(pitch == key)
        offset[of_key[:-1]] = np.minimum(offset[of_key[:-1]], onset[of_key[1:]])
    steps = np.sort(rng.uniform(0, 60, 50))
    curves = [PedalCurve(steps, rng.permutation(np.arange(1, 51)).astype(float)) for _ in range(3)]
    return Performance(
        onset, offset, pitch, rng.integers(1, 128, n), *curves, duration_sec=float(offset.max())
    )


def test_what_is_saved_is_loaded_to_a_quarter_of_a_millisecond(tmp_path, rng):
    original = random_performance(rng)
    save_midi(original, tmp_path / "x.mid")
    loaded = load_midi(tmp_path / "x.mid")
    np.testing.assert_array_equal(loaded.pitch, original.pitch)
    np.testing.assert_array_equal(loaded.velocity, original.velocity)
    np.testing.assert_allclose(loaded.onset_sec, original.onset_sec, atol=2.6e-4)
    np.testing.assert_allclose(loaded.offset_sec, original.offset_sec, atol=2.6e-4)
    for name in ("sustain", "sostenuto", "soft"):
        np.testing.assert_allclose(
            getattr(loaded, name).time_sec, getattr(original, name).time_sec, atol=2.6e-4
        )
        np.testing.assert_array_equal(getattr(loaded, name).value, getattr(original, name).value)
    assert [p.name for p in tmp_path.iterdir()] == ["x.mid"]


def test_saving_under_another_tempo_keeps_the_seconds(tmp_path, rng):
    original = random_performance(rng)
    save_midi(original, tmp_path / "x.mid", ticks_per_beat=960, tempo_bpm=97.3)
    np.testing.assert_allclose(load_midi(tmp_path / "x.mid").onset_sec, original.onset_sec, atol=5e-4)


def test_symusic_reads_the_same_notes_from_a_saved_file(tmp_path, rng):
    original = random_performance(rng)
    save_midi(original, tmp_path / "x.mid")
    notes = symusic.Score(str(tmp_path / "x.mid"), ttype="second").tracks[0].notes.numpy()
    order = np.lexsort((notes["pitch"], notes["time"]))
    loaded = load_midi(tmp_path / "x.mid")
    np.testing.assert_array_equal(notes["pitch"][order], loaded.pitch)
    np.testing.assert_array_equal(notes["velocity"][order], loaded.velocity)
    np.testing.assert_allclose(notes["time"][order], loaded.onset_sec, atol=1e-4)
    np.testing.assert_allclose((notes["time"] + notes["duration"])[order], loaded.offset_sec, atol=1e-4)


def test_saving_refuses_what_a_file_cannot_hold(tmp_path):
    one = performance_of([0.0], [1.0], [60])
    with pytest.raises(ValueError, match="shift it first"):
        save_midi(one.shifted(-0.5), tmp_path / "x.mid")
    with pytest.raises(ValueError, match="1 ms or less"):
        save_midi(one, tmp_path / "x.mid", ticks_per_beat=24)
    with pytest.raises(ValueError, match="without notes"):
        save_midi(segment_midi(one, np.array([[5.0, 6.0]]))[0], tmp_path / "x.mid")
    with pytest.raises(OutputError, match="cannot be written"):
        save_midi(one, tmp_path / "no" / "x.mid")
    (tmp_path / "folder").mkdir()
    with pytest.raises(OutputError):
        save_midi(one, tmp_path / "folder")
    assert [p.name for p in tmp_path.iterdir()] == ["folder"]


def test_a_segment_keeps_notes_held_over_its_edges_with_their_true_times():
    performance = performance_of(
        [0.0, 0.5, 1.5, 1.8, 2.0],
        [0.4, 1.2, 1.6, 3.0, 2.5],
        [60, 62, 64, 65, 67],
        sustain=PedalCurve(np.array([0.2, 0.9, 1.4, 2.2]), np.array([100.0, 40.0, 0.0, 90.0])),
    )
    (segment,) = segment_midi(performance, np.array([[1.0, 2.0]]))
    assert segment.pitch.tolist() == [62, 64, 65]
    np.testing.assert_allclose(segment.onset_sec, [-0.5, 0.5, 0.8])
    np.testing.assert_allclose(segment.offset_sec, [0.2, 0.6, 2.0])
    assert segment.struck_inside.tolist() == [False, True, True]
    assert segment.duration_sec == 1.0
    np.testing.assert_allclose(segment.sustain.time_sec, [0.0, 0.4])
    assert segment.sustain.value.tolist() == [40.0, 0.0]


def test_segments_outside_the_music_are_empty_and_bad_bounds_are_refused():
    performance = performance_of([0.0], [1.0], [60])
    before, after = segment_midi(performance, np.array([[-2.0, 0.0], [1.0, 4.0]]))
    assert len(before) == len(after) == 0
    assert after.duration_sec == 3.0
    with pytest.raises(ValueError, match="before it ends"):
        segment_midi(performance, np.array([[1.0, 1.0]]))
    with pytest.raises(ValueError, match="shape"):
        segment_midi(performance, np.array([1.0, 2.0]))


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 12))
def test_adjacent_segments_hold_every_strike_once(seed, n_segments):
    performance = random_performance(np.random.default_rng(seed), n=60)
    edges = np.linspace(0.0, performance.duration_sec, n_segments + 1)
    segments = segment_midi(performance, np.stack([edges[:-1], edges[1:]], axis=1))
    onset = np.concatenate([s.onset_sec[s.struck_inside] + e for s, e in zip(segments, edges, strict=False)])
    assert len(onset) == len(performance)
    np.testing.assert_allclose(onset, performance.onset_sec)
    when = np.linspace(0.01, performance.duration_sec - 0.01, 97)
    where = np.searchsorted(edges, when, side="right") - 1
    pedal = [segments[k].sustain.at(np.array([t - edges[k]]))[0] for k, t in zip(where, when, strict=True)]
    np.testing.assert_array_equal(pedal, performance.sustain.at(when))


@pytest.mark.data
def test_research_files_load_as_symusic_reads_them(corpus_dir):
    paths = sorted((corpus_dir / "vienna4x22" / "midi").glob("*.mid"))[::9]
    assert paths
    for path in paths:
        performance = load_midi(path)
        notes = [t.notes.numpy() for t in symusic.Score(str(path), ttype="second").tracks if not t.is_drum]
        onset = np.sort(np.concatenate([n["time"] for n in notes]))
        np.testing.assert_allclose(np.sort(performance.onset_sec), onset, atol=5e-4)
        assert performance.n_unmatched == 0


def test_a_file_says_that_its_notes_were_transcribed(tmp_path: Path) -> None:
    played = load_midi(example_path() / "minuet.mid")
    assert played.origin == "keys"
    save_midi(played, tmp_path / "heard.mid", transcriber="toy 1")
    heard = load_midi(tmp_path / "heard.mid")
    assert (heard.origin, len(heard)) == ("transcribed", len(played))
    assert is_transcription(tmp_path / "heard.mid")
    assert not is_transcription(example_path() / "minuet.mid")
    assert not is_transcription(tmp_path / "none.mid")
