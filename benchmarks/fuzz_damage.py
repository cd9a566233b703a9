"""Random damage to the bytes of a file, and to the structure of a text."""

from __future__ import annotations

import re
from typing import Final, Literal

import numpy as np

Text = Literal["", "xml", "data"]

EXTREME_BYTES: Final = tuple(
    value.to_bytes(size, order)
    for size in (1, 2, 4, 8)
    for value in (0, 1, (1 << 8 * size - 1) - 1, 1 << 8 * size - 1, (1 << 8 * size) - 1)
    for order in ("big", "little")
)
EXTREME_TEXT: Final = (
    *("0", "-1", "1e308", "-1e308", "1e-308", "99999999999999999999", "2147483648", "0.1", "nan", "NaN"),
    *(
        "Infinity",
        "-Infinity",
        ".inf",
        ".nan",
        "null",
        "true",
        '""',
        "[]",
        "{}",
        '"x"',
        "x" * 300,
        "9" * 5000,
    ),
    *("é", "\0", "\ud800".encode("utf-8", "surrogatepass").decode("latin-1"), "-0", "1/3", "1,5", " "),
)
_NUMBER: Final = re.compile(rb"-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?")
_ELEMENT: Final = re.compile(rb"<([A-Za-z-]+)[^<>]*>[^<>]*</\1>|<[A-Za-z-]+[^<>]*/>")
_BLOCK: Final = re.compile(rb"<(note|measure|attributes|direction|part|barline)\b.*?</\1>", re.DOTALL)
_VALUE: Final = re.compile(rb"\"[^\"\n]*\"|'[^'\n]*'|>[^<>\n]+<")


def damaged(content: bytes, rng: np.random.Generator, *, text: Text) -> bytes:
    """A file with one to four faults.

    Parameters
    ----------
    content : a valid file
    rng
    text : "xml" or "data" (JSON, YAML) for faults that keep the syntax; "" for binary files
    """
    for _ in range(min(int(rng.geometric(0.6)), 4)):
        if text and rng.random() < 0.7:
            content = _damaged_text(content, rng, is_xml=text == "xml")
        else:
            content = _damaged_bytes(content, rng)
    return content


def _damaged_bytes(content: bytes, rng: np.random.Generator) -> bytes:
    """One fault in the bytes. Half of the places lie in the first 200 bytes, where the headers are."""
    n = len(content)
    reach = min(n, 200) if rng.random() < 0.5 else n
    at = int(rng.integers(reach)) if reach else 0
    size = int(rng.integers(1, 33))
    match int(rng.integers(7)):
        case 0:
            flipped = content[at] ^ 1 << int(rng.integers(8)) if n else 0
            return content[:at] + bytes([flipped]) + content[at + 1 :]
        case 1:
            return content[:at] + rng.bytes(size) + content[at:]
        case 2:
            return content[:at] + content[at + size :]
        case 3:
            size = int(rng.integers(1, max(2, n // 2)))
            return content[:at] + content[at : at + size] * 2 + content[at + size :]
        case 4:
            return content[: int(rng.integers(n + 1))]
        case 5:
            extreme = EXTREME_BYTES[int(rng.integers(len(EXTREME_BYTES)))]
            return content[:at] + extreme + content[at + len(extreme) :]
        case _:
            return content[:at] + rng.bytes(size) + content[at + size :]


def _damaged_text(content: bytes, rng: np.random.Generator, *, is_xml: bool) -> bytes:
    """One fault in the structure: a number, a value, an element or a line."""
    patterns = (_NUMBER, _VALUE, _ELEMENT, _BLOCK) if is_xml else (_NUMBER, _VALUE)
    pattern = patterns[int(rng.integers(len(patterns)))]
    places = [match.span() for match in pattern.finditer(content)]
    if not places:
        return content
    start, end = places[int(rng.integers(len(places)))]
    piece = content[start:end]
    if pattern is _NUMBER or (pattern is _VALUE and rng.random() < 0.5):
        extreme = EXTREME_TEXT[int(rng.integers(len(EXTREME_TEXT)))].encode("latin-1")
        inner = piece[:1] + extreme + piece[-1:] if piece[:1] == b">" else extreme
        return content[:start] + inner + content[end:]
    other_start, other_end = places[int(rng.integers(len(places)))]
    match int(rng.integers(4)):
        case 0:
            return content[:start] + content[end:]
        case 1:
            return content[:start] + piece * int(rng.integers(2, 6)) + content[end:]
        case 2:
            return content[:start] + content[other_start:other_end] + content[end:]
        case _:
            (start, end), (other_start, other_end) = sorted(((start, end), (other_start, other_end)))
            if end > other_start:
                return content[:start] + content[end:]
            other, between = content[other_start:other_end], content[end:other_start]
            return content[:start] + other + between + content[start:end] + content[other_end:]
