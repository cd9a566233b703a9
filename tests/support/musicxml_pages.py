"""Small MusicXML pages for tests: a quarter note is four divisions, a bar has four quarter notes."""

from __future__ import annotations

from pathlib import Path

from tocco.music.score import Score, load_score

CASES = Path(__file__).parents[1] / "music" / "cases"

OPENING = (
    "<attributes><divisions>4</divisions><key><fifths>0</fifths></key>"
    "<time><beats>4</beats><beat-type>4</beat-type></time></attributes>"
)


def note(pitch: str, duration: int | str | None = 4, inside: str = "", before: str = "", **said: str) -> str:
    """One note; `before` stands ahead of the pitch, `inside` after the voice; `said`: `voice`, `show`."""
    length = "" if duration is None else f"<duration>{duration}</duration>"
    sound = f"<pitch><step>{pitch[0]}</step><octave>{pitch[-1]}</octave></pitch>"
    voice = f"<voice>{said.get('voice', '1')}</voice>"
    shown = f' print-object="{said["show"]}"' if "show" in said else ""
    return f"<note{shown}>{before}{sound}{length}{voice}{inside}</note>"


def rest(duration: int, *, show: str = "yes", voice: str = "1") -> str:
    """One rest."""
    return f'<note print-object="{show}"><rest/><duration>{duration}</duration><voice>{voice}</voice></note>'


def back(duration: int) -> str:
    """A step back."""
    return f"<backup><duration>{duration}</duration></backup>"


def bars(*contents: str, opening: str = OPENING) -> str:
    """The bars of a part."""
    return "".join(
        f'<measure number="{k}">{opening if k == 1 else ""}{content}</measure>'
        for k, content in enumerate(contents, start=1)
    )


def page(*contents: str, opening: str = OPENING) -> str:
    """A page of one part."""
    return parts(bars(*contents, opening=opening))


def parts(*contents: str) -> str:
    """A page of several parts, each with its bars."""
    listed = "".join(f'<score-part id="P{k}"/>' for k in range(1, len(contents) + 1))
    body = "".join(f'<part id="P{k}">{content}</part>' for k, content in enumerate(contents, start=1))
    return f'<score-partwise version="4.0"><part-list>{listed}</part-list>{body}</score-partwise>'


def read(folder: Path, text: str | bytes, name: str = "page.musicxml") -> Score:
    """The score that a text says."""
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return load_score(path)


def strokes(score: Score) -> list[tuple[float, int]]:
    """Onset in beats and pitch of every note."""
    return list(zip(score.onset_beat.tolist(), score.pitch.tolist(), strict=True))


FOUR = note("C4") + note("D4") + note("E4") + note("F4")
FOUR_STROKES = [(0.0, 60), (1.0, 62), (2.0, 64), (3.0, 65)]
