"""The verdict on a recording: whether it may be assessed, and how far."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from os import PathLike
from types import MappingProxyType

from tocco.audio.processing import DescribedStream
from tocco.audio.quality.bounds import MusicBounds
from tocco.audio.quality.findings import Finding, findings_of
from tocco.audio.quality.gauge import QualityGauge
from tocco.audio.quality.measures import Measures
from tocco.errors import InputError

NEXT_STEP = "give a recording of a piano alone"


@dataclass(frozen=True)
class RecordingQuality:
    """What a recording is like, and what follows.

    Attributes
    ----------
    measures
    findings : refusals first, then what is not rated, then warnings
    """

    measures: Measures
    findings: tuple[Finding, ...]

    @property
    def refusal(self) -> str | None:
        """Why it is not assessed: "does not sound like a piano: speech is heard"; None where it is."""
        return next((one.sentence for one in self.findings if one.consequence == "refuse"), None)

    @property
    def abstained(self) -> Mapping[str, str]:
        """Dimension -> why it is not rated."""
        reasons: dict[str, str] = {}
        for one in self.findings:
            for dimension in one.dimensions:
                reasons.setdefault(dimension, one.sentence)
        return MappingProxyType(reasons)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What else is worth knowing, a sentence each; first what was cut off around the music."""
        cut = self.music.sentence if self.music is not None else None
        said = [one.sentence for one in self.findings if one.consequence == "warn"]
        return (*([cut] if cut else []), *said)

    @property
    def music(self) -> MusicBounds | None:
        """Where the music lies; None where there is none."""
        return self.measures.bounds

    def tuned_off(self, semitones: int) -> RecordingQuality:
        """The same of a piano that stands a semitone above (1) or below (-1) its score, which is said."""
        side = "above" if semitones > 0 else "below"
        sentence = f"The piano sounds a semitone {side} the score; no note counts as wrong for that."
        return replace(self, findings=(*self.findings, Finding("semitone_off", "warn", sentence)))

    def check(self, source: str | PathLike[str]) -> None:
        """Refuse a recording that is none of a piano.

        Raises
        ------
        InputError
            With what was heard, and the next step.
        """
        if self.refusal is not None:
            raise InputError(source, self.refusal, next_step=NEXT_STEP)


def quality_of(measures: Measures) -> RecordingQuality:
    """The verdict on measures."""
    return RecordingQuality(measures, findings_of(measures))


def examine(stream: DescribedStream) -> RecordingQuality:
    """Read a recording to its end and examine it.

    Parameters
    ----------
    stream
        Its blocks are decoded once. To use them elsewhere in the same pass, iterate over
        `QualityGauge.watched(stream)` and hand the gauge's measures to `quality_of`.
    """
    gauge = QualityGauge()
    for block in stream:
        gauge.add(block)
    return quality_of(gauge.measures(stream.description))
