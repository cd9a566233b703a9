"""What a personal calibration finds of made-up teachers.

    python benchmarks/personal_calibration.py -o results/calibration

A take has a quality in every dimension; the ratings err about it as their intervals say (sd 6 points, half
of the variance shared by the dimensions of a take); a teacher of one of six kinds marks the quality with an
sd of 8 points (at random: 18) and rounds to a scale of 1 to 5 or 0 to 30. Calibrations are fitted to 0 to 80
marks of the whole, of 7 pieces, and tried on 200 further takes. Printed and written, as means over 100
teachers: the distance of their marks from the default and from the calibration, the share of marks within
the 90 % intervals, how often leave-one-out says "better", and for how many teachers the calibration is worse
than the default by more than a point.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from tocco.files import write_bytes
from tocco.marking.leave_one_out import enough, leave_out_marks, mean_gain
from tocco.marking.maps import Z_90, default_weights, fit_aggregate
from tocco.rubrics import DIMENSIONS
from tocco.units import FloatArray

COUNTS = (0, 3, 5, 10, 20, 40, 80)
TEACHERS = 100
N_NEW, N_PIECES = 200, 7
RATING_SD, MARK_SD = 6.0, 8.0

KINDS: Mapping[str, Callable[[FloatArray, FloatArray], FloatArray]] = {
    "as the default": lambda whole, _: whole,
    "severe": lambda whole, _: whole - 20.0,
    "lenient": lambda whole, _: whole + 20.0,
    "compressed": lambda whole, _: 70.0 + 0.4 * (whole - 50.0),
    "phrasing alone": lambda _, quality: quality[:, DIMENSIONS.index("phrasing")],
    "at random": lambda whole, _: np.full(len(whole), 60.0),
}
"""Kind -> (N,) mean of its marks in points, from the (N,) weighted mean and the (N, D) qualities."""


def takes(n: int, rng: np.random.Generator) -> tuple[FloatArray, FloatArray]:
    """(N, D) qualities, and the ratings of them."""
    quality = rng.normal(55.0, 12.0, size=(n, 1)) + rng.normal(0.0, 8.0, size=(n, len(DIMENSIONS)))
    shared = rng.normal(0.0, RATING_SD / np.sqrt(2.0), size=(n, 1))
    own = rng.normal(0.0, RATING_SD / np.sqrt(2.0), size=quality.shape)
    return np.clip(quality, 2.0, 98.0), np.clip(quality + shared + own, 0.0, 100.0)


def marks_of(kind: str, quality: FloatArray, steps: int, rng: np.random.Generator) -> FloatArray:
    """(N,) points, on a scale of so many steps."""
    spread = 18.0 if kind == "at random" else MARK_SD
    mean = KINDS[kind](quality @ default_weights(DIMENSIONS), quality)
    points = np.clip(mean + rng.normal(0.0, spread, size=len(mean)), 0.0, 100.0)
    return np.round(points / 100.0 * steps) / steps * 100.0


def tried(kind: str, n: int, rng: np.random.Generator) -> tuple[float, float, float, float]:
    """Of one teacher: distance of the default and of the calibration, share within, and whether "better"."""
    steps = int(rng.choice([4, 30]))
    quality, ratings = takes(n + N_NEW, rng)
    marks = marks_of(kind, quality, steps, rng)
    half = Z_90 * RATING_SD

    def fit(x: FloatArray, y: FloatArray):
        return fit_aggregate(DIMENSIONS, x, y)

    found, new, known = fit(ratings[:n], marks[:n]), ratings[n:], marks[n:]
    low, high = found.interval(new, new - half, new + half)
    members = [frozenset({str(k % N_PIECES)}) for k in range(n)]
    better = 0.0
    if enough(members):
        groups = [str(k % N_PIECES) for k in range(n)]
        out = leave_out_marks(fit, ratings[:n], ratings[:n] - half, ratings[:n] + half, marks[:n], groups)
        better = float(mean_gain(out.default - out.personal, out.members).low > 0.0)
    default = np.abs(known - new @ default_weights(DIMENSIONS)).mean()
    personal = np.abs(known - found.predict(new)).mean()
    return float(default), float(personal), float(((low <= known) & (known <= high)).mean()), better


def main() -> None:
    """Run all kinds and counts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-o", "--output", type=Path, required=True)
    output = parser.parse_args().output
    rng = np.random.default_rng(1)
    rows = []
    for kind in KINDS:
        for n in COUNTS:
            found = np.array([tried(kind, n, rng) for _ in range(TEACHERS)])
            default, personal, within, better = found.mean(axis=0)
            worse = float((found[:, 1] > found[:, 0] + 1.0).mean())
            rows.append(
                {
                    "teacher": kind, "marks": n, "default": round(default, 2), "personal": round(personal, 2),
                    "within_90": round(within, 3), "said_better": round(better, 2), "worse": round(worse, 2),
                }
            )  # fmt: skip
            print(*rows[-1].values(), sep="\t")
    write_bytes(output / "simulated.json", (json.dumps(rows, indent=1) + "\n").encode())


if __name__ == "__main__":
    main()
