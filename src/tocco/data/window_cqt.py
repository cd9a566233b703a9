"""Constant-Q transforms of prepared windows: cached beside the inputs of their record, or computed.

No network reads them; they are for pictures, and for networks of others. A cached file has the transforms of
all windows of a record. Its name has the key of the record's inputs (recording, bounds, code) and that of the
transform, so that a file of another recording or of other code is never read.
"""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path
from typing import Final, Literal

import numpy as np

from tocco.audio import features
from tocco.cache import ArrayReader, cached_arrays, content_key
from tocco.data.prepared import PreparedWindow, float_audio
from tocco.units import FloatArray

CqtMode = Literal["none", "compute", "cache"]
"""Whether examples have a constant-Q transform: none, computed at each access, or cached after the first."""

FOLDER: Final = "cqt"
"""Of the cached files, in the folder of the prepared inputs."""

_LIBRARIES: Final = ("nnaudio", "torch")
"""Libraries whose version affects the transform."""


def window_cqt(window: PreparedWindow, mode: CqtMode = "cache") -> FloatArray:
    """Constant-Q transform of the unchanged sound of a window.

    Parameters
    ----------
    window
    mode
        "cache" reads the record's file, which is written at the first access; without a cache folder, and
        with "compute", the transform is computed.

    Returns
    -------
    (168, T) float32
        See `tocco.audio.features.compute_cqt`.
    """
    path = cached_path(window)
    if mode == "compute" or path is None:
        return features.compute_cqt(float_audio(window.waveform))
    return cached_arrays(path, lambda: _of_record(window.source.open())).array(str(window.number))


def cached_path(window: PreparedWindow) -> Path | None:
    """The file with the transforms of a window's record; None without a cache folder."""
    inputs = window.source.path
    if inputs is None:
        return None
    key = content_key(features.__name__, *(f"{name} {version(name)}" for name in _LIBRARIES))
    return inputs.parent / FOLDER / f"{inputs.stem}-{key}.safetensors"


def _of_record(arrays: ArrayReader) -> dict[str, np.ndarray]:
    """Window -> transform, for every window of a record."""
    return {
        str(k): features.compute_cqt(float_audio(arrays.part("waveform", int(start), int(end))))
        for k, (start, end) in enumerate(arrays.array("sample_bounds"))
    }
