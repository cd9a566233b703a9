"""The sampled pianos that tocco supports: where they come from, what they may be used for, how they sound."""

from __future__ import annotations

import functools
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tocco.errors import InputError, MissingPartError
from tocco.files import sha256_of
from tocco.schema import nearest

SOUNDFONT_VARIABLE: Final = "TOCCO_SOUNDFONT"
"""Environment variable that names the soundfont to play on."""

ANY: Final = "any"
"""Stands for every known piano that is installed."""

_SOUNDFONT_FOLDERS: Final = (
    "/usr/share/sounds/sf3",
    "/usr/share/sounds/sf2",
    "/usr/share/soundfonts",
    "/usr/local/share/soundfonts",
    "/opt/homebrew/share/soundfonts",
    "/opt/homebrew/share/fluid-synth/sf2",
    "/usr/local/share/fluid-synth/sf2",
    "~/.local/share/soundfonts",
    "~/Library/Audio/Sounds/Banks",
)
_SOUNDFONT_NAMES: Final = (
    "MuseScore_General_Lite.sf3",  # first: the one whose timbre follows velocity
    "MuseScore_General.sf3",
    "MuseScore_General.sf2",
    "FluidR3_GM.sf2",
    "default-GM.sf3",
    "default-GM.sf2",
)
INSTALL: Final = (
    "apt-get install fluidsynth musescore-general-soundfont-small (macOS: brew install fluid-synth and "
    f"set {SOUNDFONT_VARIABLE} to an .sf2 or .sf3 file)"
)


@dataclass(frozen=True)
class Program:
    """One piano of a soundfont.

    Attributes
    ----------
    name
        What it is called on the command line.
    bank, preset
        Where it lies in the font.
    """

    name: str
    bank: int
    preset: int


@dataclass(frozen=True)
class Soundfont:
    """A packaged soundfont with pianos in it.

    Attributes
    ----------
    name
        What it is called on the command line.
    file_name
    licence
        As the package's copyright file states it.
    package
        Of Debian and Ubuntu.
    colour
        How it sounds, and what it lacks.
    programs
        Its pianos; the first is the one meant when none is named.
    """

    name: str
    file_name: str
    licence: str
    package: str
    colour: str
    programs: tuple[Program, ...]

    def path(self) -> Path:
        """Where it is installed.

        Raises
        ------
        MissingPartError
            It is not.
        """
        for folder in _SOUNDFONT_FOLDERS:
            file = Path(folder).expanduser() / self.file_name
            if file.is_file():
                return checked_soundfont(file, "is installed")
        raise MissingPartError(
            f"soundfont {self.name}",
            f"is not installed ({self.file_name}, licence {self.licence})",
            next_step=f"apt-get install {self.package}, or put the file into ~/.local/share/soundfonts",
        )


SOUNDFONTS: Final = (
    Soundfont(
        name="musescore",
        file_name="MuseScore_General_Lite.sf3",
        licence="MIT, parts public domain or CC0",
        package="musescore-general-soundfont-small",
        colour="Splendid Grand; its timbre follows velocity",
        programs=(Program("grand", 0, 0), Program("bright", 0, 1), Program("mellow", 8, 0)),
    ),
    Soundfont(
        name="timgm6mb",
        file_name="TimGM6mb.sf2",
        licence="GPL-2",
        package="timgm6mb-soundfont",
        colour="a small, dark piano with short loops; level alone follows velocity",
        programs=(Program("grand", 0, 0), Program("bright", 0, 1)),
    ),
    Soundfont(
        name="fluid",
        file_name="FluidR3_GM.sf2",
        licence="MIT",
        package="fluid-soundfont-gm",
        colour="Yamaha grand in stereo; level alone follows velocity; 142 MB",
        programs=(Program("grand", 0, 0), Program("bright", 0, 1)),
    ),
    Soundfont(
        name="fluid-mono",
        file_name="FluidR3Mono_GM.sf3",
        licence="MIT",
        package="fluidr3mono-gm-soundfont",
        colour="the Yamaha grand in mono; level alone follows velocity",
        programs=(Program("grand", 0, 0), Program("bright", 0, 1), Program("mellow", 8, 0)),
    ),
)
"""Every soundfont that can be asked for by name."""


@dataclass(frozen=True)
class Instrument:
    """One piano that is there to be played.

    Attributes
    ----------
    name
        "FONT:PROGRAM" of a known soundfont, else the file's name.
    soundfont
        The file.
    bank, preset
        Where the piano lies in it.
    licence
        None where only the user knows it.
    """

    name: str
    soundfont: Path
    bank: int = 0
    preset: int = 0
    licence: str | None = None

    def sha256(self) -> str:
        """SHA-256 of the soundfont's bytes."""
        status = self.soundfont.stat()
        return _font_sha256(self.soundfont.resolve(), status.st_size, status.st_mtime_ns)


@functools.lru_cache(maxsize=16)
def _font_sha256(path: Path, size: int, mtime_ns: int) -> str:
    """The hash of a font, found once for each state of the file."""
    return sha256_of(path)


def instruments_of(choice: str | None) -> tuple[Instrument, ...]:
    """The pianos that a choice of soundfont allows.

    Parameters
    ----------
    choice
        None: the default grand of `find_soundfont`. "any": every piano of every known soundfont that is
        installed. "FONT": all pianos of one. "FONT:PROGRAM": one piano. Else the path of an .sf2 or .sf3
        file, whose grand (bank 0, preset 0) is taken.

    Returns
    -------
    At least one, in a fixed order.

    Raises
    ------
    InputError
        No such name or file.
    MissingPartError
        The soundfont is not installed.
    """
    if choice is None:
        return (_of_file(find_soundfont()),)
    if choice == ANY:
        return _installed()
    known = {font.name: font for font in SOUNDFONTS}
    name, _, program = choice.partition(":")
    if name in known:
        return _programs(known[name], program)
    path = Path(choice).expanduser()
    if path.suffix.lower() in {".sf2", ".sf3"} or path.is_file():
        return (_of_file(checked_soundfont(path, "was asked for")),)
    raise InputError(
        f"soundfont {choice}",
        nearest(name, [*known, ANY]),
        allowed="a known name, NAME:PROGRAM, 'any', or an .sf2 or .sf3 file",
    )


def _programs(font: Soundfont, program: str) -> tuple[Instrument, ...]:
    """One piano of a font, or all where none is named."""
    names = [candidate.name for candidate in font.programs]
    if program and program not in names:
        raise InputError(f"soundfont {font.name}:{program}", nearest(program, names))
    path = font.path()
    return tuple(
        Instrument(f"{font.name}:{each.name}", path, each.bank, each.preset, font.licence)
        for each in font.programs
        if program in {"", each.name}
    )


def _installed() -> tuple[Instrument, ...]:
    found = [font for font in SOUNDFONTS if _is_installed(font)]
    if not found:
        raise MissingPartError(
            "soundfont", "none of the known ones is installed, and MIDI is played on one", next_step=INSTALL
        )
    return tuple(instrument for font in found for instrument in _programs(font, ""))


def _is_installed(font: Soundfont) -> bool:
    return any((Path(folder).expanduser() / font.file_name).is_file() for folder in _SOUNDFONT_FOLDERS)


def _of_file(path: Path) -> Instrument:
    """The grand of a soundfont that was named by its file."""
    for font in SOUNDFONTS:
        if path.name == font.file_name:
            first = font.programs[0]
            return Instrument(f"{font.name}:{first.name}", path, first.bank, first.preset, font.licence)
    return Instrument(path.name, path)


def missing_packages(names: Iterable[str]) -> tuple[str, ...]:
    """The system packages of the known soundfonts of these names that are not installed."""
    wanted = set(names)
    return tuple(font.package for font in SOUNDFONTS if font.name in wanted and not _is_installed(font))


def find_soundfont() -> Path:
    """The soundfont to play on: the one that TOCCO_SOUNDFONT names, else one that the system has.

    Raises
    ------
    MissingPartError
        The variable names no file, or no known soundfont is installed.
    """
    named = os.environ.get(SOUNDFONT_VARIABLE)
    if named:
        return checked_soundfont(Path(named).expanduser(), f"is named by {SOUNDFONT_VARIABLE}")
    for name in _SOUNDFONT_NAMES:
        for folder in _SOUNDFONT_FOLDERS:
            soundfont = Path(folder).expanduser() / name
            if soundfont.is_file():
                return soundfont
    raise MissingPartError("soundfont", "none is installed, and MIDI is played on one", next_step=INSTALL)


def checked_soundfont(soundfont: Path, why: str) -> Path:
    """A soundfont that is one, by its first bytes.

    Raises
    ------
    MissingPartError
        It does not exist or is something else.
    """
    if not soundfont.is_file():
        raise MissingPartError(soundfont, f"{why} but does not exist", next_step=INSTALL)
    with soundfont.open("rb") as file:
        head = file.read(12)
    if head[:4] != b"RIFF" or head[8:12] != b"sfbk":
        raise MissingPartError(soundfont, f"{why} but is not a soundfont", allowed=".sf2 or .sf3")
    return soundfont
