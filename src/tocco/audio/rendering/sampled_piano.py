"""One instrument of a soundfont: samples that are unpacked when needed, and synthesisers that share them."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import numpy as np

from tocco.audio.rendering.font_loader import FontLoader
from tocco.audio.rendering.soundfont_subset import FontImage, SoundfontFile
from tocco.audio.rendering.soundfonts import INSTALL
from tocco.audio.rendering.strokes import SYNTH_RATE_HZ
from tocco.errors import MissingPartError
from tocco.units import BoolArray

SYNTH_GAIN: Final = 0.5
"""Of FluidSynth's output: loud chords on the MuseScore piano stay below full scale."""

MAX_VOICES: Final = 256
"""A piano note takes two; beyond this FluidSynth ends the voices that were released longest ago."""


@dataclass(frozen=True, eq=False)
class Piano:
    """A synthesiser with a part of a soundfont.

    Attributes
    ----------
    synth : of the bindings
    loader : what `synth` reads the soundfont with
    samples : which of the soundfont's samples it holds
    """

    synth: Any
    loader: FontLoader
    samples: frozenset[int]

    def delete(self) -> None:
        """Give the synthesiser back, and the samples that no other one holds."""
        self.synth.delete()


class SampledPiano:
    """Synthesisers of one instrument that share its samples.

    Unpacking a sample takes longer than playing it. Each is unpacked once, when a performance first needs
    it; all together are as large as the instrument.

    Parameters
    ----------
    bindings
        The module `fluidsynth`.
    soundfont
    bank, preset
        The instrument.
    reverb

    Raises
    ------
    MissingPartError
        The soundfont is damaged or lacks the instrument.
    """

    def __init__(
        self, bindings: ModuleType, soundfont: Path, *, bank: int, preset: int, reverb: bool
    ) -> None:
        self._bindings, self._soundfont = bindings, soundfont
        self._bank, self._preset, self._reverb = bank, preset, reverb
        self._lock = threading.Lock()
        self._notes = np.zeros((128, 128), bool)
        self._keeper: Piano | None = None
        self._closed = False
        try:
            self._file = SoundfontFile(soundfont)
        except ValueError as error:
            raise self._cannot_be_loaded() from error
        if not self._file.has(bank, preset):
            lacks = f"has no instrument at bank {bank}, preset {preset}"
            raise MissingPartError(soundfont, lacks, next_step=INSTALL)

    @property
    def samples(self) -> frozenset[int]:
        """The samples of the soundfont that are unpacked."""
        return frozenset() if self._keeper is None else self._keeper.samples

    def close(self) -> None:
        """Give the samples back."""
        with self._lock:
            self._closed = True
            if self._keeper is not None:
                self._keeper.delete()
                self._keeper = None

    def fresh(self, notes: BoolArray) -> Piano:
        """A synthesiser that has played nothing yet, with the instrument on channel 0.

        One that has played keeps traces in its voices (the first 1.3 ms of a note differ by up to
        0.4 %), so every performance gets its own.

        Parameters
        ----------
        notes : (128, 128) whether a key (pitch) is struck with a velocity
            Others stay silent.
        """
        with self._lock:
            self._keep(notes)
            return self._new_piano(self._image(notes))

    def _keep(self, notes: BoolArray) -> None:
        """Have the samples of these notes unpacked, beside those that are already."""
        if self._closed:
            raise ValueError("this renderer is closed")
        if not np.any(notes & ~self._notes):
            return
        notes = notes | self._notes
        image = self._image(notes)
        if image.samples != self.samples:
            # FluidSynth keeps samples as long as any synthesiser holds them: this one never plays
            before, self._keeper = self._keeper, self._new_piano(image)
            if before is not None:
                before.delete()
        self._notes = notes

    def _image(self, notes: BoolArray) -> FontImage:
        try:
            return self._file.subset(self._bank, self._preset, notes)
        except ValueError as error:
            raise self._cannot_be_loaded() from error

    def _new_piano(self, image: FontImage) -> Piano:
        synth = self._bindings.Synth(
            gain=SYNTH_GAIN,
            samplerate=float(SYNTH_RATE_HZ),
            channels=16,
            **{
                "synth.reverb.active": int(self._reverb),
                "synth.chorus.active": 0,
                "synth.cpu-cores": 1,
                "synth.polyphony": MAX_VOICES,
                "synth.dynamic-sample-loading": 1,  # synthesisers share the samples of one file
                "synth.lock-memory": 0,  # containers refuse it, with a message on stderr
            },
        )
        piano = Piano(synth, FontLoader(self._bindings, synth, image), image.samples)
        font_id = synth.sfload(str(self._soundfont))
        if font_id < 0 or synth.program_select(0, font_id, self._bank, self._preset) != 0:
            piano.delete()
            raise self._cannot_be_loaded()
        return piano

    def _cannot_be_loaded(self) -> MissingPartError:
        return MissingPartError(self._soundfont, "cannot be loaded", next_step=INSTALL)
