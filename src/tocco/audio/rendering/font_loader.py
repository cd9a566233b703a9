"""Soundfonts that FluidSynth reads from memory.

FluidSynth opens a soundfont through functions that may be replaced (`fluid_sfloader_set_callbacks`). It keeps
decoded samples for as long as a synthesiser uses them, under the file's name and time and the sample's place:
images of one file therefore share what they have in common.
"""

from __future__ import annotations

import ctypes
import io
from types import ModuleType
from typing import Any, Final

from tocco.audio.rendering.soundfont_subset import FontImage

_OK: Final = 0
_FAILED: Final = -1

# FluidSynth 2.2 made sizes long long throughout; before they were int and long, which are passed alike on
# 64-bit machines but for the upper half of an int.
_SIZE = ctypes.c_longlong
_SIZE_MASK: Final = 0x7FFF_FFFF
_OPEN = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_char_p)
_READ = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, _SIZE, ctypes.c_void_p)
_SEEK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, _SIZE, ctypes.c_int)
_CLOSE = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p)
_TELL = ctypes.CFUNCTYPE(_SIZE, ctypes.c_void_p)


class FontLoader:
    """Lets a synthesiser load one soundfont from memory. Keep it as long as the synthesiser.

    Parameters
    ----------
    bindings
        The module `fluidsynth`.
    synth
        A synthesiser of it that has no soundfont yet.
    image
        Read in place of every file that the synthesiser is asked to load.
    """

    def __init__(self, bindings: ModuleType, synth: Any, image: FontImage) -> None:
        self._image, self._size = image, len(image)
        self._at: dict[int, int] = {}
        self._n_opened = 0
        self._callbacks = (
            _OPEN(self._open),
            _READ(self._read),
            _SEEK(self._seek),
            _TELL(self._tell),
            _CLOSE(self._close),
        )
        pointer = ctypes.c_void_p
        new = _bound(bindings, "new_fluid_defsfloader", pointer, pointer)
        set_callbacks = _bound(bindings, "fluid_sfloader_set_callbacks", ctypes.c_int, *[pointer] * 6)
        add = _bound(bindings, "fluid_synth_add_sfloader", None, pointer, pointer)
        loader = new(synth.settings)
        set_callbacks(loader, *(ctypes.cast(callback, pointer) for callback in self._callbacks))
        add(synth.synth, loader)  # asked before the loader that reads files; the synthesiser frees it

    def _open(self, name: bytes) -> int:
        self._n_opened += 1
        self._at[self._n_opened] = 0
        return self._n_opened

    def _read(self, target: int, count: int, handle: int) -> int:
        count &= _SIZE_MASK
        data = self._image.read(self._at[handle], count)
        ctypes.memmove(target, data, len(data))
        self._at[handle] += len(data)
        return _OK if len(data) == count else _FAILED

    def _seek(self, handle: int, offset: int, origin: int) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._at[handle], io.SEEK_END: self._size}[origin]
        if not 0 <= start + offset <= self._size:
            return _FAILED
        self._at[handle] = start + offset
        return _OK

    def _tell(self, handle: int) -> int:
        return self._at[handle]

    def _close(self, handle: int) -> int:
        del self._at[handle]
        return _OK


def _bound(bindings: ModuleType, name: str, result: Any, *arguments: Any) -> Any:
    named = ((f"argument_{n}", kind, 1) for n, kind in enumerate(arguments))
    return bindings.cfunc(name, result, *named)
