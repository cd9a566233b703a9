"""The engraved score for the template and the script of the document."""

from __future__ import annotations

from typing import Any

from tocco.inference.assessment import Assessment
from tocco.report.engraving.engraving import Engraving
from tocco.report.engraving.picture import ScorePicture, score_data, score_picture
from tocco.report.page.material import Material, Notes


def engraved_context(assessment: Assessment, material: Material) -> dict[str, Any]:
    """What the template shows of the score.

    Returns
    -------
    "score": None where it is not engraved. "no_score": the sentence that says why, "" where none was given.
    """
    engraving = material.engraving
    score: ScorePicture | None = None
    if isinstance(engraving, Engraving):
        score = score_picture(engraving, assessment)
    return {"score": score, "no_score": engraving if isinstance(engraving, str) else ""}


def engraved_data(material: Material) -> dict[str, Any]:
    """What the script needs to follow the sound in the score; nothing where there is none."""
    if not isinstance(material.engraving, Engraving):
        return {}
    return {"score": score_data(material.engraving, _ends(material.notes))}


def _ends(notes: Notes | None) -> dict[tuple[int, int], float]:
    """Key and onset in hundredths of a second of each played note -> seconds, when it ends."""
    if notes is None:
        return {}
    rows = zip(notes.pitch.tolist(), notes.onset_sec.tolist(), notes.offset_sec.tolist(), strict=True)
    return {(pitch, round(100.0 * onset)): offset for pitch, onset, offset in rows}
