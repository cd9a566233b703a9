"""`import tocco`: a handful of names, each loaded when it is asked for."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

import tocco


@pytest.mark.parametrize("name", [name for name in tocco.__all__ if name != "__version__"])
def test_every_public_name_is_that_of_its_module(name: str) -> None:
    value = getattr(tocco, name)
    assert value.__name__ == name
    assert value.__module__.startswith("tocco.")
    assert value.__doc__


def test_the_version_is_that_of_the_package() -> None:
    assert tocco.__version__ == version("tocco")


def test_an_unknown_name_is_told_with_those_that_exist() -> None:
    with pytest.raises(AttributeError, match=r"no attribute 'Asessor'; it offers Assessment, Assessor"):
        _ = tocco.Asessor  # pyright: ignore[reportAttributeAccessIssue]


def test_everything_public_is_listed() -> None:
    assert set(tocco.__all__) <= set(dir(tocco))


def test_types_travel_with_the_package() -> None:
    assert (Path(tocco.__file__).parent / "py.typed").is_file()


def test_python_m_tocco_is_the_command() -> None:
    run = subprocess.run(
        [sys.executable, "-m", "tocco", "--version"], capture_output=True, text=True, check=True
    )
    assert run.stdout.strip() == f"tocco {version('tocco')}"
