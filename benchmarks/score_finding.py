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
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tocco.cache import Keyed, cached_model, code_hash, json_key
from tocco.data.manifest import read_manifest
from tocco.data.records import read_labels
from tocco.evaluation.markdown import table, verdict
from tocco.files import read_names
from tocco.music.excerpt import performance_excerpt
from tocco.music.midi import load_midi
from tocco.music.performance import Performance
from tocco.music.score_finding.finder import LEAST_FIT, find_score
from tocco.music.score_finding.folder import NOTATION_SUFFIXES, ScoreFolder, open_scores
from tocco.music.score_finding.index import FingerprintIndex, Hits
from tocco.music.transcriber_noise import TranscriberNoise, transcriber_noise
from tocco.schema import StrictModel
from tocco.units import IntArray

SAME_MUSIC = 0.8
FIRST_BARS = {"keys": 0.98, "transcribed": 0.95}
FALSE_ACCEPT_BAR = 0.01
QUERY_BAR_SEC = 1.0
BAD_TRANSCRIBER = TranscriberNoise(missed_share=0.1, doubled_share=0.05, ghost_share=0.1, onset_sd_sec=0.01)
"""Of a phone in a reverberant room, at a guess: one note in ten is missed, one in ten has a ghost."""


class Row(StrictModel):
    """One search.

    Attributes
    ----------
    take, start_sec, n_notes, notes : of the excerpt; notes are "keys", "transcribed" or "badly"
    is_left_out : whether the right scores are not in the index
    first, value : the likeliest score, and how well it fits; "" and 0 where there is none
    is_right : whether it is of the same music
    is_found : whether it fits well enough
    n_alike : others that fit as well
    query_sec : processor time on one core, with OMP_NUM_THREADS=1
    """

    take: str
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


@dataclass(frozen=True)
class Take:
    """A performance, its piece, and its score."""

    id: str
    piece: str
    midi: Path
    score: Path


class TakeRows(Keyed):
    """All searches of one performance."""

    rows: tuple[Row, ...]


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


def unheard(take: str, start_sec: float, notes: str, *, is_left_out: bool) -> Row:
    """Of an excerpt without a note."""
    return Row(
        take=take,
        start_sec=round(start_sec, 2),
        n_notes=0,
        notes=notes,
        is_left_out=is_left_out,
        first="",
        value=0.0,
        is_right=False,
        is_found=False,
        n_alike=0,
        query_sec=0.0,
    )


def searched(take: Take, bench: Bench) -> Iterator[Row]:
    """All searches of one performance."""
    performance = load_midi(take.midi)
    rng = np.random.default_rng([bench.seed, *take.id.encode()])
    right = bench.same[bench.folder.paths.index(take.score)]
    index = bench.folder.index
    fields = {name: getattr(index, name) for name in FingerprintIndex.__dataclass_fields__}
    without = IndexWithout(**fields, without=tuple(right))
    for _ in range(bench.n_excerpts):
        seconds = bench.seconds or performance.duration_sec
        start = rng.uniform(0.0, max(performance.duration_sec - seconds, 0.0))
        excerpt, _ = performance_excerpt(performance, None, start, start + seconds)
        if not len(excerpt):
            yield from (
                unheard(take.id, start, notes, is_left_out=left)
                for notes in ("keys", "transcribed", "badly")
                for left in (False, True)
            )
            continue
        for notes, heard in as_heard(excerpt, rng):
            for left_out, used in ((False, index), (True, without)):
                before = time.process_time()
                search = find_score(used, bench.folder.indexed, heard)
                elapsed = time.process_time() - before
                best = search.best
                yield Row(
                    take=take.id,
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


def cached_rows(take: Take, bench: Bench, folder: Path, *, only_cached: bool) -> tuple[Row, ...]:
    """All searches of one performance, from an earlier run where there was one, or else only if asked for."""
    settings = [bench.seed, bench.n_excerpts, bench.seconds, bench.folder.key, take.score.name]
    key = json_key([code_hash(find_score.__module__), code_hash(transcriber_noise.__module__), *settings])

    def make() -> TakeRows:
        return TakeRows(key=key, rows=tuple(searched(take, bench)))

    path = folder / f"{take.id}.json"
    if only_cached and not path.is_file():
        return ()
    return cached_model(path, TakeRows, key, make).value.rows


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
        (row.take, f"{row.start_sec:.0f}", str(row.n_notes), row.notes, row.first, f"{row.value:.2f}")
        for row in wrong
    ]
    return table(("performance", "second", "notes", "by", "likeliest", "fit"), cells)


def report(rows: Sequence[Row], n_all: int, bench: Bench, opened_sec: float, side: str) -> str:
    """The page; `n_all` is the number of performances that there are."""
    seconds = np.array([row.query_sec for row in rows])
    paths = bench.folder.paths
    groups = {tuple(sorted(group)) for group in bench.same if len(group) > 1}
    index_mb = sum(array.nbytes for array in bench.folder.index.arrays().values()) / 1e6
    n_takes = len({row.take for row in rows})
    of_each = f"{bench.n_excerpts} excerpts of {bench.seconds:g} s each" if bench.seconds else "each whole"
    median, worst = float(np.median(seconds)), float(seconds.max())
    return "\n".join(
        [
            f"# Finding the score: {side}",
            "",
            f"{n_takes} of {n_all} performances, {of_each}, seed {bench.seed}; "
            f"{len(paths)} scores in the index; {len(bench.folder.left_out)} files were left out. "
            f"A score fits from {LEAST_FIT:g} on.",
            "",
            *summary(rows),
            f"Query, processor time on one core: median {median:.3f} s, 99th percentile "
            f"{np.percentile(seconds, 99):.3f} s, worst {worst:.3f} s "
            f"(bar {QUERY_BAR_SEC:g} s: {verdict(worst < QUERY_BAR_SEC)}). Opening the index took "
            f"{opened_sec:.1f} s of it; it has {index_mb:.1f} MB.",
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


def read_takes(path: Path, *, notation: bool) -> list[Take]:
    """Performances with MIDI and score, of a label file or of a table; in a table a piece is a score.

    Parameters
    ----------
    path : JSONL, or CSV with the columns id, midi, score
    notation : whether to use the MusicXML beside each score MIDI
    """
    if path.suffix == ".csv":
        rows = [(one.id, None, one.midi, one.score) for one in read_manifest(path)]
    else:
        rows = [(one.segment_id, one.piece_id, one.midi_path, one.score_path) for one in read_labels(path)]
    takes = [
        Take(name, piece or score.stem, midi, notation_beside(score) if notation else score)
        for name, piece, midi, score in rows
        if midi is not None and score is not None
    ]
    # In an order that says nothing of the piece, so that those that are done first are a fair sample.
    return sorted(takes, key=lambda take: json_key(take.id))


def main() -> None:
    """Search every excerpt, and write the rows and the page."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("performances", type=Path, help="with MIDI and score: JSONL, or a table, CSV")
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--cached-only", action="store_true", help="report on what is done already")
    parser.add_argument("--name", default="reported", help="of the two files that are written")
    parser.add_argument(
        "--scores-of", type=Path, action="append", default=[], help="performances whose scores are there too"
    )
    parser.add_argument("--chosen-on", type=Path, action="append", default=[], help="pieces, one per line")
    parser.add_argument("--choosing", action="store_true", help="the pieces of --chosen-on, not the others")
    parser.add_argument("--notation", action="store_true", help="index the MusicXML beside each score MIDI")
    parser.add_argument("--cache", type=Path, help="folder of the cache")
    parser.add_argument("--takes", type=int, default=100, help="performances of a piece, at most")
    parser.add_argument("--excerpts", type=int, default=2)
    parser.add_argument(
        "--seconds", type=float, default=10.0, help="length of the excerpts; 0 for whole performances"
    )
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    takes = read_takes(options.performances, notation=options.notation)
    others = [take for path in options.scores_of for take in read_takes(path, notation=options.notation)]
    piece_of = {take.score: take.piece for take in [*others, *takes]}
    before = time.process_time()
    folder = open_scores(options.performances.parent, sorted(piece_of), cache=options.cache)
    opened_sec = time.process_time() - before
    bench = Bench(folder, same_music(folder, piece_of), options.excerpts, options.seconds, options.seed)
    chosen_on = {name for path in options.chosen_on for name in read_names(path)}
    taken: Counter[str] = Counter()
    chosen: list[Take] = []
    for take in takes:
        if (take.piece in chosen_on) == options.choosing and take.score in folder.paths:
            taken[take.piece] += 1
            chosen += [take] if taken[take.piece] <= options.takes else []
    rows = [
        row
        for take in chosen
        for row in cached_rows(
            take, bench, options.output / f"rows_{options.name}", only_cached=options.cached_only
        )
    ]
    options.output.mkdir(parents=True, exist_ok=True)
    name = options.name
    with (options.output / f"{name}.csv").open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, Row.model_fields, lineterminator="\n")
        writer.writeheader()
        writer.writerows(row.model_dump() for row in rows)
    text = report(rows, len(chosen), bench, opened_sec, name.replace("_", " "))
    (options.output / f"{name}.md").write_text(text + "\n", encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
