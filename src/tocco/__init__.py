"""tocco: ten ratings of a piano performance, each with an interval that can be trusted.

The names below are the public interface. Each is imported when it is first asked for, so that
`import tocco` costs milliseconds and loads neither torch nor the model.

Examples
--------
>>> import tocco
>>> assessment = tocco.Assessor().assess("take.wav", "take.mid", "piece.musicxml")  # doctest: +SKIP
>>> assessment.ratings["phrasing"].interval_90  # doctest: +SKIP
(43.2, 68.1)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tocco.audio.processing import load_audio
    from tocco.errors import ToccoError
    from tocco.inference.assessment import Assessment
    from tocco.inference.assessor import Assessor
    from tocco.inference.bundle import load_bundle
    from tocco.music.alignment import align_performance_to_score
    from tocco.music.midi import load_midi
    from tocco.music.score import load_score

    __version__: str

__all__ = [
    "Assessment",
    "Assessor",
    "ToccoError",
    "__version__",
    "align_performance_to_score",
    "load_audio",
    "load_bundle",
    "load_midi",
    "load_score",
]

_MODULE_OF = {
    "Assessment": "tocco.inference.assessment",
    "Assessor": "tocco.inference.assessor",
    "ToccoError": "tocco.errors",
    "align_performance_to_score": "tocco.music.alignment",
    "load_audio": "tocco.audio.processing",
    "load_bundle": "tocco.inference.bundle",
    "load_midi": "tocco.music.midi",
    "load_score": "tocco.music.score",
}


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        return version("tocco")
    if name not in _MODULE_OF:
        raise AttributeError(f"module 'tocco' has no attribute {name!r}; it offers {', '.join(__all__)}")
    from importlib import import_module

    value = getattr(import_module(_MODULE_OF[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
