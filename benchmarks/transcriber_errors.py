"""How a transcriber errs on rendered performances: the sizes that `TranscriberNoise` takes from it.

    python benchmarks/transcriber_errors.py --performances LABELS.jsonl --pieces FILE --scratch DIR \
        --transcriber "transkun/bin/python benchmarks/transkun_command.py {audio} {midi} ..." [-o FILE]

The middle minute of one take of each of some pieces is rendered and transcribed (kept in the scratch
folder), and what was heard is compared with the keys. A note is heard where one of its key begins within
50 ms; a press of the pedal is heard where a lift is within 150 ms of its own, since lifts are heard to the
hundredth of a second and presses are not: nothing changes in the sound until a key is let go.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from scipy.optimize import linear_sum_assignment, minimize

from tocco.audio.rendering import FluidSynthRenderer
from tocco.audio.transcription import CommandTranscriber
from tocco.data.records import LabelRecord, read_labels
from tocco.engines import LocalEngine
from tocco.evaluation.pseudo_labels.spot_check import excerpt
from tocco.files import file_name, read_names
from tocco.music.midi import load_midi
from tocco.music.performance import PEDAL_DOWN, Performance
from tocco.music.statistics.playing import pedal_crossings, read_playing, sounding_end_sec
from tocco.music.transcriber_noise import carried_sec
from tocco.pseudo_labels.observed.onsets import group_onsets
from tocco.pseudo_labels.observed.register_bias import register_slope
from tocco.units import BoolArray, FloatArray, IntArray

NOTE_SEC = 0.05
LIFT_SEC = 0.15
FAR_SEC = 0.1
EXCERPT_SEC = 60.0
VELOCITY_EDGES = (1, 15, 20, 25, 30, 40, 50, 60, 128)
EXTENSION_EDGES_SEC = (0.0, 0.1, 0.2, 0.4, 0.8, 3.0)
CARRIED_EDGES_SEC = (0.0, 0.1, 0.3, 1.0, 3.0, 10.0, 1e9)
REGISTERS = (24, 36, 48, 60, 72, 84, 96)


@dataclass(frozen=True, eq=False)
class HeardExcerpt:
    """One excerpt beside its transcription.

    Attributes
    ----------
    name
    keys, transcript
    pairs : (K, 2) index of the key, index of what was heard of it
    """

    name: str
    keys: Performance
    transcript: Performance
    pairs: IntArray

    @property
    def is_missed(self) -> BoolArray:
        """(N,) keys that nothing was heard of."""
        missed = np.ones(len(self.keys), dtype=bool)
        missed[self.pairs[:, 0]] = False
        return missed

    def error(self, what: str) -> FloatArray:
        """(K,) heard less played."""
        key, heard = self.pairs.T
        return getattr(self.transcript, what)[heard] - getattr(self.keys, what)[key].astype(float)


def pair_up(own: FloatArray, other: FloatArray, within: float) -> IntArray:
    """(K, 2) pairs nearer than a distance, as many as can be, then as near as can be."""
    apart = np.abs(own[:, None] - other)
    one, two = linear_sum_assignment(np.where(apart < within, apart, within * (1 + apart.size)))
    near = apart[one, two] < within
    return np.column_stack((one[near], two[near]))


def pair_notes(keys: Performance, transcript: Performance) -> IntArray:
    """Which heard note is which key."""
    found = []
    for pitch in np.unique(keys.pitch):
        own, other = (np.flatnonzero(one.pitch == pitch) for one in (keys, transcript))
        near = pair_up(keys.onset_sec[own], transcript.onset_sec[other], NOTE_SEC)
        found.append(np.column_stack((own[near[:, 0]], other[near[:, 1]])))
    return np.concatenate(found)


def hear(task: tuple[LabelRecord, CommandTranscriber, Path]) -> HeardExcerpt:
    """Render and transcribe the middle minute of a performance."""
    record, transcriber, scratch = task
    played = load_midi(record.midi_path)
    start = max(played.duration_sec - EXCERPT_SEC, 0.0) / 2.0
    keys = excerpt(played, start, min(start + EXCERPT_SEC, played.duration_sec))
    with FluidSynthRenderer(None) as renderer:
        transcript = transcriber.transcribe(renderer.render(keys), folder=scratch)
    return HeardExcerpt(record.segment_id, keys, transcript, pair_notes(keys, transcript))


def choose(records: list[LabelRecord], names: set[str], n: int, seed: int) -> list[LabelRecord]:
    """One take of each of some pieces."""
    pieces: dict[str, list[LabelRecord]] = {}
    for record in sorted(records, key=lambda record: record.segment_id):
        if file_name(record.piece_id) in names and record.midi_path and not record.is_score_rendering:
            pieces.setdefault(record.piece_id, []).append(record)
    rng = np.random.default_rng(seed)
    drawn = [sorted(pieces)[k] for k in rng.permutation(len(pieces))[:n]]
    return [pieces[piece][rng.integers(len(pieces[piece]))] for piece in drawn]


def logistic(feature: FloatArray, is_so: BoolArray) -> tuple[float, float]:
    """Middle and width of the logistic curve that fits best: P = 1 / (1 + exp((x - middle) / width))."""

    def loss(at: FloatArray) -> float:
        z = (feature - at[0]) / at[1]
        return float(np.logaddexp(0.0, np.where(is_so, z, -z)).sum())

    best = minimize(loss, [float(np.median(feature)), float(feature.std()) / 4.0], method="Nelder-Mead")
    return float(best.x[0]), float(best.x[1])


def core_sd(error: FloatArray) -> float:
    """Standard deviation of the middle: 1.4826 times the median distance from the median."""
    return float(1.4826 * np.median(np.abs(error - np.median(error))))


def report(heard: list[HeardExcerpt]) -> list[str]:
    """Everything that was measured, a line each."""
    n_notes = sum(len(one.keys) for one in heard)
    added = sum(len(one.transcript) - len(one.pairs) for one in heard)
    onset = np.concatenate([one.error("onset_sec") for one in heard])
    lines = [
        f"{len(heard)} excerpts of {EXCERPT_SEC:g} s, {n_notes} notes: "
        + ", ".join(one.name for one in heard),
        "",
        f"onsets heard less played: median {1000 * np.median(onset):.1f} ms, "
        f"sd of the middle {1000 * core_sd(onset):.1f} ms, sd {1000 * onset.std():.1f} ms",
        f"notes added: {added} ({added / n_notes:.4f} of the notes)",
    ]
    return [*lines, *_missed(heard), *_levels(heard), *_releases(heard), *_pedal(heard)]


def _missed(heard: list[HeardExcerpt]) -> list[str]:
    velocity = np.concatenate([one.keys.velocity for one in heard]).astype(float)
    missed = np.concatenate([one.is_missed for one in heard])
    middle, width = logistic(velocity, missed)
    lines = ["", f"notes missed: {missed.sum()} ({missed.mean():.4f})"]
    for low, high in pairwise(VELOCITY_EDGES):
        inside = (velocity >= low) & (velocity < high)
        lines.append(f"  velocity {low:3d}-{high - 1:3d}: {_share(missed, inside)}")
    return [*lines, f"  logistic in velocity: half at {middle:.1f}, width {width:.1f}"]


def _levels(heard: list[HeardExcerpt]) -> list[str]:
    key = [one.pairs[:, 0] for one in heard]
    played = np.concatenate([one.keys.velocity[k] for one, k in zip(heard, key, strict=True)]).astype(float)
    pitch = np.concatenate([one.keys.pitch[k] for one, k in zip(heard, key, strict=True)]).astype(float)
    level = played + np.concatenate([one.error("velocity") for one in heard])
    basis = np.column_stack([played, np.ones(len(played)), *_register_weights(pitch)[1:]])
    weight, *_ = np.linalg.lstsq(basis, level, rcond=None)
    rest = level - basis @ weight
    at = np.concatenate([[0.0], weight[2:]]) + weight[1] + 64.0 * (weight[0] - 1.0)
    return [
        "",
        f"velocity heard: slope {weight[0]:.3f}, sd about it {rest.std():.2f}, correlation "
        f"{np.corrcoef(played, level)[0, 1]:.3f}",
        "  heard less played at velocity 64, by key: "
        + ", ".join(f"{register} {off:+.1f}" for register, off in zip(REGISTERS, at, strict=True)),
        *_tilts(heard),
    ]


def _tilts(heard: list[HeardExcerpt]) -> list[str]:
    """Slope of velocity over pitch in the same position of a chord, as played and as transcribed."""
    struck, reported = (
        np.array([_tilt(performance) for performance in side])
        for side in ([one.keys for one in heard], [one.transcript for one in heard])
    )
    return [
        f"  an octave higher, in the same place of a chord: {what} {tilt.mean():+.1f} on average of the "
        f"excerpts, sd {tilt.std(ddof=1):.1f}"
        for what, tilt in (("played", struck), ("heard", reported), ("heard less played", reported - struck))
    ]


def _tilt(performance: Performance) -> float:
    """Steps of velocity an octave."""
    playing = read_playing(performance)
    return register_slope(playing.struck.pitch, playing.struck.velocity, group_onsets(playing, None, 0.0))


def _register_weights(pitch: FloatArray) -> list[FloatArray]:
    """Of straight lines between the keys of REGISTERS, level beyond."""
    unit = np.eye(len(REGISTERS))
    return [np.interp(pitch, REGISTERS, row) for row in unit]


def _releases(heard: list[HeardExcerpt]) -> list[str]:
    rows = []
    for one in heard:
        key = one.pairs[:, 0]
        ends = sounding_end_sec(one.keys)
        heard_end = sounding_end_sec(one.transcript)[one.pairs[:, 1]]
        down = one.keys.sustain.at(one.keys.offset_sec[key]) >= PEDAL_DOWN
        rows.append(
            np.column_stack(
                (one.error("offset_sec"), (ends - one.keys.offset_sec)[key], down, heard_end - ends[key])
            )
        )
    error, rings_on, down, end_error = np.concatenate(rows).T
    up = down == 0.0
    lines = ["", f"releases with the pedal up: {_spread(error[up])}"]
    lines.append(f"releases with it down: {_spread(error[~up])}")
    for low, high in pairwise(EXTENSION_EDGES_SEC):
        inside = ~up & (rings_on > low) & (rings_on <= high)
        lines.append(f"  ringing on for {low:g}-{high:g} s: {_spread(error[inside])}")
    lines.append(f"end of the sound, key and pedal together: {_spread(end_error)}")
    long = ~up & (rings_on > 2.0 * FAR_SEC) & (rings_on < EXTENSION_EDGES_SEC[-1])
    hidden = (error[long] > FAR_SEC).sum() / (1.0 - FAR_SEC / rings_on[long]).sum()
    return [*lines, f"  share heard anywhere until the damper falls, of those with it down: {hidden:.2f}"]


def _spread(error: FloatArray) -> str:
    if not len(error):
        return "none"
    low, quarter, half, three, high = 1000.0 * np.percentile(error, (5, 25, 50, 75, 95))
    return (
        f"n {len(error)}, ms {low:.0f} {quarter:.0f} {half:.0f} {three:.0f} {high:.0f} (5 25 50 75 95 %), "
        f"middle sd {1000 * core_sd(error):.0f}, early by 100 ms {np.mean(error < -FAR_SEC):.3f}"
    )


def _pedal(heard: list[HeardExcerpt]) -> list[str]:
    carried, is_heard, late, lift, n_own, n_heard = [], [], [], [], 0, 0
    for one in heard:
        pressed, lifted = pedal_crossings(one.keys.sustain)
        down, up = pedal_crossings(one.transcript.sustain)
        n = min(len(pressed), len(lifted))
        near = pair_up(lifted[:n], up, LIFT_SEC)
        found = np.zeros(n, dtype=bool)
        found[near[:, 0]] = True
        carried.append(carried_sec(one.keys)[:n])
        is_heard.append(found)
        late.append(down[near[:, 1]] - pressed[near[:, 0]])
        lift.append(up[near[:, 1]] - lifted[near[:, 0]])
        n_own, n_heard = n_own + n, n_heard + len(down)
    sound, found = np.concatenate(carried), np.concatenate(is_heard)
    middle, width = logistic(np.log(sound + 0.01), ~found)
    lines = ["", f"presses of the pedal: {n_own}, heard {found.sum()}, and {n_heard - found.sum()} others"]
    for low, high in pairwise(CARRIED_EDGES_SEC):
        inside = (sound >= low) & (sound < high)
        lines.append(f"  carrying {low:g} to {high:g} s of sound: {_share(found, inside)}")
    soft, reported = (
        sum(len(pedal_crossings(keys.soft)[0]) for keys in played)
        for played in ([one.keys for one in heard], [one.transcript for one in heard])
    )
    return [
        *lines,
        f"  unheard, logistic in log(s + 0.01): half at {np.exp(middle) - 0.01:.3f} s, width {width:.2f}",
        f"presses heard late: {_spread(np.concatenate(late))}",
        f"lifts heard late: {_spread(np.concatenate(lift))}",
        f"presses of the soft pedal: {soft}, reported {reported}",
    ]


def _share(is_so: BoolArray, inside: BoolArray) -> str:
    return f"{is_so[inside].mean():.4f} of {inside.sum()}" if inside.any() else "none"


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--performances", type=Path, required=True)
    parser.add_argument("--pieces", type=Path, required=True, help="names, one a line")
    parser.add_argument("--transcriber", required=True)
    parser.add_argument("--scratch", type=Path, required=True, help="folder for what was transcribed")
    parser.add_argument("--count", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("-o", "--output", type=Path, default=Path("results/transcription/errors.txt"))
    options = parser.parse_args()
    names = {file_name(name) for name in read_names(options.pieces)}
    records = choose(read_labels(options.performances, must_exist=True), names, options.count, options.seed)
    if not records:
        parser.error(f"{options.performances} holds none of the pieces that {options.pieces} names")
    options.scratch.mkdir(parents=True, exist_ok=True)
    transcriber = CommandTranscriber(options.transcriber)
    tasks = [(record, transcriber, options.scratch) for record in records]
    heard = list(LocalEngine(options.jobs).map(hear, tasks))
    lines = [f"transcriber: {options.transcriber}", *report(heard)]
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
