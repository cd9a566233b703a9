import time
import tracemalloc

import numpy as np
import pytest

from tocco.errors import InputError
from tocco.music.midi_events import CONTROL, MIDI_LIMITS, NOTE_OFF, NOTE_ON, MidiLimits, scan_midi

END = b"\x00\xff\x2f\x00"


def varlen(value):
    parts = [value & 0x7F]
    while value := value >> 7:
        parts.append(0x80 | value & 0x7F)
    return bytes(reversed(parts))


def tempo(delta, microsec_per_beat):
    return varlen(delta) + b"\xff\x51\x03" + microsec_per_beat.to_bytes(3, "big")


def file_of(*tracks, kind=1, division=480, announced=None):
    n_tracks = len(tracks) if announced is None else announced
    header = b"".join(x.to_bytes(2, "big") for x in (kind, n_tracks, division))
    return (
        b"MThd\x00\x00\x00\x06" + header + b"".join(b"MTrk" + len(t).to_bytes(4, "big") + t for t in tracks)
    )


def refusal(data, limits=MIDI_LIMITS):
    with pytest.raises(InputError) as caught:
        scan_midi(data, "take.mid", limits)
    text = str(caught.value)
    assert text.startswith("take.mid: ")
    return text


def test_ticks_follow_the_tempo_map_of_all_tracks():
    conductor = tempo(0, 500_000) + tempo(480, 1_000_000) + tempo(960, 250_000) + END
    notes = b"".join(varlen(d) + b"\x90\x3c\x40" for d in (240, 240, 480, 480, 480)) + END
    events = scan_midi(file_of(conductor, notes), "x")
    # 480 ticks a beat: 0.5 s to tick 480, then 1 s a beat to tick 1440, then 0.25 s a beat.
    np.testing.assert_allclose(events.time_sec, [0.25, 0.5, 1.5, 2.5, 2.75])
    assert events.track.tolist() == [1] * 5
    np.testing.assert_allclose(events.track_end_sec, [2.5, 2.75])


def test_of_several_tempi_at_one_tick_the_last_holds():
    track = tempo(0, 400_000) + tempo(0, 1_000_000) + b"\x83\x60\x90\x3c\x40" + END
    np.testing.assert_allclose(scan_midi(file_of(track), "x").time_sec, [1.0])


def test_without_a_tempo_a_beat_is_half_a_second():
    np.testing.assert_allclose(scan_midi(file_of(b"\x83\x60\x90\x3c\x40" + END), "x").time_sec, [0.5])


@pytest.mark.parametrize(("frames", "per_sec"), [(24, 24.0), (25, 25.0), (29, 30_000 / 1001), (30, 30.0)])
def test_smpte_ticks_are_parts_of_a_film_frame_and_know_no_tempo(frames, per_sec):
    track = tempo(0, 1_000_000) + varlen(4000) + b"\x90\x3c\x40" + END
    events = scan_midi(file_of(track, division=((256 - frames) << 8) | 40), "x")
    np.testing.assert_allclose(events.time_sec, [100 / per_sec])


def test_running_status_meta_and_system_exclusive_events_are_passed_over():
    track = (
        b"\x00\xff\x03\x05piano"
        b"\x00\xc0\x00\x0a\xd0\x05"  # program, channel pressure: one data byte each
        b"\x0a\x92\x3c\x40\x0a\x3e\x41"
        b"\x00\xf0\x03\x01\x02\xf7"
        b"\x0a\x40\x42\x0a\xe2\x00\x40\x0a\xb2\x40\x7f\x0a\x82\x3c\x00" + END + b"\x00\x90\x01\x01"
    )
    events = scan_midi(file_of(track, division=500), "x")
    assert events.kind.tolist() == [NOTE_ON] * 3 + [CONTROL, NOTE_OFF]
    assert events.number.tolist() == [60, 62, 64, 64, 60]
    assert events.value.tolist() == [64, 65, 66, 127, 0]
    assert set(events.channel.tolist()) == {2}
    np.testing.assert_allclose(events.time_sec, np.array([20, 30, 40, 60, 70]) / 1000)


def test_alien_chunks_are_skipped_and_drums_left_out():
    data = file_of(b"\x00\x99\x24\x40\x00\x90\x3c\x40" + END)
    data = data[:14] + b"XFIH\x00\x00\x00\x02ab" + data[14:]
    events = scan_midi(data, "x")
    assert events.number.tolist() == [60]
    assert events.has_drums


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"MThd\x00\x00\x00\x06\x00", "header is cut off"),
        (file_of(b"", kind=7), "format 7"),
        (file_of(b"", b"", kind=2), "separate patterns"),
        (file_of(END, division=0), "0 ticks"),
        (file_of(b"\x00\x90\x3c\x40" + END, division=0x8000), "SMPTE clock"),
        (file_of(END, announced=2), "announces 2 tracks, 1 are there"),
        (file_of(END)[:-2], "4 bytes is announced, 2 are left"),
        (file_of(b"\x00\x90\x3c"), "middle of an event"),
        (file_of(b"\x00"), "middle of an event"),
        (file_of(b"\x00\x3c\x40"), "without a status"),
        (file_of(b"\x00\x90\x3c\xc0"), "above 127"),
        (file_of(b"\xff\xff\xff\xff\x00\x90\x3c\x40"), "more than four bytes"),
        (file_of(b"\x00\xf2\x10"), "middle of an event"),
        (file_of(b"\x00\xff\x51\x03\x00\x00\x00"), "tempo of 0"),
        (file_of(b"\x00\xff\x51\x02\x01\x00"), "in 2 bytes"),
        (file_of(b"\x00\xff\x01\x7fabc"), "middle of an event"),
        (b"MThd\xff\xff\xff\xff" + bytes(8), "header of 4294967295 bytes"),
    ],
)
def test_broken_bytes_are_refused_by_name(data, words):
    assert words in refusal(data)


NOTE = b"\x00\x90\x3c\x40\x60\x3c\x00"


def pitches(data):
    events = scan_midi(data, "x")
    return events.number[(events.kind == NOTE_ON) & (events.value > 0)].tolist()


def note(pitch):
    return NOTE.replace(b"\x3c", bytes([pitch])) + END


@pytest.mark.parametrize("announced", [0, 1, 2])
def test_every_track_is_read_however_few_the_header_announces(announced):
    assert pitches(file_of(note(60), note(62), note(64), announced=announced)) == [60, 62, 64]


def test_what_stands_behind_the_announced_tracks_is_read_only_if_it_is_a_track():
    assert pitches(file_of(note(60)) + b"\0" * 20) == [60]
    assert pitches(file_of(note(60)) + b"XFIH\0\0\0\x02ab") == [60]
    assert pitches(file_of(note(60), NOTE)) == [60, 60]  # a last track without an end


def test_patterns_and_bombs_of_tracks_are_refused_however_few_the_header_announces():
    assert "holds 2 separate patterns" in refusal(file_of(note(60), note(62), kind=2, announced=1))
    assert pitches(file_of(note(60), kind=2)) == [60]
    many = file_of(*[END] * 300, announced=1)
    assert "holds more than 256 tracks (allowed: up to 256)" in refusal(many)


def with_length(track, stated):
    return b"MTrk" + stated.to_bytes(4, "big") + track


@pytest.mark.parametrize("stated", [-9, -4, -1, 1, 3, 500, 0x7FFFFFFF])
def test_a_wrong_length_is_mended_by_the_end_of_the_track(stated):
    first, second = note(60), note(62)
    wrong = with_length(first, len(first) + stated)
    right = with_length(second, len(second))
    header = file_of(announced=2)
    assert pitches(header + wrong + right) == [60, 62]
    assert pitches(header + right + wrong) == [62, 60]


def test_a_length_over_the_next_tracks_hides_none_of_them():
    tracks = [note(60), note(62), note(64)]
    rest = b"".join(with_length(t, len(t)) for t in tracks[1:])
    data = file_of(announced=3) + with_length(tracks[0], len(tracks[0]) + len(rest)) + rest
    assert pitches(data) == [60, 62, 64]


def test_a_track_of_no_bytes_before_data_is_broken():
    header = file_of(announced=1)
    assert "a track of 0 bytes is announced before other data" in refusal(header + with_length(note(60), 0))
    assert pitches(file_of(b"", note(60))) == [60]


def test_messages_for_a_wire_are_passed_over_with_their_data():
    wire = b"\x00\xf1\x30\x00\xf2\x10\x20\x00\xf3\x05"
    single = b"".join(b"\x00" + bytes([b]) for b in (0xF4, 0xF5, 0xF6, 0xF8, 0xF9, *range(0xFA, 0xFF)))
    events = scan_midi(file_of(b"\x00\x90\x3c\x40" + wire + single + b"\x0a\x3e\x41" + END), "x")
    assert events.number.tolist() == [60, 62]  # and the status still runs
    np.testing.assert_allclose(events.time_sec, [0.0, 10 * 0.5 / 480])


BOMBS = {
    "37 bytes, very long": file_of(tempo(0, 0xFFFFFF) + b"\xff\xff\xff\x7f\x90\x3c\x40", division=1),
    "a chunk of 4 GiB": b"MThd\0\0\0\6\0\1\0\1\1\xe0MTrk\xff\xff\xff\xff\0\x90\x40\x40",
    "65,535 tracks": file_of(announced=65_535),
    "empty meta events": file_of(b"\x00\xff\x01\x00" * 1_900_000),
    "notes without end": file_of(b"\x00\x90\x40\x40" + b"\x01\x40\x40" * 210_000),
    "pedal steps": file_of(b"\x00\xb0\x40\x40" + b"\x01\x40\x41" * 1_500_000),
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_refused(name):
    refusal(BOMBS[name])


@pytest.mark.slow
@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_refused_in_two_seconds(name):
    started = time.process_time()
    refusal(BOMBS[name])
    assert time.process_time() - started < 2.0


def test_the_largest_scan_stays_below_its_memory():
    tracemalloc.start()
    refusal(file_of(b"\x00\xb0\x40\x40" + b"\x01\x40\x41" * 100_000), MidiLimits(max_events=60_000))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    # A tenth of the events that are allowed; 512 MB is the bound for all of them.
    assert peak < 40e6


def test_limits_name_the_value_and_what_is_allowed():
    track = b"\x00\x90\x3c\x40" + b"\x83\x60\x3c\x00" * 9 + END
    assert "holds more than 5 events (allowed: up to 5)" in refusal(file_of(track), MidiLimits(max_events=5))
    assert "announces 2 tracks (allowed: up to 1)" in refusal(file_of(track, END), MidiLimits(max_tracks=1))
    assert "lasts 4.5 s (allowed: up to 4 s)" in refusal(file_of(track), MidiLimits(max_duration_sec=4.0))
    chord = b"\x00\x90\x3c\x40\x00\x3d\x40\x00\x3e\x40" + END
    assert "holds 3 notes (allowed: up to 2)" in refusal(file_of(chord), MidiLimits(max_notes=2))


def test_a_late_end_of_track_alone_is_no_reason_to_refuse():
    track = b"\x00\x90\x3c\x40\x60\x3c\x00" + b"\xff\xff\xff\x7f\xff\x2f\x00"
    assert len(scan_midi(file_of(track), "x").time_sec) == 2
