"""`tocco doctor`: what this machine supports, one line per part."""

from __future__ import annotations

import importlib
import os
import platform
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version

import typer

from tocco.errors import ToccoError

MISSING = 5


def report() -> int:
    """Print every part with its version, or what is missing.

    Returns
    -------
    0 where performances with audio can be rated, else the exit code of a missing part.
    """
    checks: tuple[tuple[str, bool, Callable[[], str]], ...] = (
        ("tocco", True, lambda: f"{version('tocco')}, Python {platform.python_version()}"),
        ("torch", True, _torch),
        ("audio formats", True, _audio),
        ("bundled model", True, _bundle),
        ("rendering", False, _rendering),
        ("transcription", False, _transcription),
        ("training", False, lambda: _package("lightning", "pip install 'tocco[train]'")),
        ("MERT encoder", False, lambda: _package("transformers", "pip install 'tocco[mert]'")),
    )
    ready = True
    for name, needed, check in checks:
        try:
            state, text = "ok", check()
        except (ToccoError, ImportError, OSError) as error:
            state, text = "missing", str(error)
            ready = ready and not needed
        typer.echo(f"{state:<8} {name:<14} {text}")
    return 0 if ready else MISSING


def _torch() -> str:
    torch = importlib.import_module("torch")
    device = torch.cuda.get_device_name(0) if torch.cuda.is_available() else "no GPU"
    return f"{torch.__version__}, {device}, {torch.get_num_threads()} threads of {os.cpu_count()} cores"


def _audio() -> str:
    soundfile = importlib.import_module("soundfile")
    return (
        f"libsndfile {soundfile.__libsndfile_version__}, PyAV {version('av')}: WAV FLAC OGG MP3 M4A WebM Opus"
    )


def _bundle() -> str:
    from tocco.inference.bundle import load_bundle

    bundle = load_bundle()
    n = sum(parameter.numel() for parameter in bundle.network.parameters())
    name = f"{bundle.config.name} {bundle.config.version}"
    return f"{name}, {n / 1e6:.1f} M parameters, sha256 {bundle.sha256[:12]}"


def _rendering() -> str:
    from tocco.audio.rendering import find_soundfont

    return str(find_soundfont())


def _transcription() -> str:
    from tocco.audio.transcription import transcriber_of

    return transcriber_of(None).version


def _package(name: str, install: str) -> str:
    try:
        return f"{name} {version(name)}"
    except PackageNotFoundError:
        raise ImportError(f"{name} is not installed; {install}") from None
