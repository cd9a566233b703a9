"""The audio encoders by name; a new one is a class and one line in `ENCODERS`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from tocco.models.audio_encoder import AudioEncoder, CompactEncoder


@dataclass(frozen=True)
class EncoderSettings:
    """Plain values that an audio encoder is built from; each reads its own.

    Attributes
    ----------
    width, depth, n_mels, skip_rate : of `CompactEncoder`
    mert : arguments of `MERTEncoder`; None for another encoder
    random : whether the weights stay as they are drawn
    """

    width: int
    depth: int
    n_mels: int
    skip_rate: float
    mert: Mapping[str, Any] | None
    random: bool = False


def build_audio_encoder(name: str, settings: EncoderSettings) -> AudioEncoder:
    """The audio encoder of that name; one with random weights is not trained.

    Raises
    ------
    ValueError
        No encoder has this name, or the settings are of another one.
    """
    if name not in ENCODERS:
        raise ValueError(f"audio_encoder is {name!r}; {', '.join(ENCODERS)} are allowed")
    encoder = ENCODERS[name](settings)
    return encoder.requires_grad_(False) if settings.random else encoder


def _compact(settings: EncoderSettings) -> AudioEncoder:
    if settings.mert is not None:
        raise ValueError("arguments for MERT were given, but audio_encoder is 'compact'")
    return CompactEncoder(
        width=settings.width,
        depth=settings.depth,
        n_mels=settings.n_mels,
        skip_rate=0.0 if settings.random else settings.skip_rate,
    )


def _mert(settings: EncoderSettings) -> AudioEncoder:
    if settings.mert is None:
        raise ValueError("audio_encoder is 'mert', but `mert` does not say which checkpoint")
    from tocco.models.mert import MERTEncoder

    if not settings.random:
        return MERTEncoder(**settings.mert)
    return MERTEncoder.untrained(**{**settings.mert, "trainable": "none"})


ENCODERS: Final[Mapping[str, Callable[[EncoderSettings], AudioEncoder]]] = {
    "compact": _compact,
    "mert": _mert,
}
"""Audio encoders by the names that `build_network` uses."""
