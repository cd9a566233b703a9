"""What every HTML file shares: style and script inside, a policy that keeps the network out, escaping."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from tocco.errors import InputError

MADE_BY: Final = '<meta name="generator" content="tocco">'
"""In the head of every file: such a file may be replaced by a newer one."""

PAGE: Final = "tocco.report.page"

_HEAD_BYTES: Final = 2000


def policy(style: str, script: str = "", media: str = "") -> str:
    """Content Security Policy: this style, this script, this sound, and nothing from any network.

    >>> policy("", "").startswith("default-src 'none'; style-src 'sha256-")
    True
    """
    parts = ["default-src 'none'", f"style-src 'sha256-{_digest(style)}'"]
    if script:
        parts.append(f"script-src 'sha256-{_digest(script)}'")
    if media:
        parts.append(f"media-src {media}")
    return "; ".join([*parts, "base-uri 'none'", "form-action 'none'"])


def is_page(path: Path) -> bool:
    """Whether a file is one that tocco wrote.

    Raises
    ------
    InputError
        It cannot be read.
    """
    try:
        with path.open("rb") as stream:
            return MADE_BY.encode() in stream.read(_HEAD_BYTES)
    except OSError as error:
        raise InputError(path, f"cannot be read ({error.strerror})", next_step="check the path") from error


@cache
def asset(name: str, package: str = PAGE) -> str:
    """A text file of a package."""
    return files(package).joinpath(name).read_text(encoding="utf-8")


@cache
def template(name: str, package: str = PAGE) -> Any:
    """A template; every value that is no `Markup` is escaped, and an unknown name is an error."""
    from jinja2 import Environment, StrictUndefined

    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.from_string(asset(name, package))


def _digest(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
