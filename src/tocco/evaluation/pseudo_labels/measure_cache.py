"""Measures of one performance, kept in a file that is told by the content of everything that decides it.

A proof that was broken off goes on where it stopped, and one that is run again with another scale, other
norms, another soundfont or other notes under the same path finds nothing of the old.
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
"""Counts up with each change of what is measured, or how; of corruptions and alignment too."""

TRANSCRIBED_VERSION: Final = 2
"""Counts up with each change that concerns transcriptions alone, of the simulated noise too."""

_SHOWN = 12
"""Digits of the hash that stand in a file's name."""


class KeptMeasure(Keyed):
    """Something that was measured."""


_Measured = TypeVar("_Measured", bound=KeptMeasure)


@dataclass(frozen=True)
class MeasureTask:
    """One performance to measure.

    Attributes
    ----------
    record : with MIDI and score
    scales
    folder : where the measures are kept
    excerpt_sec : length of the part that is corrupted
    seed
    is_rendered, is_transcribed : whether ladders are also climbed with the sound, and through a transcriber
    transcriber : hears the rendered sound; None for the noise of one on the keys
    soundfont : None for the default
    kinds : corruptions to climb, in the order of `CORRUPTIONS`
    """

    record: LabelRecord
    scales: Scales
    folder: Path
    excerpt_sec: float = 60.0
    seed: int = 0
    is_rendered: bool = False
    is_transcribed: bool = False
    transcriber: CommandTranscriber | None = None
    soundfont: Path | None = None
    kinds: tuple[str, ...] = tuple(CORRUPTIONS)

    @property
    def is_heard(self) -> bool:
        """Whether a piano is needed."""
        return self.is_rendered or (self.is_transcribed and self.transcriber is not None)

    def key(self, what: str, settings: Sequence[Any] = ()) -> str:
        """SHA-256 of what decides a measure: content, never paths.

        The names of a performance enter: they stand in what is kept, and draw its corruptions.

        Parameters
        ----------
        what : name of the measure
        settings : what else decides it, as JSON can say it

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
            [self.excerpt_sec, self.seed, self.is_rendered, self.is_transcribed, record.is_transcribed],
            None if self.transcriber is None else self.transcriber.command,
            self._piano() if self.is_heard else None,
            list(settings),
        ]
        if self.is_transcribed or record.is_transcribed:
            content.append([TRANSCRIBED_VERSION, scale_sha256(self.scales.of(is_transcribed=True))])
        return json_key(content)

    def _piano(self) -> list[str]:
        """What decides how a performance sounds."""
        asked = self.soundfont
        found = find_soundfont() if asked is None else checked_soundfont(asked, "was asked for")
        return [Instrument(found.name, found).sha256(), fluidsynth_version()]


def kept(
    task: MeasureTask, what: type[_Measured], make: Callable[[str], _Measured], settings: Sequence[Any] = ()
) -> _Measured:
    """What an earlier run measured of the same content, or a new measure, which is kept.

    Parameters
    ----------
    task
    what : kind of measure
    make : (key) -> the measure
    settings : as of `MeasureTask.key`
    """
    key = task.key(what.__name__, settings)
    heard = ".transcribed" if task.is_transcribed else ""
    name = f"{file_name(task.record.segment_id)}{heard}.{what.__name__}.{key[:_SHOWN]}.json"
    path = task.folder / name
    return cached_model(path, what, key, lambda: make(key)).value
