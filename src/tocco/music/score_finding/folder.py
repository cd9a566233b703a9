"""A folder of scores, read once: what finding them needs is cached by their content."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from tocco.cache import cached_arrays, content_key
from tocco.cache_folder import cache_folder
from tocco.errors import InputError
from tocco.files import sha256_of
from tocco.music.performance import Performance
from tocco.music.score_finding.finder import Fit, Search, find_score
from tocco.music.score_finding.index import FingerprintIndex
from tocco.music.score_finding.indexed_score import CachedScore, IndexedScore

NOTATION_SUFFIXES: Final = (".musicxml", ".mxl", ".xml")
SCORE_SUFFIXES: Final = (*NOTATION_SUFFIXES, ".mid", ".midi")

OnRead = Callable[[int, int], None]
"""Called after each file that was not read before, with the number of files that are done, and of all."""

_FOLDER: Final = "scores"


@dataclass(frozen=True)
class LeftOutScore:
    """A file of the folder that is not searched.

    Attributes
    ----------
    path
    reason
    """

    path: Path
    reason: str


@dataclass(frozen=True)
class FoundScore:
    """What the search of a folder came to.

    Attributes
    ----------
    folder
    key : of the content of all scores
    n_scores : that were searched
    path : the score that is played; None where there is none
    bars : printed names of the first and the last bar played; None without a score
    alike : other files that fit as well
    reason : why there is no score; "" where there is one
    """

    folder: Path
    key: str
    n_scores: int
    path: Path | None = None
    bars: tuple[str, str] | None = None
    alike: tuple[Path, ...] = ()
    reason: str = ""

    def without_score(self, reason: str) -> FoundScore:
        """The same search, if it turns out that there is no score."""
        return FoundScore(self.folder, self.key, self.n_scores, reason=reason)


@dataclass(frozen=True, eq=False)
class ScoreFolder:
    """The scores of a folder and its subfolders, ready to be searched.

    Attributes
    ----------
    folder
    paths : (M,) of the scores, in the order of the index
    left_out : files that cannot be read, or are there twice
    key : of the content of all scores
    index
    cached : (M,) what is cached of each score
    """

    folder: Path
    paths: tuple[Path, ...]
    left_out: tuple[LeftOutScore, ...]
    key: str
    index: FingerprintIndex
    cached: tuple[CachedScore, ...]

    def search(self, performance: Performance) -> FoundScore:
        """Find the score that is played, and the bars; of scores that fit equally well one of notation."""
        search = find_score(self.index, self.indexed, performance)
        nothing = FoundScore(self.folder, self.key, len(self.paths))
        if search.found is None:
            return nothing.without_score(_none_fits(self.folder, len(self.paths)))
        chosen, *others = self._preferred(search)
        return replace(
            nothing,
            path=self.paths[chosen.score],
            bars=chosen.bars,
            alike=tuple(self.paths[fit.score] for fit in others),
        )

    def _preferred(self, search: Search) -> list[Fit]:
        """Those that fit, the best first; notation has more to say than a score MIDI of the same music."""
        fits = [fit for fit in (search.found, *search.alike) if fit is not None]
        return sorted(fits, key=lambda fit: self.paths[fit.score].suffix.lower() not in NOTATION_SUFFIXES)

    def indexed(self, score: int) -> IndexedScore:
        """What is cached of a score, by its index."""
        return self.cached[score].score()


def open_score_folder(
    folder: Path, *, cache: Path | None = None, on_read: OnRead | None = None
) -> ScoreFolder:
    """Read the scores of a folder and its subfolders; those that were read before come from the cache.

    Parameters
    ----------
    folder
    cache : by default the user's
    on_read

    Raises
    ------
    InputError
        It is no folder, or holds no score.
    OutputError
        The cache cannot be written.
    """
    if not folder.is_dir():
        problem = "is not a folder" if folder.exists() else "does not exist"
        raise InputError(folder, problem, next_step="name a folder with scores after --scores")
    files = list(_score_files(folder))
    return open_scores(folder, files, cache=cache, on_read=on_read)


def open_scores(
    folder: Path, files: Sequence[Path], *, cache: Path | None = None, on_read: OnRead | None = None
) -> ScoreFolder:
    """As `open_score_folder`, of given files."""
    store = (cache or cache_folder()) / _FOLDER
    cached: dict[str, CachedScore] = {}
    left_out: list[LeftOutScore] = []
    for done, path in enumerate(files):
        sha256 = sha256_of(path)
        one = CachedScore.of(path, sha256, store)
        is_known = one.file.is_file()
        if sha256 in cached:
            left_out.append(LeftOutScore(path, f"is the same file as {cached[sha256].path.name}"))
        elif problem := one.problem:
            left_out.append(LeftOutScore(path, problem))
        else:
            cached[sha256] = one
        if on_read is not None and not is_known:
            on_read(done + 1, len(files))
    if not cached:
        raise _no_score(folder, left_out)
    scores = tuple(cached.values())
    key = content_key(FingerprintIndex.__module__, *cached)
    merged = cached_arrays(
        store / f"index-{key}.safetensors",
        lambda: FingerprintIndex.of([one.score() for one in scores]).arrays(),
    )
    return ScoreFolder(
        folder=folder,
        paths=tuple(one.path for one in scores),
        left_out=tuple(left_out),
        key=key,
        index=FingerprintIndex.of_arrays(merged.array),
        cached=scores,
    )


def _none_fits(folder: Path, n_scores: int) -> str:
    name = folder.resolve().name or str(folder)
    return (
        f"the one score in {name} does not fit"
        if n_scores == 1
        else f"none of the {n_scores} scores in {name} fits"
    )


def _no_score(folder: Path, left_out: Sequence[LeftOutScore]) -> InputError:
    first = f" ({left_out[0].path.name}: {left_out[0].reason})" if left_out else ""
    return InputError(
        folder,
        f"has no score that can be read{first}",
        allowed="MusicXML, .mxl or score MIDI",
        next_step="name the folder that holds them after --scores",
    )


def _score_files(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        is_hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        if path.suffix.lower() in SCORE_SUFFIXES and not is_hidden and path.is_file():
            yield path
