"""`tocco compare`: takes of one piece beside each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import typer

from tocco.apps.commands.assess import SOME_FAILED, assessed_takes
from tocco.apps.commands.given import COMPARISON, read_assessments
from tocco.data.pairing import TakeFiles
from tocco.errors import OutputError
from tocco.files import write_bytes
from tocco.inference.assessment import Assessment
from tocco.inference.bundle import load_bundle
from tocco.inference.comparison import Comparison, assert_number, compare, comparison_json
from tocco.report.assessment_folder import AssessmentFolder
from tocco.report.comparison_page.document import write_comparison_page
from tocco.report.comparison_page.takes import ShownTake
from tocco.report.comparison_table import print_comparison
from tocco.report.page.frame import is_page
from tocco.report.page.material import read_material, read_sound

_HTML, _JSON = f"{COMPARISON}.html", f"{COMPARISON}.json"
_JSON_HEAD: Final = b'"comparison_version"'
_NEXT: Final = "name another folder, or remove it"


def compare_takes(
    assessed: Sequence[Path],
    takes: Sequence[TakeFiles],
    order: Sequence[str],
    *,
    bundle: Path | None,
    output: Path | None,
    transcriber: str | None,
    jobs: int,
) -> int:
    """Assess what is not assessed, compare, print, and write page and JSON if `output` is given.

    Parameters
    ----------
    assessed : assessments that are there
    takes : performances to be assessed; into `output` if given
    order : names in the order in which they were given; others follow
    bundle, output, transcriber, jobs

    Returns
    -------
    The exit code: 1 where a take could not be assessed; each is named on stderr.
    """
    names = [*(path.stem for path in assessed), *(take.id for take in takes)]
    found = read_assessments(assessed, takes)
    assert_number(len(names))
    folder = None if output is None else AssessmentFolder(output)
    if folder is not None:
        folder.prepare()
        _check_place(folder.path)
    loaded = load_bundle(bundle)
    made = assessed_takes(takes, bundle, folder, transcriber=transcriber, jobs=jobs)
    if made.failed:
        return SOME_FAILED
    found |= made.found
    ordered = {name: found[name] for name in _in_order(names, order)}
    comparison = compare(ordered, loaded)
    written = () if folder is None else _write(comparison, ordered, takes, folder)
    print_comparison(comparison)  # after the files, which a closed pipe would lose
    for path in written:
        typer.echo(str(path))
    return 0


def _write(
    comparison: Comparison,
    assessments: Mapping[str, Assessment],
    takes: Sequence[TakeFiles],
    folder: AssessmentFolder,
) -> tuple[Path, ...]:
    """Write table, JSON and page; the last two are named."""
    folder.write_table(assessments)
    document, page = folder.path / _JSON, folder.path / _HTML
    write_bytes(document, comparison_json(comparison).encode())
    write_comparison_page(comparison, _shown(assessments, {take.id: take for take in takes}, folder), page)
    return document, page


def _in_order(names: Sequence[str], order: Sequence[str]) -> list[str]:
    """Names by their first place in `order`; those that are not in it keep their order behind the others."""
    place = {name: k for k, name in reversed(list(enumerate(order)))}
    return sorted(names, key=lambda name: place.get(name, len(order)))


def _check_place(folder: Path) -> None:
    """Refuse to replace files of these names that are of no comparison."""
    page, document = folder / _HTML, folder / _JSON
    if page.exists() and not is_page(page):
        raise OutputError(page, "exists, and is no comparison", next_step=_NEXT)
    if document.exists() and not _is_comparison(document):
        raise OutputError(document, "exists, and is no comparison", next_step=_NEXT)


def _is_comparison(path: Path) -> bool:
    try:
        return _JSON_HEAD in path.read_bytes()
    except OSError as error:
        raise OutputError(path, f"cannot be replaced ({error.strerror})", next_step=_NEXT) from error


def _shown(
    assessments: Mapping[str, Assessment], files: Mapping[str, TakeFiles], folder: AssessmentFolder
) -> list[ShownTake]:
    """The takes with their sound and notes, where files were given; together small enough for one page."""
    total_sec = sum(one.inputs.audio.duration_sec or 0.0 for one in assessments.values())
    shown = []
    for name, assessment in assessments.items():
        take = files.get(name)
        if take is None:
            shown.append(ShownTake(name, assessment))
            continue
        midi = folder.transcription(take, assessment) if take.midi is None else take.midi
        notes = read_material(assessment, None, midi).notes
        sound = None if take.audio is None else read_sound(take.audio, total_sec)
        shown.append(ShownTake(name, assessment, notes, sound))
    return shown
