"""Small MusicXML pages, written out in full: bars of four quarter notes unless they say otherwise."""

from __future__ import annotations

from pathlib import Path

from tocco.music.score import Score, load_score, score_readings

FORWARD = '<barline location="left"><repeat direction="forward"/></barline>'
BACKWARD = '<barline location="right"><repeat direction="backward"/></barline>'


def note(pitch: str, duration: int = 4, inside: str = "", *, before: str = "", voice: int = 1) -> str:
    """One note; `before` stands ahead of the pitch, `inside` after the duration."""
    length = f"<duration>{duration}</duration>" if duration else ""
    pitch_xml = f"<pitch><step>{pitch[0]}</step><octave>{pitch[-1]}</octave></pitch>"
    return f"<note>{before}{pitch_xml}{length}{inside}<voice>{voice}</voice></note>"


def tie(*kinds: str) -> str:
    return "".join(f'<tie type="{kind}"/>' for kind in kinds)


FOUR = note("C4") + note("D4") + note("E4") + note("F4")


def times(count: int) -> str:
    return f'<barline location="right"><repeat direction="backward" times="{count}"/></barline>'


def ending(number: str, content: str = FOUR, *, repeats: bool = False, end: str = "stop") -> str:
    """A bar under a bracket; `end` "" leaves its end out."""
    start = f'<barline location="left"><ending number="{number}" type="start"/></barline>'
    stop = f'<ending number="{number}" type="{end}"/>' if end else ""
    repeat = '<repeat direction="backward"/>' if repeats else ""
    return f'{start}{content}<barline location="right">{stop}{repeat}</barline>'


def words(text: str, sound: str = "") -> str:
    """A direction of words, with sound attributes if there are any."""
    heard = f"<sound {sound}/>" if sound else ""
    return f"<direction><direction-type><words>{text}</words></direction-type>{heard}</direction>"


def symbol(name: str, sound: str = "") -> str:
    heard = f"<sound {sound}/>" if sound else ""
    return f"<direction><direction-type><{name}/></direction-type>{heard}</direction>"


def page(*bars: str, divisions: int = 4, parts: int = 1, beats: int = 4) -> str:
    """A score-partwise document; every part has the same bars."""
    opening = (
        f"<attributes><divisions>{divisions}</divisions>"
        f"<time><beats>{beats}</beats><beat-type>4</beat-type></time></attributes>"
    )
    names = [f"P{i + 1}" for i in range(parts)]
    listed = "".join(f'<score-part id="{name}"><part-name>x</part-name></score-part>' for name in names)
    content = "".join(
        f'<measure number="{number}">{opening if number == 1 else ""}{bar}</measure>'
        for number, bar in enumerate(bars, start=1)
    )
    body = "".join(f'<part id="{name}">{content}</part>' for name in names)
    return f'<score-partwise version="4.0"><part-list>{listed}</part-list>{body}</score-partwise>'


def write(folder: Path, text: str) -> Path:
    path = folder / "page.musicxml"
    path.write_text(text, encoding="utf-8")
    return path


def read(folder: Path, text: str) -> Score:
    return load_score(write(folder, text))


def bars_of(score: Score) -> str:
    return " ".join(score.bar_name)


def ways(folder: Path, *bars: str) -> list[str]:
    """Bars of every reading, the customary one first."""
    return [bars_of(reading) for reading in score_readings(write(folder, page(*bars)))]
