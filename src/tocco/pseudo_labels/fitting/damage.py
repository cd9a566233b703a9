"""Fit the anchors of damage: windows of competent performances, as they are and heavily damaged."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import numpy as np

from tocco.errors import InputError, ToccoError
from tocco.music.alignment import Alignment, align_performance_to_score
from tocco.music.midi import notes_within, segment_midi
from tocco.music.performance import Origin, Performance
from tocco.music.transcriber_noise import transcriber_noise
from tocco.pseudo_labels.damage.anchors import ANCHORS_FORMAT, Anchor, DamageAnchors
from tocco.pseudo_labels.damage.catalogue import MEASURES
from tocco.pseudo_labels.damage.measure import measure_damage
from tocco.pseudo_labels.fitting.heavy_damage import HEAVY_DAMAGES, HeavyDamage
from tocco.pseudo_labels.observed.evidence import Evidence
from tocco.pseudo_labels.pool import PoolFacts

WINDOW_SEC: Final = 25.0
FEWEST_NOTES: Final = 30
MATCHED_SHARE: Final = 0.6
"""A window with fewer matched notes lies outside the written music and is left out."""

GOOD_PERCENTILE: Final[Mapping[str, float]] = MappingProxyType(
    {
        "lost_time": 50.0,
        "worst_stop": 50.0,
        "note_errors": 50.0,
        "unsteadiness": 50.0,
        "slowness": 50.0,
        "flat_levels": 50.0,
        "random_levels": 75.0,
        "smear_sec": 75.0,
        "pedal_held": 75.0,
        "pedal_span": 75.0,
        "dry": 75.0,
        "overlap": 75.0,
        "hands_apart": 75.0,
        "density": 75.0,
        "clusters": 75.0,
    }
)
"""Percentile of the undamaged windows at which harm begins: typical play in what every performance has, the
last quarter in what much of is mostly the music (pedal, touch, texture, voicing)."""

BAD_PERCENTILE: Final = 50.0
"""Percentile of the damaged windows at which harm is 1: as such a window typically is."""

FEWEST_WINDOWS: Final = 8
CLEAN: Final = ""

KEYS: Final[Origin] = "keys"
TRANSCRIBED: Final[Origin] = "transcribed"


@dataclass(frozen=True)
class MeasuredWindow:
    """The measures of one window.

    Attributes
    ----------
    damage : name in `HEAVY_DAMAGES`; "" for none
    origin : of the notes
    values : as of `Damage.values`
    """

    damage: str
    origin: Origin
    values: Mapping[str, float]


def cut_window(
    performance: Performance, alignment: Alignment, start_sec: float, end_sec: float
) -> tuple[Performance, Alignment]:
    """A segment of a performance, with its part of the alignment."""
    (cut,) = segment_midi(performance, np.array([[start_sec, end_sec]]))
    note = notes_within(performance, start_sec, end_sec)
    return cut, alignment.window(start_sec, end_sec, note)


def draw_window(
    performance: Performance, alignment: Alignment, rng: np.random.Generator
) -> tuple[Performance, Alignment] | None:
    """One window at random; None where too little in it is written.

    Parameters
    ----------
    performance, alignment : whole
    rng
    """
    latest = max(performance.duration_sec - WINDOW_SEC, 0.0)
    start = float(rng.uniform(0.0, latest)) if latest > 0.0 else 0.0
    end = min(start + WINDOW_SEC, performance.duration_sec)
    cut, part = cut_window(performance, alignment, start, end)
    enough = len(cut) >= FEWEST_NOTES and len(part.match) >= MATCHED_SHARE * len(cut)
    return (cut, part) if enough else None


def measure_window(
    performance: Performance, alignment: Alignment, rng: np.random.Generator
) -> list[MeasuredWindow]:
    """Measure a window, clean and with every heavy damage, from the keys and by a simulated transcriber.

    Parameters
    ----------
    performance, alignment : the window
    rng : of the damages and the transcriber
    """
    found = []
    for name, evidence in _versions(performance, alignment, rng):
        for origin, version in _both_origins(evidence, rng):
            values = measure_damage(version).values
            measures = MEASURES if name == CLEAN else HEAVY_DAMAGES[name].measures
            kept = {measure: values[measure] for measure in measures if measure in values}
            found.append(MeasuredWindow(name, origin, kept))
    return found


def _versions(
    performance: Performance, alignment: Alignment, rng: np.random.Generator
) -> Iterator[tuple[str, Evidence]]:
    """The clean window and every damage that it admits."""
    yield CLEAN, Evidence(performance, alignment)
    for name, damage in HEAVY_DAMAGES.items():
        evidence = damaged(damage, performance, alignment, rng)
        if evidence is not None:
            yield name, evidence


def damaged(
    damage: HeavyDamage, performance: Performance, alignment: Alignment, rng: np.random.Generator
) -> Evidence | None:
    """A window with one damage; None where it has nothing that could be damaged so.

    What no longer matches its score has no alignment.
    """
    try:
        worse = damage.make(performance, alignment, rng)
    except InputError:
        return None
    if damage.alignment == "found":
        return aligned_or_not(worse, alignment)
    return Evidence(worse, alignment if damage.alignment == "kept" else None)


def aligned_or_not(performance: Performance, alignment: Alignment) -> Evidence:
    """A changed performance and its score, aligned where they still belong together."""
    try:
        return Evidence(performance, align_performance_to_score(performance, alignment.score))
    except ToccoError:
        return Evidence(performance)


def _both_origins(evidence: Evidence, rng: np.random.Generator) -> Iterator[tuple[Origin, Evidence]]:
    """The evidence as recorded from the keys, and as a transcriber would report it."""
    yield KEYS, evidence
    heard = transcriber_noise(evidence.performance, rng)
    if len(heard.performance) >= FEWEST_NOTES:
        found = None if evidence.alignment is None else heard.alignment(evidence.alignment)
        yield TRANSCRIBED, Evidence(heard.performance, found)


def fit_anchors(windows: Sequence[MeasuredWindow], pool: PoolFacts) -> DamageAnchors:
    """Anchors of every measure from measured windows.

    Parameters
    ----------
    windows : clean and damaged ones
    pool : where they come from

    Raises
    ------
    InputError
        A measure has too few windows.
    """
    return DamageAnchors(
        format=ANCHORS_FORMAT,
        window_sec=WINDOW_SEC,
        pool=pool,
        keys={name: _anchor(name, windows, KEYS) for name in MEASURES},
        transcribed={name: _anchor(name, windows, TRANSCRIBED) for name in MEASURES},
    )


def _anchor(name: str, windows: Sequence[MeasuredWindow], origin: Origin) -> Anchor:
    """The anchor of one measure for notes of one origin."""
    own = [window for window in windows if window.origin == origin and name in window.values]
    good = np.array([window.values[name] for window in own if window.damage == CLEAN])
    bad = np.array([window.values[name] for window in own if window.damage != CLEAN])
    if min(len(good), len(bad)) < FEWEST_WINDOWS:
        raise InputError(
            f"{name}, {origin}",
            f"was measured in {len(good)} undamaged and {len(bad)} damaged windows",
            allowed=f"at least {FEWEST_WINDOWS} of each",
            next_step="list more performances",
        )
    return Anchor(
        good=round(float(np.percentile(good, GOOD_PERCENTILE[name])), 6),
        bad=round(float(np.percentile(bad, BAD_PERCENTILE)), 6),
        good_percentile=GOOD_PERCENTILE[name],
        bad_percentile=BAD_PERCENTILE,
        n_good=len(good),
        n_bad=len(bad),
    )
