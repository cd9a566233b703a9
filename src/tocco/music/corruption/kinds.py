"""The corruptions there are: what each does, in which unit, to which dimension."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final

import numpy as np

from tocco.errors import InputError
from tocco.music.alignment import Alignment
from tocco.music.corruption import articulation, dynamics, notes, pedal, structure, timing, voicing
from tocco.music.corruption.context import Context, read_context
from tocco.music.corruption.draft import Draft, finish
from tocco.music.corruption.record import Corruption
from tocco.music.performance import Performance
from tocco.music.time_map import TimeMap


@dataclass(frozen=True)
class CorruptionKind:
    """One way of playing worse.

    Attributes
    ----------
    name : as on the command line
    target : the dimension of `tocco10` that it harms
    unit : of the severity, in words
    ladder : severities from just noticeable to gross, ascending
    max_severity : the most that is accepted
    description : what a listener hears
    make : the notes and pedals that come out, from the context, a severity > 0 and a generator
    """

    name: str
    target: str
    unit: str
    ladder: tuple[float, ...]
    max_severity: float
    description: str
    make: Callable[[Context, float, np.random.Generator], Draft]


_NOTE, _RHYTHM, _LEVEL = "note_accuracy", "rhythmic_precision", "dynamics_control"
_TOUCH, _PEDAL, _TONE = "articulation_quality", "pedaling_technique", "tone_quality"

_KINDS = (
    CorruptionKind(
        "wrong_notes",
        _NOTE,
        "share of the notes",
        (0.01, 0.02, 0.04, 0.08, 0.15),
        0.5,
        "neighbour keys instead of the written ones, mostly within the key",
        notes.wrong_notes,
    ),
    CorruptionKind(
        "missing_notes",
        _NOTE,
        "share of the notes",
        (0.01, 0.02, 0.04, 0.08, 0.15),
        0.5,
        "notes that do not speak",
        notes.missing_notes,
    ),
    CorruptionKind(
        "extra_notes",
        _NOTE,
        "share of the notes",
        (0.01, 0.02, 0.04, 0.08, 0.15),
        0.5,
        "neighbour keys brushed along, short and soft",
        notes.extra_notes,
    ),
    CorruptionKind(
        "doubled_notes",
        _NOTE,
        "share of the notes",
        (0.01, 0.02, 0.04, 0.08, 0.15),
        0.5,
        "keys struck a second time by mistake",
        notes.doubled_notes,
    ),
    CorruptionKind(
        "restarts",
        _NOTE,
        "restarts a minute",
        (1.0, 2.0, 4.0, 6.0, 9.0),
        10.0,
        "breaking off, going back some beats, and trying again",
        structure.restarts,
    ),
    CorruptionKind(
        "hesitations",
        _RHYTHM,
        "pauses a minute",
        (1.0, 2.0, 4.0, 7.0, 12.0),
        20.0,
        "waiting before a chord, as if to look for it",
        structure.hesitations,
    ),
    CorruptionKind(
        "dropped_bars",
        _NOTE,
        "share of the bars",
        (0.02, 0.05, 0.10, 0.18, 0.30),
        0.6,
        "bars left out, the music going on as if nothing had been there",
        structure.dropped_bars,
    ),
    CorruptionKind(
        "timing_jitter",
        _RHYTHM,
        "ms, standard deviation of the onsets",
        (10.0, 20.0, 35.0, 55.0, 80.0),
        150.0,
        "nothing quite where it belongs",
        timing.timing_jitter,
    ),
    CorruptionKind(
        "drag",
        _RHYTHM,
        "change of the beat's length by the end of a phrase, as a share",
        (0.08, 0.15, 0.25, 0.38, 0.55),
        0.8,
        "phrases that sag or run away and then snap back",
        timing.drag,
    ),
    CorruptionKind(
        "uneven_runs",
        _RHYTHM,
        "standard deviation of the notes of runs, as a share of their spacing",
        (0.05, 0.10, 0.16, 0.23, 0.30),
        0.4,
        "scales and figures that limp",
        timing.uneven_runs,
    ),
    CorruptionKind(
        "flattened_dynamics",
        _LEVEL,
        "share of the dynamic range lost",
        (0.2, 0.4, 0.6, 0.8, 1.0),
        1.0,
        "all at one level",
        dynamics.flattened_dynamics,
    ),
    CorruptionKind(
        "inverted_dynamics",
        _LEVEL,
        "share of the similarity of the dynamic contour to its own that is lost",
        (0.2, 0.4, 0.6, 0.8, 1.0),
        1.0,
        "soft where it should grow, loud where it should end",
        dynamics.inverted_dynamics,
    ),
    CorruptionKind(
        "spiky_dynamics",
        _LEVEL,
        "velocity steps, standard deviation",
        (4.0, 8.0, 13.0, 20.0, 30.0),
        50.0,
        "single notes that jump out or drop away",
        dynamics.spiky_dynamics,
    ),
    CorruptionKind(
        "clipped_articulation",
        _TOUCH,
        "share of each note's length lost",
        (0.15, 0.3, 0.5, 0.7, 0.85),
        0.95,
        "dry, pecked keys where they should sing",
        articulation.clipped_articulation,
    ),
    CorruptionKind(
        "smeared_articulation",
        _TOUCH,
        "overlap, as a share of the notes' spacing",
        (0.25, 0.5, 0.9, 1.4, 2.0),
        4.0,
        "keys held on into the next notes",
        articulation.smeared_articulation,
    ),
    CorruptionKind(
        "late_pedal",
        _PEDAL,
        "share of the time to the next change, at most 1.2 s",
        (0.08, 0.16, 0.24, 0.32, 0.4),
        0.5,
        "the old harmony still ringing in the new one",
        pedal.late_pedal,
    ),
    CorruptionKind(
        "early_pedal",
        _PEDAL,
        "share of the time since the last change, at most 1.2 s",
        (0.08, 0.16, 0.24, 0.32, 0.4),
        0.5,
        "harmonies cut off before their time, and the next caught with the last one in it",
        pedal.early_pedal,
    ),
    CorruptionKind(
        "missing_pedal",
        _PEDAL,
        "share of the presses left out",
        (0.15, 0.3, 0.5, 0.75, 1.0),
        1.0,
        "dry where it should ring",
        pedal.missing_pedal,
    ),
    CorruptionKind(
        "drowned_pedal",
        _PEDAL,
        "share of the lifts left out",
        (0.15, 0.3, 0.5, 0.75, 1.0),
        1.0,
        "one harmony flooding into the next",
        pedal.drowned_pedal,
    ),
    CorruptionKind(
        "harsh_voicing",
        _TONE,
        "velocity steps",
        (6.0, 12.0, 20.0, 30.0, 42.0),
        60.0,
        "inner voices as loud as the melody, the top end hammered",
        voicing.harsh_voicing,
    ),
    CorruptionKind(
        "muddy_voicing",
        _TONE,
        "velocity steps",
        (6.0, 12.0, 20.0, 30.0, 42.0),
        60.0,
        "bass and inner voices over the melody",
        voicing.muddy_voicing,
    ),
)

CORRUPTIONS: Final[Mapping[str, CorruptionKind]] = MappingProxyType({kind.name: kind for kind in _KINDS})
"""Every way of playing worse, by name."""

HELD_OUT_KINDS: Final = ("doubled_notes", "drag", "inverted_dynamics", "early_pedal", "muddy_voicing")
"""Kinds that nothing may be fitted on: the validity suite asks whether what was learned holds for them."""


def corrupt(
    performance: Performance,
    name: str,
    severity: float,
    rng: np.random.Generator,
    *,
    alignment: Alignment | None = None,
) -> Corruption:
    """Make a performance worse in one respect.

    Parameters
    ----------
    performance : never written to
    name : one of `CORRUPTIONS`
    severity : in the unit of the kind, 0 to its `max_severity`
        0 gives the performance itself. Shares and rates are rounded to whole edits, at least one.
    rng
        What is drawn does not depend on the severity: from one generator state, the edits of a lower
        severity are among those of a higher one, or are a smaller dose of them.
    alignment : of this performance with its score
        Bars and beats are its own; without one, stretches of eight chords or notes stand for bars.

    Returns
    -------
    The worse performance and a record of all that was done.

    Raises
    ------
    InputError
        The name is unknown, the severity out of range, or the performance has nothing that could be
        harmed so (no pedal, no runs, one voice, too few notes).
    MismatchError
        The alignment is that of another performance.
    """
    kind = corruption_kind(name)
    if not (math.isfinite(severity) and 0.0 <= severity <= kind.max_severity):
        raise InputError(
            f"severity of {name}", f"is {severity:g}", allowed=f"0 to {kind.max_severity:g} {kind.unit}"
        )
    context = read_context(performance, alignment)
    unchanged = Corruption(
        name=name,
        severity=float(severity),
        unit=kind.unit,
        target=kind.target,
        performance=performance,
        new_of_old=np.arange(len(performance)),
        edits=(),
        spans=(),
        time_map=TimeMap.identity(),
    )
    if severity == 0.0:
        return unchanged
    draft = kind.make(context, float(severity), rng)
    worse, new_of_old, edits = finish(context, draft)
    spans = tuple(sorted(draft.spans, key=lambda span: span.start_sec))
    return replace(
        unchanged,
        performance=worse,
        new_of_old=new_of_old,
        edits=edits,
        spans=spans,
        time_map=draft.time_map,
    )


def corruption_kind(name: str) -> CorruptionKind:
    """One of `CORRUPTIONS` by name.

    Raises
    ------
    InputError
        There is none of that name.
    """
    if name not in CORRUPTIONS:
        raise InputError("corruption", f"is {name!r}", allowed=", ".join(CORRUPTIONS))
    return CORRUPTIONS[name]
