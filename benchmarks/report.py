"""What the report costs: `python benchmarks/report.py -o results/report`.

The example, and the example played again and again to 5 and to 20 minutes with its score written out as
often. Measured: seconds and processor seconds, with those of the engraving process, from the assessment to
the written report, the same of the assessment, both with all libraries loaded; bytes of the report, of the
score and of the sound in it.
"""

from __future__ import annotations

import argparse
import json
import resource
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from assess import make_take
from lxml import etree

from tocco.files import sha256_of, write_bytes
from tocco.inference.assessment import Assessment
from tocco.inference.assessor import Assessor
from tocco.inference.bundle import example_path
from tocco.report.engraving.engraving import Engraving
from tocco.report.page.document import render, write_page
from tocco.report.page.material import Material, read_material

MINUTES = (5.0, 20.0)
SECTIONS = (range(16), range(16), range(16, 32), range(16, 32))
"""Printed bars of the example in the order in which they are played."""

EXAMPLE_MINUTES = 1.63
"""Of music, with the second between two times."""


def written_out(times: int) -> bytes:
    """The example's score so often, its repeats written out."""
    tree = etree.parse(example_path() / "minuet.musicxml")
    part = tree.find("part")
    printed = [etree.tostring(measure) for measure in part.findall("measure")]
    for measure in part.findall("measure"):
        part.remove(measure)
    played = [bar for _ in range(times) for section in SECTIONS for bar in section]
    for number, bar in enumerate(played, start=1):
        measure = etree.fromstring(printed[bar])
        measure.set("number", str(number))
        for line in measure.findall("barline"):
            measure.remove(line)
        if number > 1:
            for opening in measure.findall("attributes"):
                measure.remove(opening)
        part.append(measure)
    return etree.tostring(tree, xml_declaration=True, encoding="utf-8")


def takes(folder: Path) -> dict[str, tuple[Path, Path, Path]]:
    """Recording, MIDI and score of each length, by name."""
    example = example_path()
    found = {"example": tuple(example / f"minuet.{suffix}" for suffix in ("flac", "mid", "musicxml"))}
    for minutes in MINUTES:
        score = folder / f"{minutes:g}min.musicxml"
        write_bytes(score, written_out(max(1, round(minutes / EXAMPLE_MINUTES))))
        found[f"{minutes:g} minutes"] = (*make_take(folder, minutes), score)
    return found  # type: ignore[return-value]


def timed(call: Callable[[], Any]) -> tuple[Any, float, float]:
    """Result, seconds, and processor seconds of this process and its children."""

    def processor() -> float:
        used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
        return sum(one.ru_utime + one.ru_stime for one in used)

    start, before = time.perf_counter(), processor()
    result = call()
    return result, time.perf_counter() - start, processor() - before


def written(assessment: Assessment, files: tuple[Path, Path, Path], path: Path) -> Material:
    """Write the report, as `tocco assess -o` does."""
    material = read_material(assessment, *files)
    write_page(assessment, material, path)
    return material


def measured(assessor: Assessor, files: tuple[Path, Path, Path], path: Path) -> dict[str, Any]:
    """Times and sizes of one take."""
    assessment, assess_sec, assess_cpu = timed(lambda: assessor.assess(*files))
    material, report_sec, report_cpu = timed(lambda: written(assessment, files, path))
    engraving = material.engraving
    assert isinstance(engraving, Engraving), engraving
    whole = len(render(assessment, material).encode())
    without = len(render(assessment, replace(material, engraving=None)).encode())
    return {
        "music_sec": round(assessment.inputs.audio.duration_sec or 0.0),
        "notes": len(material.notes.pitch) if material.notes is not None else 0,
        "bars": len(engraving.outcomes.bar_place),
        "assess_sec": round(assess_sec, 2),
        "assess_processor_sec": round(assess_cpu, 2),
        "report_sec": round(report_sec, 2),
        "report_processor_sec": round(report_cpu, 2),
        "ratio": round(report_cpu / assess_cpu, 3),
        "report_bytes": path.stat().st_size,
        "score_bytes": whole - without,
        "sound_bytes": 0 if material.sound is None else len(material.sound.opus),
        "sha256": sha256_of(files[2])[:12],
    }


def main() -> None:
    """Measure all lengths, and write them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-o", "--output", type=Path, required=True)
    output = parser.parse_args().output
    output.mkdir(parents=True, exist_ok=True)
    assessor = Assessor()
    with tempfile.TemporaryDirectory() as name:
        found = takes(Path(name))
        measured(assessor, found["example"], Path(name) / "warm.html")  # loads the libraries
        rows = {take: measured(assessor, files, Path(name) / "a.html") for take, files in found.items()}
    for take, row in rows.items():
        print(take, json.dumps(row))
    write_bytes(output / "report.json", (json.dumps(rows, indent=1) + "\n").encode())


if __name__ == "__main__":
    main()
