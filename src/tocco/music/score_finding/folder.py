"""A folder of scores, read once: what is kept of each score lies in the cache, by its content."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np

from tocco.cache import Arrays, cached_arrays, content_key
from tocco.cache_folder import cache_folder
from tocco.errors import InputError
from tocco.files import sha256_of
from tocco.music.performance import Performance
from tocco.music.score import load_score
from tocco.music.score_finding.finder import Fit, Search, find_score
from tocco.music.score_finding.index import FingerprintIndex
from tocco.music.score_finding.indexed_score import IndexedScore

NOTATION_SUFFIXES: Final = (".musicxml", ".mxl", ".xml")
SCORE_SUFFIXES: Final = (*NOTATION_SUFFIXES, ".mid", ".midi")

OnRead = Callable[[int, int], None]
"""Called with the number of files that are read, and of all."""

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
    n_scores : that were searched
    path : the score that is played; None where none fits
    bars : printed names of the first and the last bar played; None without a score
    alike : other files that fit as well
    """

    folder: Path
    n_scores: int
    path: Path | None = None
    bars: tuple[str, str] | None = None
    alike: tuple[Path, ...] = ()


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
    kept : (M,) what is kept of each score
    """

    folder: Path
    paths: tuple[Path, ...]
    left_out: tuple[LeftOutScore, ...]
    key: str
    index: FingerprintIndex
    kept: tuple[Path, ...]

    def search(self, performance: Performance) -> FoundScore:
        """Find the score that is played, and the bars; of scores that fit equally well one of notation."""
        search = find_score(self.index, self._indexed, performance)
        if search.found is None:
            return FoundScore(self.folder, len(self.paths))
        chosen, *others = self._preferred(search)
        return FoundScore(
            self.folder,
            len(self.paths),
            path=self.paths[chosen.score],
            bars=chosen.bars,
            alike=tuple(self.paths[fit.score] for fit in others),
        )

    def _preferred(self, search: Search) -> list[Fit]:
        """Those that fit, the best first; notation has more to say than a score MIDI of the same music."""
        fits = [fit for fit in (search.found, *search.alike) if fit is not None]
        return sorted(fits, key=lambda fit: self.paths[fit.score].suffix.lower() not in NOTATION_SUFFIXES)

    def _indexed(self, score: int) -> IndexedScore:
        return IndexedScore.of_arrays(_kept(self.paths[score], self.kept[score]).array)


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
    folder: Path, files: list[Path], *, cache: Path | None = None, on_read: OnRead | None = None
) -> ScoreFolder:
    """As `open_score_folder`, of given files."""
    store = (cache or cache_folder()) / _FOLDER
    paths: dict[str, Path] = {}
    kept: list[Path] = []
    left_out: list[LeftOutScore] = []
    for done, path in enumerate(files):
        sha256 = sha256_of(path)
        if sha256 in paths:
            left_out.append(LeftOutScore(path, f"is the same file as {paths[sha256].name}"))
            continue
        file = store / f"{sha256[:32]}-{content_key(__name__)}.safetensors"
        problem = _kept(path, file).array("problem").tobytes().decode()
        if problem:
            left_out.append(LeftOutScore(path, problem))
        else:
            paths[sha256] = path
            kept.append(file)
        if on_read is not None:
            on_read(done + 1, len(files))
    if not paths:
        first = f" ({left_out[0].path.name}: {left_out[0].reason})" if left_out else ""
        raise InputError(
            folder,
            f"has no score that can be read{first}",
            allowed="MusicXML, .mxl or score MIDI",
            next_step="name the folder that holds them",
        )
    key = content_key(__name__, *paths)
    ordered = tuple(paths.values())
    merged = cached_arrays(store / f"index-{key}.safetensors", partial(_merged, ordered, kept))
    index = FingerprintIndex.of_arrays(merged.array)
    return ScoreFolder(folder, ordered, tuple(left_out), key, index, tuple(kept))


def _score_files(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        is_hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        if path.suffix.lower() in SCORE_SUFFIXES and not is_hidden and path.is_file():
            yield path


def _kept(path: Path, file: Path):
    return cached_arrays(file, partial(_read, path))


def _read(path: Path) -> Arrays:
    """What is kept of a score, or why it cannot be read."""
    try:
        arrays = IndexedScore.of(load_score(path)).arrays()
    except InputError as error:
        return {"problem": np.frombuffer(error.problem.encode(), dtype=np.uint8)}
    return {**arrays, "problem": np.zeros(0, dtype=np.uint8)}


def _merged(paths: tuple[Path, ...], kept: list[Path]) -> Arrays:
    scores = [
        IndexedScore.of_arrays(_kept(path, file).array) for path, file in zip(paths, kept, strict=True)
    ]
    return FingerprintIndex.of(scores).arrays()
