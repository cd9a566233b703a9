r"""Which score is found for ten seconds of a performance, and whether none is where the score is not there.

    python benchmarks/score_finding.py PERFORMANCES.jsonl -o results/score_finding \
        --chosen-on results/pseudo_labels/left_out_pieces.txt \
        --chosen-on results/pseudo_labels/pool_pieces.txt

The index holds every score that the performances name. Excerpts are of the pieces that --chosen-on does not
name, or with --choosing of those that it does. Each excerpt is searched by keys, as a transcriber would hear
it, and as a bad one would; with the whole index, and with every score of the same music left out. Two
scores are of the same music where they are of one piece, or nearly all fingerprints of one are in the other.
"""

from __future__ import annotations

import argparse
import csv
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from tocco.data.records import LabelRecord, read_labels
from tocco.evaluation.markdown import table, verdict
from tocco.files import read_names
from tocco.music.excerpt import performance_excerpt
from tocco.music.midi import load_midi
from tocco.music.performance import Performance
from tocco.music.score_finding.finder import LEAST_FIT, find_score
from tocco.music.score_finding.folder import NOTATION_SUFFIXES, ScoreFolder, open_scores
from tocco.music.score_finding.index import FingerprintIndex, Hits
from tocco.music.transcriber_noise import TranscriberNoise, transcriber_noise
from tocco.units import IntArray

SAME_MUSIC = 0.8
FIRST_BARS = {"keys": 0.98, "transcribed": 0.95}
FALSE_ACCEPT_BAR = 0.01
QUERY_BAR_SEC = 1.0
BAD_TRANSCRIBER = TranscriberNoise(missed_share=0.1, doubled_share=0.05, ghost_share=0.1, onset_sd_sec=0.01)
"""Of a phone in a reverberant room, at a guess: one note in ten is missed, one in ten has a ghost."""


@dataclass(frozen=True)
class Row:
    """One search.

    Attributes
    ----------
    segment_id, start_sec, n_notes, notes : of the excerpt; notes are "keys", "transcribed" or "badly"
    is_left_out : whether the right scores are not in the index
    first, value : the likeliest score, and how well it fits; "" and 0 where there is none
    is_right : whether it is of the same music
    is_found : whether it fits well enough
    n_alike : others that fit as well
    query_sec
    """

    segment_id: str
    start_sec: float
    n_notes: int
    notes: str
    is_left_out: bool
    first: str
    value: float
    is_right: bool
    is_found: bool
    n_alike: int
    query_sec: float


@dataclass(frozen=True, eq=False)
class IndexWithout(FingerprintIndex):
    """An index in which some scores are never found.

    Attributes
    ----------
    without : index of the scores
    """

    without: tuple[int, ...] = ()

    def hits(self, key: IntArray, *, most: int) -> Hits:
        """As of the whole index, less those scores."""
        found = super().hits(key, most=most)
        kept = ~np.isin(found.score, self.without)
        return Hits(*(getattr(found, name)[kept] for name in Hits.__dataclass_fields__))


def same_music(folder: ScoreFolder, piece_of: dict[Path, str]) -> list[set[int]]:
    """For each score those of the same music, itself among them."""
    keys = [np.unique(folder.indexed(i).key) for i in range(len(folder.paths))]
    pieces = [piece_of[path] for path in folder.paths]
    held = np.zeros((len(keys), 1 << 22), dtype=bool)
    for one, key in zip(held, keys, strict=True):
        one[key] = True
    found: list[set[int]] = []
    for i, key in enumerate(keys):
        share = held[:, key].mean(axis=1)
        found.append({j for j in range(len(keys)) if pieces[j] == pieces[i] or share[j] >= SAME_MUSIC})
    return [group | {j for j, other in enumerate(found) if i in other} for i, group in enumerate(found)]


def as_heard(excerpt: Performance, rng: np.random.Generator) -> Iterator[tuple[str, Performance]]:
    """The excerpt by keys and as two transcribers hear it."""
    yield "keys", excerpt
    yield "transcribed", transcriber_noise(excerpt, rng).performance
    yield "badly", transcriber_noise(excerpt, rng, BAD_TRANSCRIBER).performance


def searched(record: LabelRecord, score: Path, bench: Bench) -> Iterator[Row]:
    """All searches of one performance."""
    assert record.midi_path is not None
    performance = load_midi(record.midi_path)
    rng = np.random.default_rng([bench.seed, *record.segment_id.encode()])
    right = bench.same[bench.folder.paths.index(score)]
    index = bench.folder.index
    fields = {name: getattr(index, name) for name in FingerprintIndex.__dataclass_fields__}
    without = IndexWithout(**fields, without=tuple(right))
    for _ in range(bench.n_excerpts):
        start = rng.uniform(0.0, max(performance.duration_sec - bench.seconds, 0.0))
        excerpt, _ = performance_excerpt(performance, None, start, start + bench.seconds)
        if not len(excerpt):
            yield from (
                Row(record.segment_id, start, 0, notes, left, "", 0.0, False, False, 0, 0.0)
                for notes in ("keys", "transcribed", "badly")
                for left in (False, True)
            )
            continue
        for notes, heard in as_heard(excerpt, rng):
            for left_out, used in ((False, index), (True, without)):
                before = time.perf_counter()
                search = find_score(used, bench.folder.indexed, heard)
                elapsed = time.perf_counter() - before
                best = search.best
                yield Row(
                    segment_id=record.segment_id,
                    start_sec=round(start, 2),
                    n_notes=len(excerpt),
                    notes=notes,
                    is_left_out=left_out,
                    first="" if best is None else bench.folder.paths[best.score].name,
                    value=0.0 if best is None else round(best.value, 4),
                    is_right=best is not None and best.score in right,
                    is_found=search.found is not None,
                    n_alike=len([fit for fit in search.alike if fit.score not in right]),
                    query_sec=round(elapsed, 4),
                )


@dataclass(frozen=True, eq=False)
class Bench:
    """What every search needs: the scores, those of the same music, and the excerpts' size and seed."""

    folder: ScoreFolder
    same: list[set[int]]
    n_excerpts: int
    seconds: float
    seed: int


def summary(rows: Sequence[Row]) -> list[str]:
    """Lines of the table, with the bars."""
    lines = []
    for notes in ("keys", "transcribed", "badly"):
        there = [row for row in rows if row.notes == notes and not row.is_left_out]
        gone = [row for row in rows if row.notes == notes and row.is_left_out]
        first = float(np.mean([row.is_right for row in there]))
        found = float(np.mean([row.is_right and row.is_found for row in there]))
        wrong = float(np.mean([row.is_found and not row.is_right for row in there]))
        accepted = float(np.mean([row.is_found for row in gone]))
        bar = FIRST_BARS.get(notes)
        lines.append(
            [
                notes,
                str(len(there)),
                f"{first:.2%}",
                "-" if bar is None else f"{bar:.0%}: {verdict(first >= bar)}",
                f"{found:.2%}",
                f"{wrong:.2%}",
                f"{accepted:.2%}",
                f"{FALSE_ACCEPT_BAR:.0%}: {verdict(accepted <= FALSE_ACCEPT_BAR)}",
            ]
        )
    header = ("notes", "excerpts", "right first", "bar", "right and accepted", "wrong accepted")
    return table((*header, "accepted if not there", "bar"), lines)


def confusions(rows: Sequence[Row], *, is_left_out: bool) -> list[str]:
    """What was taken for what, or not found, by keys and by transcription."""
    wrong = [
        row
        for row in rows
        if row.is_left_out == is_left_out
        and (row.is_found if is_left_out else not (row.is_right and row.is_found))
        and row.notes != "badly"
    ]
    cells = [
        (row.segment_id, f"{row.start_sec:.0f}", str(row.n_notes), row.notes, row.first, f"{row.value:.2f}")
        for row in wrong
    ]
    return table(("performance", "second", "notes", "by", "likeliest", "fit"), cells)


def report(rows: Sequence[Row], bench: Bench, opened_sec: float, side: str) -> str:
    """The page."""
    seconds = np.array([row.query_sec for row in rows])
    paths = bench.folder.paths
    groups = {tuple(sorted(group)) for group in bench.same if len(group) > 1}
    index_mb = sum(array.nbytes for array in bench.folder.index.arrays().values()) / 1e6
    n_takes = len({row.segment_id for row in rows})
    median, worst = float(np.median(seconds)), float(seconds.max())
    return "\n".join(
        [
            f"# Finding the score: {side}",
            "",
            f"{n_takes} performances, {bench.n_excerpts} excerpts of {bench.seconds:g} s each, "
            f"seed {bench.seed}; "
            f"{len(paths)} scores in the index, of which {len(bench.folder.left_out)} files were left out. "
            f"A score fits from {LEAST_FIT:g} on.",
            "",
            *summary(rows),
            f"Query: median {median:.3f} s, 99th percentile {np.percentile(seconds, 99):.3f} s, worst "
            f"{worst:.3f} s (bar {QUERY_BAR_SEC:g} s: {verdict(worst < QUERY_BAR_SEC)}). "
            f"Opening the index took {opened_sec:.1f} s; it has {index_mb:.1f} MB.",
            "",
            "Of the same music: "
            + "; ".join(", ".join(paths[i].stem for i in group) for group in sorted(groups)),
            "",
            "Left out: " + "; ".join(f"{one.path.name} {one.reason}" for one in bench.folder.left_out),
            "",
            "## Not first, or not accepted",
            "",
            *confusions(rows, is_left_out=False),
            "## Accepted though the score is not there",
            "",
            *confusions(rows, is_left_out=True),
        ]
    )


def notation_beside(path: Path) -> Path:
    """The notation of the same name, where there is one."""
    beside = (path.with_suffix(suffix) for suffix in NOTATION_SUFFIXES)
    return next((one for one in beside if one.is_file()), path)


def main() -> None:
    """Search every excerpt, and write the rows and the page."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("performances", type=Path, help="performances with MIDI and score, JSONL")
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--chosen-on", type=Path, action="append", default=[], help="pieces, one per line")
    parser.add_argument("--choosing", action="store_true", help="the pieces of --chosen-on, not the others")
    parser.add_argument("--notation", action="store_true", help="index the MusicXML beside each score MIDI")
    parser.add_argument("--cache", type=Path, help="where what is kept of scores lies")
    parser.add_argument("--excerpts", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    records = [one for one in read_labels(options.performances) if one.midi_path and one.score_path]
    used = {
        one.score_path: notation_beside(one.score_path) if options.notation else one.score_path
        for one in records
    }
    piece_of = {used[one.score_path]: one.piece_id for one in records}
    before = time.perf_counter()
    folder = open_scores(options.performances.parent, sorted(piece_of), cache=options.cache)
    opened_sec = time.perf_counter() - before
    bench = Bench(folder, same_music(folder, piece_of), options.excerpts, options.seconds, options.seed)
    chosen_on = {name for path in options.chosen_on for name in read_names(path)}
    rows = [
        row
        for one in records
        if (one.piece_id in chosen_on) == options.choosing and used[one.score_path] in folder.paths
        for row in searched(one, used[one.score_path], bench)
    ]
    name = ("choosing" if options.choosing else "reported") + ("_notation" if options.notation else "")
    options.output.mkdir(parents=True, exist_ok=True)
    with (options.output / f"{name}.csv").open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, Row.__dataclass_fields__, lineterminator="\n")
        writer.writeheader()
        writer.writerows(asdict(row) for row in rows)
    text = report(rows, bench, opened_sec, name.replace("_", ", "))
    (options.output / f"{name}.md").write_text(text + "\n", encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
