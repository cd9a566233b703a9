"""Half pedal on a synthesiser whose sustain pedal is only up or down.

On a piano, dampers that are raised a little do not let a string ring nor do they stop it: they limit
how far it may swing. After the key is let go the tone first falls quickly, while string and damper
touch, and then rings on freely at a lower level (Lehtonen, Askenfelt and Välimäki 2009, "Analysis of
the part-pedaling effect in the piano", J. Acoust. Soc. Am. 126, EL49). The free swing that is left is
as wide as the gap between damper and string, and the gap grows with the pedal's travel once the slack
is taken up.

So the performance is played several times, each time on a pedal that is only up or down but goes down
at another point of the travel, and the layers are added with weights that sum to one. Where all
layers agree (keys held, pedal fully up or down) the sum is the plain sound. Where the pedal stands in
between, the share of the layers that hold is the gap: it rings freely, and the rest is damped at the
soundfont's own rate. That is the two-stage decay of the measurement, a higher pedal never rings less,
and the curve is followed at every moment.

Not modelled: that dampers hold bass strings less well than the rest, that the touch of the damper
colours the tone, that a pedal pressed right after a release catches what still sounds, and the
sympathetic strings of a raised pedal. Sostenuto stays a switch; the soft pedal has no effect.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from tocco.errors import InputError
from tocco.music.performance import PedalCurve

HALF_PEDAL_ZONE: Final = (40.0, 90.0)
"""Pedal values between which the dampers leave the strings: below they lie on, above they are clear.

Instruments differ; reproducing pianos put the zone around MIDI's on-off value, 64.
"""

N_PEDAL_LAYERS: Final = 5
"""Steps of the gap: free swing of 0, 1/5 (-14 dB), 2/5 (-8), 3/5 (-4.4), 4/5 (-1.9) and all of the sound."""


@dataclass(frozen=True, eq=False)
class PedalLayer:
    """One playing of the performance, and its share of the sound.

    Attributes
    ----------
    sustain : values 0 or 127 only
    weight : 0..1, all layers sum to 1
    """

    sustain: PedalCurve
    weight: float


def pedal_layers(
    sustain: PedalCurve,
    *,
    zone: tuple[float, float] = HALF_PEDAL_ZONE,
    n_layers: int = N_PEDAL_LAYERS,
) -> tuple[PedalLayer, ...]:
    """The pedals, each only up or down, that together make a continuous one.

    Parameters
    ----------
    sustain
        Pedal values 0 to 127.
    zone : 0..127, low < high
        Where damping turns from full to none. Layer k holds from
        `low + (high - low) * (k + 1/2) / n_layers` on.
    n_layers : >= 1

    Returns
    -------
    Layers that would play alike are one: a pedal that is never inside the zone gives one layer.

    Raises
    ------
    InputError
        The zone is not one.
    """
    low, high = zone
    if not 0.0 <= low < high <= 127.0:
        raise InputError("zone", f"is {low} to {high}", allowed="low < high, both 0 to 127")
    layers: dict[bytes, PedalLayer] = {}
    for k in range(n_layers):
        curve = _switched(sustain, low + (high - low) * (k + 0.5) / n_layers)
        same = curve.time_sec.tobytes() + curve.value.tobytes()
        before = layers[same].weight if same in layers else 0.0
        layers[same] = PedalLayer(curve, before + 1.0 / n_layers)
    return tuple(layers.values())


def _switched(sustain: PedalCurve, threshold: float) -> PedalCurve:
    """The pedal as a switch: a step wherever its position crosses the threshold."""
    down = sustain.value >= threshold
    changes = np.flatnonzero(np.diff(down, prepend=False))
    return PedalCurve(sustain.time_sec[changes], np.where(down[changes], 127.0, 0.0))
