"""Plain words: terms that were replaced by standard ones stay out of code and documents."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Final

import pytest

ROOT = Path(__file__).parents[1]

OLD_WORDS: Final[dict[str, str]] = {
    r"\bdoors?\b": "entry point",
    r"\b(?:foot|feet)(?!_distance)\b|\bfoot_(?!distance)|_foot\b|\bFoot[A-Z]": "pedal, pedal timing",
    r'(?<!")\bshakes?\b(?!")': "trill",
    r"\b(?:un)?(?<!can be )told\b|_told\b|\btold_": "reported, computed, distinguished",
    r"\bcourse of (?:the )?level\b|\bsuggested[ _]course\b|\blevel_course\b": "dynamics contour",
    r"\b(?:brings?|brought) out\b": "expected accents",
    r"(?<!type )(?<!param_)\bhints?\b|(?<!param)_hints?\b|\bHINTS\b|_HINTS\b": "predictors",
    r"\bone vote\b": "equal weight per piece",
    r"\blikeness(?:_of)?\b|_likeness\b": "correlation",
    r"\bTogether\(|[:>] Together\b|import (?:.*, )?Together\b|\bread_together\b|\.together\b": "OnsetGroups",
    r"\b(?:read_)?[Ii]ntended\b|\bplayers? meant\b": "performance without note errors",
    r"(?<!on )\bdemands?\b|\bdemand_|_demand\b|\bDEMANDS\b": "difficulty covariates",
    r"\bkeyboard_tilt\b|\bwithout_tilt\b|\btilt of (?:the )?(?:strength|keyboard)\b": "velocity bias",
    r"\bheard_chance\b": "detection_probability",
    r"\bby[ _]ear\b|\bthe ear\b": "from transcription",
    r"\basked[ _]of[ _]the[ _]hand\b": "technical context",
    r"\bkept_|(?<!is)_kept\b|\bis_kept\b|\bkept (?:measures?|files?|transcriptions?)\b": "cached",
    r"_Climb\b|\bclimb(?:s|ed|ing)?\b": "severity ladder",
    r"\byardsticks?\b": "baselines",
    r"\bheld against\b": "compared with",
    r"\bplain_reading\b": "linear initialisation",
    r"\bproofs?\b|\bProof\b|\bprove[sdn]?\b|_proof\b": "validation",
    r"\b(?:the|a|no) page (?:asks|says|prints|moves|shows|writes|lacks|accents|misses|puts|has|where)\b"
    r"|\b(?:of|on|with|against|by) (?:the|a) page\b|_of_the_page\b": "the score",
}
"""Regular expression -> term used instead."""

NAMES_THEM: Final = (
    "tests/test_words.py",
    "src/tocco/pseudo_labels/scale/earlier_names.py",
    "tests/pseudo_labels/scale/test_earlier_names.py",
    "tests/pseudo_labels/norms/test_model.py",
    "src/tocco/pseudo_labels/norms/model.py",
)
"""Files that name the old words: this one, and those that read files of earlier releases."""

COVERED: Final = ("src", "docs", "tests", "scripts", "benchmarks", "configs", "*.md")
SUFFIXES: Final = {".py", ".md", ".yaml", ".toml", ".html", ".css", ".js"}


def covered_files() -> list[str]:
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "--", *COVERED],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    return sorted(
        name
        for name in set(listed)
        if Path(name).suffix in SUFFIXES and name not in NAMES_THEM and (ROOT / name).is_file()
    )


def old_words_in(text: str) -> list[str]:
    """Each old word with its line and the term to use."""
    return [
        f"line {text.count(chr(10), 0, found.start()) + 1}: {found.group()!r}, say {term!r}"
        for pattern, term in OLD_WORDS.items()
        for found in re.finditer(pattern, text)
    ]


def test_no_old_word_is_used() -> None:
    found = {
        name: words
        for name in covered_files()
        if (words := old_words_in((ROOT / name).read_text(encoding="utf-8")))
    }
    assert found == {}


@pytest.mark.parametrize(
    "text",
    [
        "hands that play together; Together they make a chord",
        "type hints, and a param_hint of typer",
        "loaded on demand",
        "no difference that can be told",
        "files are kept for a week, and is kept apart",
        'the sign "shake"',
        "spectral tilt in dB per octave",
        "an HTML page with a table",
    ],
)
def test_ordinary_uses_pass(text: str) -> None:
    assert old_words_in(text) == []


@pytest.mark.parametrize(
    ("text", "term"),
    [
        ("from tocco.x import Together", "OnsetGroups"),
        ("def read(together: Together)", "OnsetGroups"),
        ("kept_measures = 3", "cached"),
        ("ratings told by rule", "reported, computed, distinguished"),
        ("accents that the page asks for", "the score"),
        ("the third proof", "validation"),
        ("likeness_of(a, b)", "correlation"),
        ("when the foot moves", "pedal, pedal timing"),
    ],
)
def test_old_uses_are_found(text: str, term: str) -> None:
    assert any(repr(term) in found for found in old_words_in(text))
