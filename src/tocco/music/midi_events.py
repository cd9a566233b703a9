"""The bytes of a MIDI file, read within limits.

A MIDI file may lie about its size in a few bytes: a delta time of 2^28 ticks, a tempo of 16 s a beat,
a chunk longer than the file. So every byte is looked at once (twice where a track states a wrong length),
nothing is allocated by what a header announces, and the scan ends at the first limit that is passed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NoReturn

import numpy as np

from tocco.errors import InputError
from tocco.units import FloatArray, IntArray

NOTE_OFF: Final = 0x80
NOTE_ON: Final = 0x90
CONTROL: Final = 0xB0
DRUM_CHANNEL: Final = 9

_ONE_DATA_BYTE = frozenset((0xC0, 0xD0))
_SYSTEM_DATA_BYTES = {0xF1: 1, 0xF2: 2, 0xF3: 1}
_EVENT_NAMES = {
    NOTE_OFF: "a note-off",
    NOTE_ON: "a note-on",
    0xA0: "a key pressure",
    CONTROL: "a control change",
    0xE0: "a pitch bend",
}
_TRACK_ID = b"MTrk"
_DEFAULT_MICROSEC_PER_BEAT = 500_000
_SMPTE_FRAMES_PER_SEC = {24: 24.0, 25: 25.0, 29: 30_000 / 1001, 30: 30.0}


@dataclass(frozen=True)
class MidiLimits:
    """What a MIDI file may hold before it is refused.

    Three hours of very dense piano playing stay below every one of them.

    Attributes
    ----------
    max_bytes : bytes
    max_tracks : track chunks
    max_events : events of any kind
    max_notes : note-ons outside the drum channel
    max_duration_sec : seconds
        Time of the last note or pedal event.
    """

    max_bytes: int = 8 * 2**20
    max_tracks: int = 256
    max_events: int = 600_000
    max_notes: int = 200_000
    max_duration_sec: float = 3 * 3600.0


MIDI_LIMITS: Final = MidiLimits()


@dataclass(frozen=True, eq=False)
class MidiEvents:
    """Note and control events of all tracks in the order of their time, drums left out.

    Attributes
    ----------
    time_sec : (E,) seconds, ascending
    kind : (E,) NOTE_OFF, NOTE_ON or CONTROL
    channel : (E,) 0..15
    track : (E,) index of the track chunk
    number : (E,) 0..127, pitch or controller
    value : (E,) 0..127, velocity or controller value
    track_end_sec : (K,) seconds
        End of each track.
    has_drums : notes on the drum channel were left out
    """

    time_sec: FloatArray
    kind: IntArray
    channel: IntArray
    track: IntArray
    number: IntArray
    value: IntArray
    track_end_sec: FloatArray
    has_drums: bool


@dataclass
class _Scan:
    """What the tracks read so far hold: ticks, packed events and tempo changes."""

    source: str
    limits: MidiLimits
    n_events: int = 0

    def __post_init__(self) -> None:
        self.tick: list[int] = []
        self.word: list[int] = []
        self.track_size: list[int] = []
        self.track_end_tick: list[int] = []
        self.tempo: list[tuple[int, int]] = []

    def broken(self, problem: str) -> NoReturn:
        raise InputError(
            self.source, f"is a broken MIDI file: {problem}", next_step="export the MIDI again and retry"
        )

    def over(self, problem: str, allowed: str) -> NoReturn:
        raise InputError(self.source, problem, allowed=allowed, next_step="cut the file into shorter ones")


def scan_midi(data: bytes, source: str, limits: MidiLimits = MIDI_LIMITS) -> MidiEvents:
    """Every note and control event of a MIDI file, with its time under the tempo map.

    Parameters
    ----------
    data : the whole file
    source
        Name of the file, for messages.
    limits

    Raises
    ------
    InputError
        The bytes are no MIDI file, are broken or truncated, or pass a limit.
    """
    scan = _Scan(source, limits)
    data = _out_of_riff(data)
    kind, n_tracks, division, position = _header(data, scan)
    while (chunk := _next_chunk(data, position, n_tracks, scan)) is not None:
        name, position, end = chunk
        if name == _TRACK_ID:
            position = _scan_track(data, position, end, scan)
            if len(scan.track_size) > limits.max_tracks:
                scan.over(f"holds more than {limits.max_tracks} tracks", f"up to {limits.max_tracks}")
        else:
            position = end
    if kind == 2:
        _refuse_patterns(len(scan.track_size), scan)
    return _timed(scan, division)


def _out_of_riff(data: bytes) -> bytes:
    """The MIDI file inside a RIFF file of type RMID (.rmi); other bytes as they are."""
    if data[:4] != b"RIFF" or data[8:12] != b"RMID":
        return data
    position = 12
    while position + 8 <= len(data):
        size = int.from_bytes(data[position + 4 : position + 8], "little")
        if data[position : position + 4] == b"data":
            return data[position + 8 : position + 8 + size]
        position += 8 + size + size % 2
    return b""


def _next_chunk(data: bytes, position: int, n_tracks: int, scan: _Scan) -> tuple[bytes, int, int] | None:
    """Name, start and stated end of the next chunk; None after the last.

    The header's count of tracks is a minimum: a track beyond it is read, anything else beyond it is not.
    """
    n_found = len(scan.track_size)
    name = data[position : position + 4]
    if n_found >= n_tracks and name != _TRACK_ID:
        return None
    if position + 8 > len(data):
        scan.broken(f"the header announces {n_tracks} tracks, {n_found} are there")
    length = int.from_bytes(data[position + 4 : position + 8], "big")
    start = position + 8
    if name != _TRACK_ID and start + length > len(data):
        scan.broken(f"a chunk of {length} bytes is announced, {len(data) - start} are left")
    return name, start, start + length


def _header(data: bytes, scan: _Scan) -> tuple[int, int, int, int]:
    """Format, track count, division and position of the first track."""
    if data[:4] != b"MThd":
        scan.broken("it does not begin with MThd")
    if len(data) < 14:
        scan.broken("the header is cut off")
    length = int.from_bytes(data[4:8], "big")
    kind, n_tracks, division = (int.from_bytes(data[i : i + 2], "big") for i in (8, 10, 12))
    if length < 6 or 8 + length > len(data):
        scan.broken(f"a header of {length} bytes is announced")
    if kind > 2:
        scan.broken(f"format {kind} does not exist")
    if kind == 2:
        _refuse_patterns(n_tracks, scan)
    if n_tracks > scan.limits.max_tracks:
        scan.over(f"announces {n_tracks} tracks", f"up to {scan.limits.max_tracks}")
    if division == 0:
        scan.broken("a beat of 0 ticks")
    return kind, n_tracks, division, 8 + length


def _refuse_patterns(n_patterns: int, scan: _Scan) -> None:
    """Refuse the patterns of a format 2 file, whose order in time no file states; one alone is a track."""
    if n_patterns > 1:
        raise InputError(
            scan.source,
            f"holds {n_patterns} separate patterns (MIDI format 2)",
            allowed="formats 0 and 1",
            next_step="export the performance as format 0 or 1",
        )


def _varlen(track: bytes, position: int, scan: _Scan) -> tuple[int, int]:
    """A number of one to four bytes, seven bits each, and the position after it."""
    value = 0
    for i in range(position, position + 4):
        value = (value << 7) | (track[i] & 0x7F)
        if track[i] < 0x80:
            return value, i + 1
    scan.broken("a number of more than four bytes")


def _scan_track(data: bytes, start: int, end: int, scan: _Scan) -> int:
    """Append the events of one track; returns the position of the next chunk.

    Some writers state a wrong length. The end-of-track event settles it: where the stated end is not
    the end of an event, or lies beyond the file, the track ends with that event, if a chunk or nothing
    follows there. A track that states no bytes at all has no end to look for.
    """
    if start == end and data[end : end + 4] not in (b"", _TRACK_ID):
        scan.broken("a track of 0 bytes is announced before other data")
    n_before, n_events, n_tempi = len(scan.tick), scan.n_events, len(scan.tempo)
    stated = _read_events(data[start:end], scan)
    if stated.is_complete and end <= len(data) and _is_chunk_or_end(data, end):
        # What stands behind the end of a track is passed over, unless it is the next track.
        at_end = start + stated.size
        return _ended(stated, at_end if data[at_end : at_end + 4] == _TRACK_ID else end, n_before, scan)
    if stated.is_ended:
        return _ended(stated, start + stated.size, n_before, scan)
    del scan.tick[n_before:], scan.word[n_before:], scan.tempo[n_tempi:]
    scan.n_events = n_events
    whole = _read_events(data[start:], scan)
    if whole.is_ended and _is_chunk_or_end(data, start + whole.size):
        return _ended(whole, start + whole.size, n_before, scan)
    if end > len(data):
        scan.broken(f"a track of {end - start} bytes is announced, {len(data) - start} are left")
    scan.broken("a track ends in the middle of an event")


def _ended(track: _Track, next_position: int, n_before: int, scan: _Scan) -> int:
    scan.track_end_tick.append(track.end_tick)
    scan.track_size.append(len(scan.tick) - n_before)
    return next_position


def _is_chunk_or_end(data: bytes, position: int) -> bool:
    """Whether the next track stands here, another chunk, or nothing."""
    name = data[position : position + 4]
    return not name or name == _TRACK_ID or (len(data) >= position + 8 and name.isalnum())


@dataclass(frozen=True)
class _Track:
    """How the bytes of a track were read.

    Attributes
    ----------
    end_tick : time of the last event
    size : bytes up to and including the last event
    is_complete : the bytes end where an event ends
    is_ended : the last event is an end of track
    """

    end_tick: int
    size: int
    is_complete: bool
    is_ended: bool


def _read_events(track: bytes, scan: _Scan) -> _Track:
    """Append the events of the bytes of one track, as far as they go."""
    try:
        return _walk(track, scan)
    except IndexError:
        return _Track(0, 0, is_complete=False, is_ended=False)


def _walk(track: bytes, scan: _Scan) -> _Track:
    """Walk through one track; an event that reaches past the bytes raises IndexError."""
    tick_append, word_append, max_events = scan.tick.append, scan.word.append, scan.limits.max_events
    n_events, tick, position, status, length = scan.n_events, 0, 0, 0, len(track)
    is_end = False
    while position < length:
        delta = track[position]
        if delta < 0x80:
            position += 1
        else:
            delta, position = _varlen(track, position, scan)
        tick += delta
        n_events += 1
        if n_events > max_events:
            scan.over(f"holds more than {max_events} events", f"up to {max_events}")
        lead = track[position]
        if lead >= 0xF0:
            position, is_end = _skip_system(track, position, tick, scan)
            if is_end:
                break
            continue
        if lead >= 0x80:
            status = lead
            position += 1
        elif not status:
            scan.broken("an event without a status")
        number = track[position]
        if status & 0xF0 in _ONE_DATA_BYTE:
            position += 1
            continue
        value = track[position + 1]
        position += 2
        if (number | value) & 0x80:
            scan.broken(f"a data byte above 127 in {_EVENT_NAMES[status & 0xF0]}")
        tick_append(tick)
        word_append((status << 16) | (number << 8) | value)
    scan.n_events = n_events
    return _Track(tick, position, is_complete=True, is_ended=is_end)


def _skip_system(track: bytes, position: int, tick: int, scan: _Scan) -> tuple[int, bool]:
    """Pass over a system or meta event; tempo is kept, the end of the track is reported.

    System common and real-time messages are meant for a wire, yet some sequencers record them.
    """
    lead = track[position]
    if lead in (0xF0, 0xF7):
        size, position = _varlen(track, position + 1, scan)
        is_tempo = is_end = False
    elif lead == 0xFF:
        meta = track[position + 1]
        size, position = _varlen(track, position + 2, scan)
        is_tempo, is_end = meta == 0x51, meta == 0x2F
    else:
        size, position = _SYSTEM_DATA_BYTES.get(lead, 0), position + 1
        is_tempo = is_end = False
    if position + size > len(track):
        raise IndexError
    if is_tempo:
        tempo = int.from_bytes(track[position : position + size], "big")
        if size != 3 or tempo == 0:
            scan.broken(f"a tempo of {tempo} microseconds a beat in {size} bytes")
        scan.tempo.append((tick, tempo))
    return position + size, is_end


def _timed(scan: _Scan, division: int) -> MidiEvents:
    """Unpack the events, drop what no piano does, and put the rest on seconds."""
    word = np.array(scan.word, dtype=np.int64)
    tick = np.array(scan.tick, dtype=np.int64)
    track = np.repeat(np.arange(len(scan.track_size)), scan.track_size)
    kind, channel = (word >> 16) & 0xF0, (word >> 16) & 0x0F
    is_known = np.isin(kind, (NOTE_OFF, NOTE_ON, CONTROL))
    is_drum = is_known & (channel == DRUM_CHANNEL)
    n_notes = int(np.count_nonzero((kind == NOTE_ON) & ~is_drum & (word & 0x7F > 0)))
    if n_notes > scan.limits.max_notes:
        scan.over(f"holds {n_notes} notes", f"up to {scan.limits.max_notes}")
    # A track's events keep their order, and equal ticks keep the order of the tracks.
    kept = np.flatnonzero(is_known & ~is_drum)
    kept = kept[np.argsort(tick[kept], kind="stable")]
    time_sec = _sec_from_tick(tick[kept], scan, division)
    if len(time_sec) and time_sec[-1] > scan.limits.max_duration_sec:
        scan.over(f"lasts {time_sec[-1]:.4g} s", f"up to {scan.limits.max_duration_sec:g} s")
    return MidiEvents(
        time_sec=time_sec,
        kind=kind[kept],
        channel=channel[kept],
        track=track[kept],
        number=(word[kept] >> 8) & 0x7F,
        value=word[kept] & 0x7F,
        track_end_sec=_sec_from_tick(np.array(scan.track_end_tick, dtype=np.int64), scan, division),
        has_drums=bool(np.any(is_drum & (kind == NOTE_ON))),
    )


def _sec_from_tick(tick: IntArray, scan: _Scan, division: int) -> FloatArray:
    """Times of ticks: under the tempo changes of all tracks, or on the clock of film frames."""
    if division & 0x8000:
        frames, ticks_per_frame = 256 - (division >> 8), division & 0xFF
        if frames not in _SMPTE_FRAMES_PER_SEC or ticks_per_frame == 0:
            scan.broken(f"an SMPTE clock of {frames} frames a second, {ticks_per_frame} ticks each")
        return tick / (_SMPTE_FRAMES_PER_SEC[frames] * ticks_per_frame)
    changes = [(0, _DEFAULT_MICROSEC_PER_BEAT), *sorted(scan.tempo, key=lambda change: change[0])]
    change_tick, microsec_per_beat = np.array(changes, dtype=np.int64).T
    sec_per_tick = microsec_per_beat * 1e-6 / division
    change_sec = np.concatenate(([0.0], np.cumsum(np.diff(change_tick) * sec_per_tick[:-1])))
    # Of several changes at one tick the last holds: "right" finds it.
    change = np.searchsorted(change_tick, tick, side="right") - 1
    return change_sec[change] + (tick - change_tick[change]) * sec_per_tick[change]
