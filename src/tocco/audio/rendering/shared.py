"""One loaded soundfont a process."""

from __future__ import annotations

import threading
import weakref
from pathlib import Path
from typing import Final

from tocco.audio.rendering.soundfonts import checked_soundfont, find_soundfont
from tocco.audio.rendering.synth import FluidSynthRenderer

_FileState = tuple[Path, int, int]


class RendererCache:
    """The renderer of the soundfont that was last asked for, and no other.

    A renderer keeps no trace of what it played, so that sharing it changes no sample. One that is replaced
    gives its samples back when its last user lets go of it.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loaded: tuple[_FileState, FluidSynthRenderer] | None = None

    def renderer(self, soundfont: Path | None = None) -> FluidSynthRenderer:
        """A renderer on the grand piano of a soundfont; a new one only where the file is another or changed.

        Parameters
        ----------
        soundfont
            None takes what `find_soundfont` finds.

        Raises
        ------
        MissingPartError
            As `FluidSynthRenderer`.
        """
        file = find_soundfont() if soundfont is None else checked_soundfont(soundfont, "was asked for")
        status = file.stat()
        state = (file.resolve(), status.st_size, status.st_mtime_ns)
        with self._lock:
            if self._loaded is None or self._loaded[0] != state:
                renderer = FluidSynthRenderer(file)
                # at the end of the process the samples go with it
                weakref.finalize(renderer, renderer.piano.close).atexit = False
                self._loaded = (state, renderer)
            return self._loaded[1]


_OF_THIS_PROCESS: Final = RendererCache()


def shared_renderer(soundfont: Path | None = None) -> FluidSynthRenderer:
    """The renderer that all of this process share (`RendererCache.renderer`); not to be closed."""
    return _OF_THIS_PROCESS.renderer(soundfont)
