"""Content-addressed cache of the measures of one performance.

An interrupted validation continues where it stopped. One that is repeated with another scale, other norms,
another soundfont or other notes under the same path finds no earlier measures.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

from tocco.audio.rendering import Instrument, find_soundfont, fluidsynth_version
from tocco.audio.rendering.soundfonts import checked_soundfont
from tocco.audio.transcription import CommandTranscriber
from tocco.cache import Keyed, cached_model, json_key
from tocco.data.pseudo_labelling import PSEUDO_LABEL_VERSION, SEGMENT_SEC, scale_sha256
from tocco.data.records import LabelRecord
from tocco.files import file_name, sha256_of
from tocco.music.corruption import CORRUPTIONS
from tocco.pseudo_labels.norms.model import reference_norms
from tocco.pseudo_labels.scale.files import Scales

MEASURES_VERSION: Final = 10
"""Incremented with each change of the measures, the corruptions or the alignment."""

TRANSCRIBED_VERSION: Final = 2
"""Incremented with each change that concerns only transcriptions, including the simulated noise."""

_SHOWN = 12
"""Digits of the hash in a file name."""


class CachedMeasure(Keyed):
    """A measure with its cache key."""


_Measured = TypeVar("_Measured", bound=CachedMeasure)


@dataclass(frozen=True)
class MeasureTask:
    """One performance to measure.

    Attributes
    ----------
    record : with MIDI and score
    scales
    folder : of the cache
    excerpt_sec : length of the part that is corrupted
    seed
    is_rendered : whether ladders are also measured with rendered audio
    through_transcriber : whether they are also measured on transcriptions
    transcriber : transcribes the rendered audio; None to simulate its errors on the MIDI
    soundfont : None for the default
    kinds : corruptions to apply, in the order of `CORRUPTIONS`
    """

    record: LabelRecord
    scales: Scales
    folder: Path
    excerpt_sec: float = 60.0
    seed: int = 0
    is_rendered: bool = False
    through_transcriber: bool = False
    transcriber: CommandTranscriber | None = None
    soundfont: Path | None = None
    kinds: tuple[str, ...] = tuple(CORRUPTIONS)

    @property
    def needs_audio(self) -> bool:
        """Whether audio has to be rendered."""
        return self.is_rendered or (self.through_transcriber and self.transcriber is not None)

    def key(self, what: str, settings: Sequence[Any] = ()) -> str:
        """SHA-256 of what determines a measure: content, never paths.

        The names of a performance enter: they are part of the measure and seed its corruptions.

        Parameters
        ----------
        what : name of the measure
        settings : further settings that determine it, as JSON values

        Raises
        ------
        InputError
            A file of the record cannot be read.
        """
        record = self.record
        files = (record.midi_path, record.score_path, record.audio_path)
        content = [
            [what, MEASURES_VERSION, PSEUDO_LABEL_VERSION, SEGMENT_SEC],
            [scale_sha256(self.scales.keys), reference_norms().sha256()],
            [None if path is None else sha256_of(path) for path in files],
            [record.segment_id, record.piece_id, record.passage_id, record.performer_id],
            [self.excerpt_sec, self.seed, self.is_rendered, self.through_transcriber, record.is_transcribed],
            None if self.transcriber is None else self.transcriber.command,
            self._piano() if self.needs_audio else None,
            list(settings),
        ]
        if self.through_transcriber or record.is_transcribed:
            content.append([TRANSCRIBED_VERSION, scale_sha256(self.scales.of("transcribed"))])
        return json_key(content)

    def _piano(self) -> list[str]:
        """What determines the rendered audio."""
        given = self.soundfont
        found = find_soundfont() if given is None else checked_soundfont(given, "was asked for")
        return [Instrument(found.name, found).sha256(), fluidsynth_version()]


def cached(
    task: MeasureTask, what: type[_Measured], make: Callable[[str], _Measured], settings: Sequence[Any] = ()
) -> _Measured:
    """The measure of an earlier run with the same content, or a new one, which is then stored.

    Parameters
    ----------
    task
    what : kind of measure
    make : (key) -> new measure
    settings : as of `MeasureTask.key`
    """
    key = task.key(what.__name__, settings)
    suffix = ".transcribed" if task.through_transcriber else ""
    name = f"{file_name(task.record.segment_id)}{suffix}.{what.__name__}.{key[:_SHOWN]}.json"
    path = task.folder / name
    return cached_model(path, what, key, lambda: make(key)).value
