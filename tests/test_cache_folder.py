"""Where results that take long are cached for a user."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tocco.cache_folder import cache_folder


@pytest.fixture(autouse=True)
def _home(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("TOCCO_CACHE", "XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(Path, "home", lambda: Path("/home/clara"))


def test_a_variable_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOCCO_CACHE", "elsewhere")
    for platform in ("linux", "darwin", "win32"):
        monkeypatch.setattr(sys, "platform", platform)
        assert cache_folder() == Path("elsewhere")


@pytest.mark.parametrize(
    ("platform", "variables", "expected"),
    [
        ("linux", {}, "/home/clara/.cache/tocco"),
        ("linux", {"XDG_CACHE_HOME": "/fast"}, "/fast/tocco"),
        ("linux", {"XDG_CACHE_HOME": "relative"}, "/home/clara/.cache/tocco"),
        ("linux", {"TOCCO_CACHE": ""}, "/home/clara/.cache/tocco"),
        ("darwin", {}, "/home/clara/Library/Caches/tocco"),
        ("win32", {}, "/home/clara/AppData/Local/tocco/Cache"),
        ("win32", {"LOCALAPPDATA": "/local"}, "/local/tocco/Cache"),
    ],
)
def test_every_platform_has_a_place(
    platform: str, variables: dict[str, str], expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", platform)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert cache_folder() == Path(expected)
