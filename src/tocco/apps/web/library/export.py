"""A take to take away: what `tocco assess -o` writes, and the MIDI, in one zip."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

from tocco.apps.web.library.takes import RESULT, Take
from tocco.apps.web.running.tasks import ASSESSED_FOLDER


def zipped(take: Take, folder: Path, name: str) -> bytes:
    """The assessment, the report, the pictures and the MIDI of a take.

    Parameters
    ----------
    take : that is assessed
    folder : of the take
    name : of every file, before its ending; valid on every system

    Returns
    -------
    A zip archive. Pictures and reports hold compressed pictures and sound, the rest is compressed here.
    """
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as zipped_files:
        for path in sorted((folder / ASSESSED_FOLDER).glob(f"{RESULT}[._]*")):
            zipped_files.write(path, f"{name}{path.name.removeprefix(RESULT)}")
        midi = take.file("midi")
        if midi is not None:
            zipped_files.write(folder / midi.stored, f"{name}.mid")
    return archive.getvalue()
