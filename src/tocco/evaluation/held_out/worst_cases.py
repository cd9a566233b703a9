"""The excerpts on which the network errs most: what it said, what the raters said, sound and notes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from tocco.audio.rendering.flac import write_flac
from tocco.data.prepared import PreparedRecord
from tocco.data.value_arrays import value_of
from tocco.evaluation.cross_validation.protocols import NETWORK
from tocco.evaluation.cross_validation.shallow_models import excerpt_of
from tocco.evaluation.held_out.evaluation import Evaluation
from tocco.evaluation.held_out.figures import roll_figure
from tocco.evaluation.png import save_png
from tocco.files import writable_folder, write_bytes
from tocco.inference.note_report import bar_lines
from tocco.units import SAMPLE_RATE_HZ

FOLDER: Final = "worst_cases"
N_CASES: Final = 8
CLIP_SEC: Final = 20.0


@dataclass(frozen=True)
class WorstCase:
    """One excerpt and the dimension on which it is rated worst.

    Attributes
    ----------
    index : of the excerpt in the evaluation
    segment_id, dimension
    label, mean, low_90, high_90 : rating
    raters_sd : rating points; None where unknown
    n_raters : None where unknown
    """

    index: int
    segment_id: str
    dimension: str
    label: float
    mean: float
    low_90: float
    high_90: float
    raters_sd: float | None
    n_raters: int | None

    def sentence(self) -> str:
        """What was predicted, what was rated, and how far raters agree."""
        outside = not self.low_90 <= self.label <= self.high_90
        who = "the raters" if self.n_raters is None else f"{self.n_raters} raters"
        spread = "" if self.raters_sd is None else f", who spread by {self.raters_sd:.1f} points (sd)"
        where = "outside" if outside else "inside"
        return (
            f"{self.dimension}: predicted {self.mean:.1f} (90 %: {self.low_90:.1f} to {self.high_90:.1f}), "
            f"rated {self.label:.1f} by {who}{spread}; the rating lies {where} the interval."
        )


def worst_cases(found: Evaluation, n: int = N_CASES) -> list[WorstCase]:
    """The largest errors in rating points, one an excerpt, the largest first."""
    result, intervals = found.result, found.intervals
    mean = result.predictions[NETWORK]
    error = np.where(np.isnan(result.labels), -np.inf, np.abs(mean - result.labels))
    dimension = error.argmax(axis=1)
    largest = error[np.arange(len(error)), dimension]
    cases = []
    for i in np.argsort(-largest, kind="stable")[:n].tolist():
        d, record = int(dimension[i]), found.records[i].record
        cases.append(
            WorstCase(
                index=i,
                segment_id=record.segment_id,
                dimension=result.names[d],
                label=float(result.labels[i, d]),
                mean=float(mean[i, d]),
                low_90=float(intervals.low[i, d]),
                high_90=float(intervals.high[i, d]),
                raters_sd=record.label_sd.get(result.names[d]),
                n_raters=record.n_raters,
            )
        )
    return cases


def write_worst_cases(found: Evaluation, folder: Path, n: int = N_CASES) -> list[WorstCase]:
    """Write a page with a sentence, a clip and the notes of each case.

    Parameters
    ----------
    found
    folder
        Gets `worst_cases.md` and, in `worst_cases`, a FLAC and a PNG a case.
    n : how many

    Raises
    ------
    OutputError
        A file cannot be written.
    """
    cases = worst_cases(found, n)
    place = writable_folder(folder / FOLDER)
    for case in cases:
        write_case(found.records[case.index], case, place)
    write_bytes(folder / f"{FOLDER}.md", _page(cases).encode())
    return cases


def write_case(prepared: PreparedRecord, case: WorstCase, folder: Path) -> None:
    """Sound and notes of one excerpt, both cut at 20 s."""
    arrays = prepared.windows[0].source.open()
    samples = min(len(arrays.array("waveform")), round(CLIP_SEC * SAMPLE_RATE_HZ))
    waveform = arrays.part("waveform", 0, samples).astype(np.float32) / np.float32(32768.0)
    write_flac(folder / f"{case.segment_id}.flac", waveform, comment=case.segment_id)
    performance, alignment = excerpt_of(
        prepared.record, value_of("performance", arrays.array), value_of("alignment", arrays.array)
    )
    end_sec = samples / SAMPLE_RATE_HZ
    bars = [] if alignment is None else [(b, s) for b, s in bar_lines(alignment) if 0.0 <= s <= end_sec]
    heading = f"{case.segment_id}: {case.dimension} predicted {case.mean:.0f}, rated {case.label:.0f}"
    save_png(roll_figure(performance, bars, end_sec, heading), folder / f"{case.segment_id}.png")


def _page(cases: Sequence[WorstCase]) -> str:
    lines = [
        "# Worst cases",
        "",
        "The largest errors of the network in rating points, one an excerpt. Some errors are large by "
        "chance: where raters spread widely, their mean is uncertain too. Sound and notes are those of the "
        f"first {CLIP_SEC:.0f} s; darker notes are louder, the pedal is below, bars are above.",
        "",
    ]
    for number, case in enumerate(cases, start=1):
        name = f"{FOLDER}/{case.segment_id}"
        lines += [
            f"## {number}. {case.segment_id}",
            "",
            case.sentence(),
            "",
            f"[sound]({name}.flac)",
            "",
            f"![Notes of {case.segment_id}]({name}.png)",
            "",
        ]
    return "\n".join(lines)
