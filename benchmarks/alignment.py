"""What the aligner gets right, how fast it is, and how it compares.

    python benchmarks/alignment.py --vienna DIR --asap DIR [--sections vienna beats ...] [--count N]

DualDTW and plain time warping take part where they end in reasonable time: in all of Vienna 4x22, and on
ASAP performances of at most `--rival-notes` notes, `--rival-count` of them. Times are processor seconds.
"""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
from alignment_material import (
    Pair,
    asap_pairs,
    clean_pair,
    plant_errors,
    plant_repeats,
    plant_restart,
    plant_skip,
    vienna_pairs,
)
from alignment_rivals import Aligner, clock_of, dual_dtw, peak_mib, plain_dtw, timed, tocco

from tocco.music.alignment import MIN_MATCH_RATE
from tocco.music.matching.chords import PlayedNotes, WrittenNotes
from tocco.music.matching.matcher import NoteMatching, match_notes
from tocco.music.matching.readings import choose_reading
from tocco.units import FloatArray, IntArray

ALIGNERS: dict[str, Aligner] = {"tocco": tocco, "DualDTW": dual_dtw, "plain DTW": plain_dtw}
ERROR_RATES = (0.0, 0.02, 0.08)
WRONG_SCORES = 50
SPEED_NOTES = (300, 1_000, 3_000, 5_000, 10_000, 20_000, 30_000)
RIVAL_SPEED_NOTES = 1_000
SECTIONS = ("vienna", "beats", "errors", "structure", "mismatch", "speed")


def main() -> None:
    """Read the options, run the sections, print a table for each."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--vienna", type=Path, help="folder of the Vienna 4x22 corpus")
    parser.add_argument("--asap", type=Path, help="folder of the ASAP corpus")
    parser.add_argument("--sections", nargs="+", choices=SECTIONS, default=SECTIONS)
    parser.add_argument("--count", type=int, default=300, help="ASAP performances for the beats")
    parser.add_argument("--planted", type=int, default=60, help="ASAP performances with planted mistakes")
    parser.add_argument("--rival-count", type=int, default=10)
    parser.add_argument("--rival-notes", type=int, default=1_500)
    parser.add_argument("--seed", type=int, default=20261122)
    options = parser.parse_args()
    # partitura comments on details of the match files' headers.
    warnings.filterwarnings("ignore", module="partitura")
    rng = np.random.default_rng(options.seed)
    needs_asap = set(options.sections) - {"vienna"}
    if "vienna" in options.sections:
        report_vienna(vienna_pairs(options.vienna))
    if needs_asap:
        pairs = asap_pairs(options.asap, options.count, rng)
        small = [pair for pair in pairs if len(pair.played) <= options.rival_notes][: options.rival_count]
        sections: dict[str, Callable[[], None]] = {
            "beats": lambda: report_beats(pairs, small),
            "errors": lambda: report_errors(pairs[: options.planted], small, rng),
            "structure": lambda: report_structure(pairs[: options.planted], rng),
            "mismatch": lambda: report_mismatch(pairs),
            "speed": lambda: report_speed(pairs),
        }
        for name in options.sections:
            if name in sections:
                sections[name]()


def report_vienna(pairs: Sequence[Pair]) -> None:
    """Note matches against the hand-corrected ones."""
    print(f"\nVienna 4x22: note matches, {len(pairs)} performances")
    for name, align in ALIGNERS.items():
        right = found = true = 0
        seconds = []
        for pair in pairs:
            result = timed(align, pair.written, pair.played)
            r, f, t = _overlap(result.match, pair.match)
            right, found, true = right + r, found + f, true + t
            seconds.append(result.cpu_sec)
        print(
            f"  {name:10s} F1 {2 * right / (found + true):.4%}  precision {right / found:.4%}"
            f"  recall {right / true:.4%}  {np.mean(seconds):.3f} s each",
            flush=True,
        )


def _overlap(found: np.ndarray, true: np.ndarray) -> tuple[int, int, int]:
    a, b = set(map(tuple, found.tolist())), set(map(tuple, true.tolist()))
    return len(a & b), len(a), len(b)


def report_beats(pairs: Sequence[Pair], small: Sequence[Pair]) -> None:
    """Seconds between annotated beats and where the aligner puts them; and right scores refused."""
    agreement: list[float] = []

    def remember(written: WrittenNotes, played: PlayedNotes) -> IntArray:
        result = match_notes(written, played)
        agreement.append(result.overall if result else 0.0)
        return result.match if result else np.zeros((0, 2), dtype=np.int64)

    print("\nBeats against the annotated ones")
    _print_beats("tocco, all", pairs, remember)
    refused = [pair.name for pair, rate in zip(pairs, agreement, strict=True) if rate < MIN_MATCH_RATE]
    print(f"  right scores refused: {len(refused)} of {len(pairs)}; agreement at least {min(agreement):.2f}")
    for name, align in ALIGNERS.items():
        _print_beats(f"{name}, small", small, align)


def _print_beats(label: str, pairs: Sequence[Pair], align: Aligner) -> None:
    errors, seconds, notes = [], [], 0
    for pair in pairs:
        result = timed(align, pair.written, pair.played)
        clock = clock_of(pair.written, pair.played, result.match)
        seconds.append(result.cpu_sec)
        notes += len(pair.played)
        if clock is not None:
            errors.append(np.abs(clock.sec_at(pair.beat) - pair.beat_sec))
    every = np.concatenate(errors)
    print(
        f"  {label:16s} {len(pairs)} performances, {len(every)} beats:"
        f" median {np.median(every) * 1e3:.1f} ms, 95 % {np.percentile(every, 95) * 1e3:.1f} ms,"
        f" 99 % {np.percentile(every, 99) * 1e3:.0f} ms,"
        f" {sum(seconds) / notes * 1e3:.3f} s per 1,000 notes",
        flush=True,
    )


def report_errors(pairs: Sequence[Pair], small: Sequence[Pair], rng: np.random.Generator) -> None:
    """Planted wrong, missing and extra notes: are the labels right."""
    for rate in ERROR_RATES:
        planted = [plant_errors(clean_pair(pair), rate, rng) for pair in pairs]
        few = [plant_errors(clean_pair(pair), rate, rng) for pair in small]
        print(f"\nPlanted errors, {rate:.0%} each of wrong, missing and extra notes")
        _print_errors("tocco, all", planted, tocco)
        for name, align in ALIGNERS.items():
            _print_errors(f"{name}, small", few, align)


def _print_errors(label: str, pairs: Sequence[Pair], align: Aligner) -> None:
    totals = np.zeros(9)
    for pair in pairs:
        match = align(pair.written, pair.played)
        missing = _overlap_of_rest(match[:, 0], pair.match[:, 0], len(pair.written))
        extra = _overlap_of_rest(match[:, 1], pair.match[:, 1], len(pair.played))
        totals += np.array([*_overlap(match, pair.match), *missing, *extra])
    cells = []
    for name, (right, found, true) in zip(("match", "missing", "extra"), totals.reshape(3, 3), strict=True):
        cells.append(f"{name} P {right / found if found else 1:.4f} R {right / true if true else 1:.4f}")
    f1 = 2 * totals[0] / (totals[1] + totals[2])
    print(f"  {label:16s} {len(pairs):3d} performances  match F1 {f1:.4f}  {'  '.join(cells)}", flush=True)


def _overlap_of_rest(found: np.ndarray, true: np.ndarray, count: int) -> tuple[int, int, int]:
    rest = set(range(count))
    a, b = rest - set(found.tolist()), rest - set(true.tolist())
    return len(a & b), len(a), len(b)


def report_structure(pairs: Sequence[Pair], rng: np.random.Generator) -> None:
    """Planted restarts, skips and choices of repeats; found when more than half of the span is shared."""
    clean = [clean_pair(pair) for pair in pairs]
    untouched = [match_notes(pair.written, pair.played) for pair in clean]
    print(f"\nStructure, {len(clean)} performances each")
    _print_spans("restarts", [plant_restart(pair, rng) for pair in clean], _retry_spans)
    _print_spans("skips", [plant_skip(pair, rng) for pair in clean], _skip_spans)
    false = sum(len(r.retries) + len(r.skips) for r in untouched if r is not None)
    print(f"  spans found where nothing was planted: {false}")
    chosen = [plant_repeats(pair, rng) for pair in clean]
    right = sum(choose_reading(readings, played) == taken for readings, played, taken in chosen)
    print(f"  repeats (four readings): {right} of {len(clean)}", flush=True)


def _print_spans(
    name: str,
    planted: Sequence[tuple[Pair, tuple[float, float]]],
    spans_of: Callable[[Pair, NoteMatching], Iterator[tuple[float, float]]],
) -> None:
    found, more = 0, 0
    for pair, truth in planted:
        result = match_notes(pair.written, pair.played)
        shares = [_shared(span, truth) for span in spans_of(pair, result)] if result else []
        hit = max(shares, default=0.0) > 0.5
        found += hit
        more += len(shares) - hit
    print(f"  {name}: found {found} of {len(planted)}, {more} others", flush=True)


def _retry_spans(pair: Pair, result: NoteMatching) -> Iterator[tuple[float, float]]:
    sec = pair.played.onset_sec
    return ((float(sec[r.first_note]), float(sec[r.last_note])) for r in result.retries)


def _skip_spans(pair: Pair, result: NoteMatching) -> Iterator[tuple[float, float]]:
    beat = result.groups.onset_beat
    return ((float(beat[s.first_group]), float(beat[s.last_group])) for s in result.skips)


def _shared(a: tuple[float, float], b: tuple[float, float]) -> float:
    """Intersection over union of two spans."""
    union = max(a[1], b[1]) - min(a[0], b[0])
    return max(0.0, min(a[1], b[1]) - max(a[0], b[0])) / union if union > 0 else 0.0


def report_mismatch(pairs: Sequence[Pair]) -> None:
    """Performances held to the score of another piece."""
    rates = []
    for k, pair in enumerate(pairs):
        other = pairs[(k + 1) % len(pairs)]
        if len(rates) == WRONG_SCORES:
            break
        if Path(pair.name).parts[:3] == Path(other.name).parts[:3]:
            continue
        result = match_notes(pair.written, other.played)
        rates.append(result.overall if result else 0.0)
    accepted = sum(rate >= MIN_MATCH_RATE for rate in rates)
    print(
        f"\nWrong score: {accepted} of {len(rates)} accepted; agreement at most {max(rates):.2f}", flush=True
    )


def report_speed(pairs: Sequence[Pair]) -> None:
    """Time and memory by length; the longest are performances joined end to end."""
    print("\nSpeed: processor seconds, and most memory held")
    for n_notes in SPEED_NOTES:
        pair = _joined(pairs, n_notes)
        aligners = ALIGNERS if n_notes <= RIVAL_SPEED_NOTES else {"tocco": tocco}
        for name, align in aligners.items():
            seconds = min(timed(align, pair.written, pair.played).cpu_sec for _ in range(2))
            mib = peak_mib(align, pair.written, pair.played)
            print(f"  {n_notes:6d} notes  {name:10s} {seconds:7.3f} s  {mib:7.1f} MiB", flush=True)


def _joined(pairs: Sequence[Pair], n_notes: int) -> Pair:
    """One long pair of about so many notes on either side."""
    written, played, at_beat, at_sec, count = [], [], 0.0, 0.0, 0
    for pair in pairs:
        clean = clean_pair(pair)
        size = min(n_notes - count, len(clean.written))
        last_key = int(clean.match[:size, 1].max())
        page, keys = np.arange(size), np.arange(last_key + 1)
        written.append(_columns(clean.written, page, at_beat - clean.written.onset_beat[0]))
        played.append(_columns(clean.played, keys, at_sec - clean.played.onset_sec[0]))
        at_beat, at_sec = written[-1][0].max() + 4.0, played[-1][0].max() + 2.0
        count += size
        if count >= n_notes:
            break
    page, keys = (tuple(map(np.concatenate, zip(*side, strict=True))) for side in (written, played))
    page_type, keys_type = type(pairs[0].written), type(pairs[0].played)
    onset, duration, pitch, grace = page
    return Pair(
        f"{count} notes",
        page_type(onset, duration, pitch.astype(np.int64), grace.astype(bool)),
        keys_type(keys[0], keys[1], keys[2].astype(np.int64), keys[3].astype(np.int64)),
        np.zeros((0, 2), dtype=np.int64),
        np.zeros(0),
        np.zeros(0),
    )


def _columns(notes: object, index: np.ndarray, shift: float) -> list[FloatArray]:
    """The four arrays of either side, moved in time."""
    values = [np.asarray(value)[index] for value in vars(notes).values()]
    values[0] = values[0] + shift
    if hasattr(notes, "offset_sec"):
        values[1] = values[1] + shift
    return values


if __name__ == "__main__":
    main()
