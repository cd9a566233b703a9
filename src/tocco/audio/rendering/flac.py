"""A waveform as a FLAC file that is whole or absent, and that can say how it was made."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from tocco.errors import InputError, OutputError
from tocco.units import SAMPLE_RATE_HZ, FloatArray


def write_flac(path: str | os.PathLike[str], waveform: FloatArray, *, comment: str | None = None) -> None:
    """A waveform as FLAC: mono, 24 kHz, 16 bits.

    Written under a temporary name in the same folder and then renamed, so that a file of this name is
    either whole or not there.

    Parameters
    ----------
    path
        Replaced where it exists.
    waveform : (S,) within -1..1
    comment
        Text that the file carries, for `read_comment`.

    Raises
    ------
    InputError
        The waveform would clip, is not finite, or is not mono.
    OutputError
        The folder is missing or cannot be written to.
    """
    import soundfile

    path, waveform = Path(path), np.asarray(waveform)
    if waveform.ndim != 1 or len(waveform) == 0:
        raise InputError(path, f"waveform has shape {waveform.shape}", allowed="(S,) mono samples, S >= 1")
    peak = float(np.abs(waveform).max())
    if not peak <= 1.0:  # also false for NaN
        raise InputError(path, f"waveform would clip (peak {peak:.3f})", allowed="-1 to 1")
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with temporary.open("wb") as file:
            with soundfile.SoundFile(
                file, "w", SAMPLE_RATE_HZ, channels=1, format="FLAC", subtype="PCM_16"
            ) as flac:
                if comment is not None:
                    flac.comment = comment
                flac.write(waveform)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        raise OutputError(
            path, f"cannot be written ({error.strerror})", next_step="name a folder that exists and is yours"
        ) from error
    finally:
        if path.parent.is_dir():
            temporary.unlink(missing_ok=True)


def read_comment(path: Path) -> str | None:
    """The text that an audio file carries; None where it carries none or is no audio file.

    Raises
    ------
    InputError
        The file cannot be read.
    """
    import soundfile

    try:
        with path.open("rb") as file, soundfile.SoundFile(file) as audio:
            return audio.comment or None
    except soundfile.LibsndfileError:
        return None
    except OSError as error:
        raise InputError(path, f"cannot be read ({error.strerror})", next_step="check the path") from error
