"""Grouping of files into performances: a recording, a performance MIDI and a score of one name.

Only the first bytes of a file are read, and imports are light, since the command line uses this module before
it loads anything else.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from tocco.errors import InputError, UsageError
from tocco.files import assert_plain_file, file_name
from tocco.music.midi_origin import is_transcription

if TYPE_CHECKING:
    from tocco.music.performance import Origin

AUDIO_SUFFIXES: Final = frozenset(
    (".wav", ".aif", ".aiff", ".flac", ".mp3", ".ogg", ".opus", ".m4a", ".mp4", ".aac", ".webm")
)
MIDI_SUFFIXES: Final = frozenset((".mid", ".midi"))
SCORE_SUFFIXES: Final = frozenset((".musicxml", ".mxl", ".xml"))
NOTATION_SUFFIXES: Final = frozenset(
    (".mscz", ".mscx", ".pdf", ".sib", ".musx", ".mus", ".dorico", ".gp", ".ly", ".abc", ".krn", ".mei")
)
"""Score formats that cannot be read; the score reader names the export to MusicXML."""

SCORE_MARK: Final = "_score"
"""A MIDI file whose name has this ending is a score."""

LABEL_FILES: Final = ("performances.jsonl", "labels.jsonl")
"""Label files of an imported corpus, which list its performances."""

Kind = Literal["audio", "midi", "score"]

_ONE_OF_EACH: Final = "one recording, one performance MIDI and one score per performance"
_LONE_SCORE: Final = "is a score without a performance of its name"
_HEAD_BYTES: Final = 64


@dataclass(frozen=True)
class TakeFiles:
    """The files of one performance.

    Attributes
    ----------
    id : name of its results; valid as a file name
    audio, midi, score : None where missing; `audio` or `midi` is present
    origin : of the notes in `midi`, where it is given
    scores : folder among whose scores that of the performance is sought, where it has none
    """

    id: str
    audio: Path | None = None
    midi: Path | None = None
    score: Path | None = None
    origin: Origin = "keys"
    scores: Path | None = None

    @property
    def is_recording_alone(self) -> bool:
        """Whether its notes are to be transcribed."""
        return self.audio is not None and self.midi is None

    @property
    def notes(self) -> Origin:
        """Where its notes come from: as `origin` or the MIDI says, or transcribed where there is no MIDI."""
        if self.is_recording_alone or (self.midi is not None and is_transcription(self.midi)):
            return "transcribed"
        return self.origin


@dataclass(frozen=True)
class LeftOut:
    """A file that belongs to no performance, and the reason."""

    subject: str
    reason: str


def kind_by_name(path: Path) -> tuple[Kind | None, str]:
    """Kind of a file by its name, and the name used for pairing.

    >>> kind_by_name(Path("Take1.WAV")), kind_by_name(Path("take1_score.mid"))
    (('audio', 'Take1'), ('score', 'take1'))
    """
    suffix, stem = path.suffix.lower(), path.stem
    is_marked = stem.casefold().endswith(SCORE_MARK) and len(stem) > len(SCORE_MARK)
    bare = stem[: -len(SCORE_MARK)] if is_marked else stem
    if suffix in AUDIO_SUFFIXES:
        return "audio", stem
    if suffix in SCORE_SUFFIXES or (suffix in MIDI_SUFFIXES and is_marked):
        return "score", bare
    return ("midi", stem) if suffix in MIDI_SUFFIXES else (None, stem)


def kind_by_content(path: Path) -> Kind:
    """Kind of a file by its first bytes, or by its name if those are not conclusive.

    A file of no known kind counts as a recording, so that the audio reader reports what is wrong.

    Raises
    ------
    InputError
        The file is missing, is a folder, or cannot be read.
    """
    assert_plain_file(path)
    named, _ = kind_by_name(path)
    try:
        with path.open("rb") as stream:
            head = stream.read(_HEAD_BYTES)
    except OSError as error:
        raise InputError(path, f"cannot be read ({error.strerror})", next_step="check the path") from error
    if head.startswith(b"MThd") or (head.startswith(b"RIFF") and head[8:12] == b"RMID"):
        return "score" if named == "score" else "midi"
    if head.lstrip(b"\xef\xbb\xbf\xff\xfe\x00 \t\r\n").startswith(b"<") or head.startswith((b"PK", b"%PDF")):
        return "score"
    if path.suffix.lower() in NOTATION_SUFFIXES:
        return "score"
    return named or "audio"


def takes_of(files: Sequence[Path]) -> tuple[TakeFiles, ...]:
    """Group single files into performances.

    With at most one file of each kind they are one performance, whatever the names. Otherwise files of one
    name are one performance (files of one name and kind in several folders: those of one folder), and a
    single score is used for all performances without their own. A file that is given twice counts once.

    Parameters
    ----------
    files : recordings, performance MIDI and scores, in any order

    Returns
    -------
    In the order of their first files.

    Raises
    ------
    InputError
        A file is missing or cannot be read.
    UsageError
        Two files of one kind have the same name, a score has no performance, or there is none at all.
    """
    kind_of: dict[Path, Kind] = {path: kind_by_content(path) for path in dict.fromkeys(files)}
    of_kind: dict[Kind, list[Path]] = defaultdict(list)
    for path, kind in kind_of.items():
        of_kind[kind].append(path)
    if max(map(len, of_kind.values()), default=0) <= 1:
        single: dict[Kind, Path] = {kind: paths[0] for kind, paths in of_kind.items()}
        return (_take(single),)
    lone = of_kind["score"][0] if len(of_kind["score"]) == 1 else None
    paired: dict[Path, Kind] = {path: kind for path, kind in kind_of.items() if path != lone}
    return _with_own_ids(
        [_take(group if lone is None else {"score": lone, **group}) for group in _groups(paired)]
    )


_WORD: Final[Mapping[Kind, str]] = {"audio": "recording", "midi": "performance MIDI", "score": "score"}


def _groups(kind_of: Mapping[Path, Kind]) -> list[dict[Kind, Path]]:
    """Files of one name; where two of a kind have it, those of one folder and name."""
    by_name: dict[str, list[Path]] = defaultdict(list)
    for path in kind_of:
        by_name[kind_by_name(path)[1].casefold()].append(path)
    groups: list[dict[Kind, Path]] = []
    for paths in by_name.values():
        is_clear = len({kind_of[path] for path in paths}) == len(paths)
        by_folder: dict[Path, dict[Kind, Path]] = defaultdict(dict)
        for path in paths:
            group, kind = by_folder[Path() if is_clear else path.parent], kind_of[path]
            if kind in group:
                raise UsageError(
                    str(path),
                    f"has the same name as {group[kind]}, another {_WORD[kind]}",
                    allowed=_ONE_OF_EACH,
                    next_step="rename one of them, or name them in a table with --manifest",
                )
            group[kind] = path
        groups += by_folder.values()
    return groups


def _take(group: Mapping[Kind, Path]) -> TakeFiles:
    played = group.get("audio", group.get("midi"))
    if played is None:
        raise UsageError(
            str(group["score"]),
            "is a score without a performance",
            next_step="give the recording or the performance MIDI as well; "
            f"if a MIDI file is a score, its name should end in {SCORE_MARK!r}",
        )
    return TakeFiles(file_name(played.stem), group.get("audio"), group.get("midi"), group.get("score"))


def _with_own_ids(takes: Sequence[TakeFiles]) -> tuple[TakeFiles, ...]:
    """Takes of one name in two folders are distinguished by the folder."""
    count = Counter(take.id.casefold() for take in takes)
    named = []
    for take in takes:
        played = take.audio or take.midi or Path()
        clash = count[take.id.casefold()] > 1
        named.append(replace(take, id=file_name(f"{played.parent.name}_{played.stem}")) if clash else take)
    for place, take in enumerate(named):
        if take.id.casefold() in {other.id.casefold() for other in named[:place]}:
            raise UsageError(
                str(take.audio or take.midi),
                "has the name of another performance",
                next_step="rename it, or give each an id of its own in a table with --manifest",
            )
    return tuple(named)


def takes_in(folder: Path) -> tuple[tuple[TakeFiles, ...], tuple[LeftOut, ...]]:
    """Group the files of a folder, including its subfolders, into performances.

    Files of one folder and one name, ignoring case, are one performance. Two files of one kind under one
    name are ambiguous: the performance is left out and both are named. Hidden files are skipped.

    Parameters
    ----------
    folder

    Returns
    -------
    The performances in the order of their paths, and the files that were left out.
    """
    left_out: list[LeftOut] = []
    groups: dict[tuple[Path, str], dict[Kind, list[Path]]] = defaultdict(lambda: defaultdict(list))
    for path in _visible(folder):
        shown = path.relative_to(folder)
        kind, stem = kind_by_name(path)
        if kind == "midi" and path.with_suffix(".json").is_file() and is_transcription(path):
            continue  # what an earlier assessment heard
        if kind is None:
            suffix = path.suffix or "no suffix"
            left_out.append(LeftOut(shown.as_posix(), f"is no audio, MIDI or score ({suffix})"))
        else:
            groups[shown.parent, stem.casefold()][kind].append(path)
    found = [_in_folder(folder, group, left_out) for _, group in sorted(groups.items())]
    return _unambiguous([take for take in found if take is not None], folder, left_out), tuple(left_out)


def subject_of(take: TakeFiles, folder: Path) -> str:
    """Name of a performance of a folder in messages: its path without the suffix."""
    played = take.audio or take.midi
    assert played is not None
    return played.relative_to(folder).with_suffix("").as_posix()


def _visible(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        if path.is_file() and not hidden:
            yield path


def _in_folder(folder: Path, group: Mapping[Kind, list[Path]], left_out: list[LeftOut]) -> TakeFiles | None:
    names = {kind: [path.relative_to(folder).as_posix() for path in paths] for kind, paths in group.items()}
    for kind, paths in names.items():
        if len(paths) > 1:
            reason = f"are {len(paths)} files of one kind ({kind}) under one name"
            left_out.append(LeftOut(" and ".join(paths), reason))
            return None
    if set(group) == {"score"}:
        left_out.append(LeftOut(names["score"][0], _LONE_SCORE))
        return None
    if set(group) >= {"audio", "midi"} and is_transcription(group["midi"][0]):
        group = {
            kind: paths for kind, paths in group.items() if kind != "midi"
        }  # it is heard again, or cached
    first = group.get("audio", group.get("midi", []))[0]
    place = first.relative_to(folder).with_suffix("")
    audio, midi, score = (group[kind][0] if kind in group else None for kind in ("audio", "midi", "score"))
    return TakeFiles(file_name("_".join(place.parts)), audio, midi, score)


def _unambiguous(takes: Sequence[TakeFiles], folder: Path, left_out: list[LeftOut]) -> tuple[TakeFiles, ...]:
    """Omit performances whose names are equal as file names."""
    count = Counter(take.id.casefold() for take in takes)
    left_out += [
        LeftOut(subject_of(take, folder), f"has the same id {take.id!r} as another: rename it")
        for take in takes
        if count[take.id.casefold()] > 1
    ]
    return tuple(take for take in takes if count[take.id.casefold()] == 1)


@dataclass(frozen=True)
class Given:
    """The performances given by a user.

    Attributes
    ----------
    takes : at least one performance
    left_out : files of a folder that belong to no performance
    """

    takes: tuple[TakeFiles, ...]
    left_out: tuple[LeftOut, ...] = ()


def given_takes(arguments: Sequence[Path], midi: Path | None = None, score: Path | None = None) -> Given:
    """Group the arguments of a command into performances.

    Parameters
    ----------
    arguments
        Recordings, performance MIDI, scores (`takes_of`), and folders of them (`takes_in`); the folder of
        an imported corpus has a label file, which lists its performances.
    midi : the performance MIDI of the one performance
    score : used for every performance

    Raises
    ------
    InputError
        A file is missing, or a folder holds no performance.
    UsageError
        The files do not belong together.
    """
    for path in (*arguments, midi, score):
        if path is not None:
            assert_plain_file(path)
    files = [path for path in dict.fromkeys(arguments) if not path.is_dir()]
    folders = [path for path in dict.fromkeys(arguments) if path.is_dir()]
    scores = [path for path in files if kind_by_content(path) == "score"]
    is_played = len(scores) < len(files)
    takes = list(takes_of(files)) if is_played or (files and not folders and midi is None) else []
    left_out: list[LeftOut] = []
    for folder in folders:
        found, others = _in_given_folder(folder)
        takes += found
        left_out += others
    if folders and scores:
        takes = _with_lone_score(takes, scores)
    if midi is not None:
        takes = [_with_midi(takes, midi, files)]
    if score is not None:
        takes = [_with_score(take, score) for take in takes]
    return Given(_with_own_ids(takes), tuple(left_out))


def _with_lone_score(takes: Sequence[TakeFiles], scores: Sequence[Path]) -> list[TakeFiles]:
    """The one score that is given beside folders is used for all performances without their own."""
    if len(scores) > 1:
        raise UsageError(
            str(scores[1]),
            "is a second score beside a folder",
            allowed="one score for all performances without their own",
            next_step="give it the name of its performance, in the folder",
        )
    return [take if take.score is not None else replace(take, score=scores[0]) for take in takes]


def _in_given_folder(folder: Path) -> tuple[tuple[TakeFiles, ...], tuple[LeftOut, ...]]:
    for name in LABEL_FILES:
        if (folder / name).is_file():
            from tocco.data.manifest import read_manifest

            return read_manifest(folder / name), ()
    takes, left_out = takes_in(folder)
    if not takes:
        raise InputError(
            folder,
            "has no performance" + (f" ({left_out[0].subject}: {left_out[0].reason})" if left_out else ""),
            allowed="recordings or performance MIDI, with scores of the same names",
            next_step="name the folder that holds them",
        )
    scores = [one for one in left_out if one.reason == _LONE_SCORE]
    if len(scores) == 1 and not any(take.score for take in takes):
        takes = tuple(replace(take, score=folder / scores[0].subject) for take in takes)
        left_out = tuple(one for one in left_out if one.reason != _LONE_SCORE)
    return takes, left_out


def _with_midi(takes: Sequence[TakeFiles], midi: Path, files: Sequence[Path]) -> TakeFiles:
    if not takes:
        of_score = next((path for path in files if kind_by_content(path) == "score"), None)
        return TakeFiles(file_name(midi.stem), midi=midi, score=of_score)
    if len(takes) > 1 or takes[0].midi is not None:
        raise UsageError(
            "--midi",
            "belongs to one recording, and "
            + (f"{len(takes)} are given" if len(takes) > 1 else f"{takes[0].midi} is given as well"),
            next_step="give every MIDI the name of its recording, or name them in a table with --manifest",
        )
    return replace(takes[0], midi=midi)


def _with_score(take: TakeFiles, score: Path) -> TakeFiles:
    if take.score is not None and take.score != score:
        raise UsageError(
            "--score",
            f"gives {score}, and {take.id} has {take.score}",
            next_step="give one score per performance",
        )
    return replace(take, score=score)
