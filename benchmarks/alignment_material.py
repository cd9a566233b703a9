"""Music with known truth for the alignment benchmark: corpora as arrays, and what is planted in them."""

from __future__ import annotations

import csv
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import symusic

from tocco.music.matching.chords import PlayedNotes, WrittenNotes
from tocco.music.matching.readings import Reading
from tocco.music.partitura_import import import_notation_library
from tocco.units import FloatArray, IntArray

_CLEAN_SEC = 0.15
"""A note this close to its annotated time, and to no other, is taken as the written one."""


_CHORD_SEC = 0.06
_MIN_RESTART_CHORDS = 4
_MIN_NOTES_AFTER_SKIP = 12


@dataclass(frozen=True, eq=False)
class Pair:
    """A performance, its score, and which notes belong together.

    Attributes
    ----------
    name
    written, played : both sides
    match : (K, 2) the truth; empty where it is not known
    beat, beat_sec : (Q,) annotated beats and their seconds; empty where there are none
    """

    name: str
    written: WrittenNotes
    played: PlayedNotes
    match: IntArray
    beat: FloatArray
    beat_sec: FloatArray


def vienna_pairs(folder: Path) -> list[Pair]:
    """The Vienna 4x22 match files: hand-corrected note by note (Goebl, 1999)."""
    partitura = import_notation_library("partitura")
    return [_vienna_pair(partitura, path) for path in sorted((folder / "match").glob("*.match"))]


def _vienna_pair(partitura, path: Path) -> Pair:
    performance, links, score = partitura.load_match(path, create_score=True)
    page = score[0].note_array(include_grace_notes=True)
    keys = performance[0].note_array()
    page = page[np.lexsort((page["pitch"], page["onset_quarter"]))]
    keys = keys[np.lexsort((keys["pitch"], keys["onset_sec"]))]
    page_index = {name: k for k, name in enumerate(page["id"])}
    key_index = {name: k for k, name in enumerate(keys["id"])}
    match = [
        (page_index[link["score_id"]], key_index[link["performance_id"]])
        for link in links
        if link["label"] == "match"
    ]
    onset_beat = page["onset_quarter"].astype(float)
    written = WrittenNotes(
        onset_beat - onset_beat.min(),
        page["duration_quarter"].astype(float),
        page["pitch"].astype(np.int64),
        page["is_grace"].astype(bool),
    )
    onset_sec = keys["onset_sec"].astype(float)
    played = PlayedNotes(
        onset_sec,
        onset_sec + keys["duration_sec"].astype(float),
        keys["pitch"].astype(np.int64),
        keys["velocity"].astype(np.int64),
    )
    return Pair(path.stem, written, played, np.array(sorted(match)), np.zeros(0), np.zeros(0))


def asap_pairs(folder: Path, count: int, rng: np.random.Generator) -> list[Pair]:
    """Performances of the ASAP corpus with their score MIDI and annotated beats (Foscarin et al., 2020).

    Those whose annotations have as many beats as the score's, in random order.
    """
    rows = list(csv.DictReader((folder / "metadata.csv").read_text(encoding="utf-8").splitlines()))
    pairs: list[Pair] = []
    for k in rng.permutation(len(rows)):
        if len(pairs) == count:
            break
        pair = _asap_pair(folder, rows[int(k)])
        if pair is not None:
            pairs.append(pair)
    return pairs


def _asap_pair(folder: Path, row: dict[str, str]) -> Pair | None:
    score_sec, kinds = _annotation(folder / row["midi_score_annotations"])
    played_sec, played_kinds = _annotation(folder / row["performance_annotations"])
    if len(score_sec) != len(played_sec):
        return None
    ticks = symusic.Score(folder / row["midi_score"])
    page_beat = _columns(ticks, 1.0 / ticks.ticks_per_quarter)
    page_sec = _columns(ticks.to("second"), 1.0)
    keys = _columns(symusic.Score(folder / row["midi_performance"]).to("second"), 1.0)
    # One key, one stroke: of a note stated twice, the longest stays.
    order = np.lexsort((-page_beat[:, 1], page_beat[:, 2], page_beat[:, 0]))
    again = (np.diff(page_beat[order][:, [0, 2]], axis=0, prepend=-1.0) == 0).all(axis=1)
    page_beat, page_sec = page_beat[order[~again]], page_sec[order[~again]]
    keys = keys[np.lexsort((keys[:, 2], keys[:, 0]))]
    sec, first = np.unique(np.round(page_sec[:, 0], 6), return_index=True)
    beat = np.interp(score_sec, sec, page_beat[first, 0], left=np.nan, right=np.nan)
    # "bR" marks a beat that the annotators could not place in a rubato passage.
    sure = np.isfinite(beat) & (played_kinds != "bR") & (kinds != "bR")
    written = WrittenNotes(
        page_beat[:, 0],
        page_beat[:, 1],
        page_beat[:, 2].astype(np.int64),
        np.zeros(len(page_beat), dtype=bool),
    )
    played = PlayedNotes(
        keys[:, 0], keys[:, 0] + keys[:, 1], keys[:, 2].astype(np.int64), keys[:, 3].astype(np.int64)
    )
    none = np.zeros((0, 2), dtype=np.int64)
    return Pair(row["midi_performance"], written, played, none, beat[sure], played_sec[sure])


def _annotation(path: Path) -> tuple[FloatArray, np.ndarray]:
    lines = [line.split("\t") for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    kinds = np.array([cells[2].split(",")[0].strip() for cells in lines])
    return np.array([float(cells[0]) for cells in lines]), kinds


def _columns(score, unit: float) -> FloatArray:
    """(N, 4) onset, duration, pitch, velocity of every pitched note."""
    tracks = [track.notes.numpy() for track in score.tracks if not track.is_drum and len(track.notes)]
    return np.concatenate(
        [np.column_stack([t["time"] * unit, t["duration"] * unit, t["pitch"], t["velocity"]]) for t in tracks]
    )


def take_written(written: WrittenNotes, index: IntArray) -> WrittenNotes:
    """Some of the written notes, in the given order."""
    return WrittenNotes(
        written.onset_beat[index], written.duration_beat[index], written.pitch[index], written.is_grace[index]
    )


def take_played(played: PlayedNotes, index: IntArray) -> PlayedNotes:
    """Some of the played notes, in the given order."""
    return PlayedNotes(
        played.onset_sec[index], played.offset_sec[index], played.pitch[index], played.velocity[index]
    )


def clean_pair(pair: Pair) -> Pair:
    """The notes of an ASAP pair that the beat annotations alone put together, without an aligner.

    Each written note is due where the annotated beats say; it and a played note of its pitch are a pair
    when each is the other's nearest, and near. All other notes of both sides are dropped, so every
    remaining one has a partner, with the player's own timing.
    """
    inside = (pair.written.onset_beat >= pair.beat[0]) & (pair.written.onset_beat <= pair.beat[-1])
    due = np.interp(pair.written.onset_beat, pair.beat, pair.beat_sec)
    match = []
    for pitch in np.unique(pair.written.pitch):
        page = np.flatnonzero((pair.written.pitch == pitch) & inside)
        keys = np.flatnonzero(pair.played.pitch == pitch)
        if len(page) == 0 or len(keys) == 0:
            continue
        distance = np.abs(due[page][:, None] - pair.played.onset_sec[keys])
        nearest_key, nearest_page = distance.argmin(axis=1), distance.argmin(axis=0)
        mutual = nearest_page[nearest_key] == np.arange(len(page))
        near = distance[np.arange(len(page)), nearest_key] < _CLEAN_SEC
        match += [(page[i], keys[nearest_key[i]]) for i in np.flatnonzero(mutual & near)]
    chosen = np.array(sorted(match))
    chosen_keys = np.sort(chosen[:, 1])
    return Pair(
        pair.name,
        take_written(pair.written, chosen[:, 0]),
        take_played(pair.played, chosen_keys),
        np.column_stack([np.arange(len(chosen)), np.searchsorted(chosen_keys, chosen[:, 1])]),
        pair.beat,
        pair.beat_sec,
    )


def in_time(played: PlayedNotes, owner: IntArray) -> tuple[PlayedNotes, IntArray]:
    """Notes sorted by onset, and what belongs to each."""
    order = np.lexsort((played.pitch, played.onset_sec))
    return take_played(played, order), owner[order]


def plant_errors(pair: Pair, rate: float, rng: np.random.Generator) -> Pair:
    """A clean pair with a share of wrong, of missing and of extra notes, each at the given rate."""
    n = len(pair.played)
    owner = np.empty(n, dtype=np.int64)
    owner[pair.match[:, 1]] = pair.match[:, 0]
    fate = rng.random(n)
    wrong, missing = fate < rate, (fate >= rate) & (fate < 2 * rate)
    step = rng.choice([-2, -1, 1, 2], n)
    pitch = np.clip(pair.played.pitch + np.where(wrong, step, 0), 0, 127)
    owner = np.where(wrong, -1, owner)
    model = rng.integers(0, n, rng.binomial(n, rate))
    # Never the same key: which of two strokes close together is the written one has no answer.
    interval = rng.integers(1, 13, len(model)) * rng.choice([-1, 1], len(model))
    played = PlayedNotes(
        np.concatenate(
            [pair.played.onset_sec, pair.played.onset_sec[model] + rng.uniform(-0.2, 0.2, len(model))]
        ),
        np.concatenate([pair.played.offset_sec, pair.played.offset_sec[model] + 0.2]),
        np.concatenate([pitch, np.clip(pair.played.pitch[model] + interval, 0, 127)]),
        np.concatenate([pair.played.velocity, pair.played.velocity[model]]),
    )
    owner = np.concatenate([owner, np.full(len(model), -1)])
    kept = np.concatenate([~missing, np.ones(len(model), dtype=bool)])
    played, owner = in_time(take_played(played, np.flatnonzero(kept)), owner[kept])
    keys = np.flatnonzero(owner >= 0)
    match = np.column_stack([owner[keys], keys])
    return replace(pair, played=played, match=match[np.argsort(match[:, 0])])


def plant_restart(pair: Pair, rng: np.random.Generator) -> tuple[Pair, tuple[float, float]]:
    """A player who stops, goes back by one to eight seconds of music, and plays on.

    At least `_MIN_RESTART_CHORDS` chords are played again: fewer are a repeated chord, not a restart.

    Returns
    -------
    The pair, and the seconds from the first note played twice to the last note before the stop.
    """
    sec = pair.played.onset_sec
    chords = np.flatnonzero(np.diff(sec, prepend=-np.inf) > _CHORD_SEC)
    place = int(rng.integers(len(chords) // 5, len(chords)))
    place = max(place, _MIN_RESTART_CHORDS)
    stop = float(sec[chords[place]])
    back = float(rng.uniform(1.0, 8.0))
    first = min(int(np.searchsorted(sec[chords], stop - back)), place - _MIN_RESTART_CHORDS)
    again, last = float(sec[chords[first]]), float(sec[chords[place] - 1])
    pause = float(rng.uniform(0.3, 1.5))
    before, after = sec < stop, sec >= again
    shift = stop - again + pause
    played = PlayedNotes(
        np.concatenate([sec[before], sec[after] + shift]),
        np.concatenate([pair.played.offset_sec[before], pair.played.offset_sec[after] + shift]),
        np.concatenate([pair.played.pitch[before], pair.played.pitch[after]]),
        np.concatenate([pair.played.velocity[before], pair.played.velocity[after]]),
    )
    return replace(pair, played=played, match=np.zeros((0, 2), dtype=np.int64)), (again, last)


def plant_skip(pair: Pair, rng: np.random.Generator) -> tuple[Pair, tuple[float, float]]:
    """A player who leaves out four to twenty-four beats and plays on in time.

    Returns
    -------
    The pair, and the first and last beat that are left out.
    """
    beat = pair.written.onset_beat
    length = float(rng.uniform(4.0, 24.0))
    last_beat = float(beat[-_MIN_NOTES_AFTER_SKIP])
    begin = float(rng.uniform(beat[0] + 4.0, max(last_beat - length, beat[0] + 5.0)))
    out = np.flatnonzero((beat >= begin) & (beat < begin + length))
    gone = np.isin(np.arange(len(pair.played)), pair.match[out, 1])
    sec = pair.played.onset_sec
    later = ~gone & (sec > np.median(sec[gone]))
    saved = float(sec[later].min() - sec[gone].min())
    shift = np.where(later, -saved, 0.0)[~gone]
    played = PlayedNotes(
        sec[~gone] + shift,
        pair.played.offset_sec[~gone] + shift,
        pair.played.pitch[~gone],
        pair.played.velocity[~gone],
    )
    played, _ = in_time(played, np.zeros(len(played), dtype=np.int64))
    none = np.zeros((0, 2), dtype=np.int64)
    return replace(pair, played=played, match=none), (float(beat[out[0]]), float(beat[out[-1]]))


def plant_repeats(pair: Pair, rng: np.random.Generator) -> tuple[list[Reading], PlayedNotes, int]:
    """A page with two repeats, read in all four ways, and played in one of them.

    Returns
    -------
    The readings, the performance, and the index of the reading that was played.
    """
    beat = pair.written.onset_beat
    cuts = np.sort(rng.choice(np.unique(np.floor(beat))[2:-2], 4, replace=False))
    edges = np.searchsorted(beat, cuts)
    printed = np.arange(len(beat))
    parts = np.split(printed, edges)
    ways = [(p, q) for p in (2, 1) for q in (2, 1)]
    taken = int(rng.integers(len(ways)))
    readings = []
    for first, second in ways:
        order = [parts[0], *[parts[1]] * first, parts[2], *[parts[3]] * second, parts[4]]
        readings.append(_lay_out(pair.written, [part for part in order if len(part)]))
    first, second = ways[taken]
    order = [parts[0], *[parts[1]] * first, parts[2], *[parts[3]] * second, parts[4]]
    return readings, _play_out(pair, [part for part in order if len(part)]), taken


def _lay_out(written: WrittenNotes, parts: list[IntArray]) -> Reading:
    onset, at = [], 0.0
    for part, following in zip(parts, [*parts[1:], None], strict=True):
        onset.append(written.onset_beat[part] - written.onset_beat[part[0]] + at)
        next_note = min(part[-1] + 1, len(written) - 1)
        at += (
            max(written.onset_beat[next_note] - written.onset_beat[part[0]], 0.5)
            if following is not None
            else 0
        )
    printed = np.concatenate(parts)
    notes = take_written(written, printed)
    return Reading(replace(notes, onset_beat=np.concatenate(onset)), printed)


def _play_out(pair: Pair, parts: list[IntArray]) -> PlayedNotes:
    pieces, at = [], 0.0
    key_of = pair.match[:, 1]
    for part in parts:
        keys = np.sort(key_of[part])
        piece = take_played(pair.played, keys)
        shift = at - piece.onset_sec[0]
        pieces.append(replace(piece, onset_sec=piece.onset_sec + shift, offset_sec=piece.offset_sec + shift))
        next_key = key_of[min(part[-1] + 1, len(key_of) - 1)]
        step = pair.played.onset_sec[next_key] - pair.played.onset_sec[keys[0]]
        at += float(max(step, piece.onset_sec[-1] - piece.onset_sec[0] + 0.05))
    whole = PlayedNotes(
        *(
            np.concatenate([getattr(p, name) for p in pieces])
            for name in ("onset_sec", "offset_sec", "pitch", "velocity")
        )
    )
    return in_time(whole, np.zeros(len(whole), dtype=np.int64))[0]
