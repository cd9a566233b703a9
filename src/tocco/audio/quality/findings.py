"""From measures to what follows from them: refuse, abstain, warn."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from tocco.audio.quality.measures import Measures
from tocco.audio.quality.thresholds import THRESHOLDS, Consequence, Threshold

HEARD: Final[Mapping[str, str]] = {
    "plucked": "a plucked or struck instrument (guitar, harp, marimba or the like)",
    "held": "an instrument or voices with held notes (strings, winds, organ, choir or the like)",
    "band": "several instruments with drums or bass",
    "speech": "speech",
    "singing": "a voice that sings alone",
    "noise": "noise without tones",
    "applause": "applause",
    "silence": "silence",
    "keyboard": "another keyboard instrument (harpsichord, electric piano, celesta or the like)",
    "played": "another instrument, perhaps beside a piano",
}
"""What is heard, in words, by class."""


@dataclass(frozen=True)
class Finding:
    """Something about a recording that its user should know.

    Attributes
    ----------
    name : of `THRESHOLDS`, or a flag of the description
    consequence
    sentence : one line, plain
    value, limit : measured, and the threshold; None for a flag
    dimensions : that are not rated because of it
    """

    name: str
    consequence: Consequence
    sentence: str
    value: float | None = None
    limit: float | None = None
    dimensions: tuple[str, ...] = ()


Check = tuple[str, Callable[[Measures], float | None], Callable[[Measures], str]]


def findings_of(measures: Measures) -> tuple[Finding, ...]:
    """Everything that is worth saying, refusals first."""
    found = [*_no_music(measures), *_beyond_limits(measures), *_flags(measures)]
    order: Mapping[Consequence, int] = {"refuse": 0, "abstain": 1, "warn": 2}
    return tuple(sorted(_without_weaker(found), key=lambda finding: order[finding.consequence]))


def _no_music(measures: Measures) -> Iterator[Finding]:
    if measures.bounds is None:
        yield Finding("no_music", "refuse", f"holds no music: {heard(measures)}")


def heard(measures: Measures) -> str:
    """What sounds, in words."""
    if "silent" in measures.description.flags or measures.probability is None:
        return HEARD["silence"]
    if measures.bounds is None and measures.speech_share > 0.3:
        return HEARD["speech"]
    others = {name: p for name, p in measures.probability.items() if name in HEARD}
    return HEARD[max(others, key=lambda name: others[name])]


def _beyond_limits(measures: Measures) -> Iterator[Finding]:
    for name, measure, sentence in _CHECKS:
        value, threshold = measure(measures), THRESHOLDS[name]
        if value is not None and threshold.is_passed(value):
            yield _finding(threshold, value, sentence(measures))


def _finding(threshold: Threshold, value: float, sentence: str) -> Finding:
    return Finding(
        threshold.name, threshold.consequence, sentence, value, threshold.limit, threshold.dimensions
    )


def _flags(measures: Measures) -> Iterator[Finding]:
    for flag, sentence in _OF_FLAGS.items():
        if flag in measures.description.flags:
            yield Finding(flag, "warn", sentence)


def _without_weaker(found: list[Finding]) -> list[Finding]:
    """One finding a matter: the stronger one stands for both."""
    names = {finding.name for finding in found}
    return [one for one in found if not names & set(_STRONGER.get(one.name, ()))]


def _tuning_sentence(measures: Measures) -> str:
    tuning = measures.tuning
    side = "above" if tuning.cents > 0 else "below"
    return (
        f"The piano is tuned {abs(tuning.cents):.0f} cents {side} A = 440 Hz "
        f"(A = {tuning.a4_hz:.0f} Hz, or a semitone away from it); no note counts as wrong for that."
    )


def _off_pitch(measures: Measures) -> float | None:
    return abs(measures.tuning.cents) if measures.tuning.is_clear else None


def _music_sec(measures: Measures) -> float | None:
    return None if measures.bounds is None else measures.bounds.end_sec - measures.bounds.start_sec


_CHECKS: Final[tuple[Check, ...]] = (
    ("not_a_piano", lambda m: m.pianism, lambda m: f"does not sound like a piano: {heard(m)} is heard"),
    (
        "other_keyboard",
        lambda m: m.likely("keyboard"),
        lambda m: "It may be another keyboard instrument than a piano; the ratings are made for pianos.",
    ),
    (
        "unsure_instrument",
        lambda m: m.pianism,
        lambda m: f"It is not certain that a piano plays: {heard(m)} may be heard.",
    ),
    ("singing_along", lambda m: m.likely("sung"), lambda m: "A voice sings along; some notes may be hers."),
    (
        "other_instrument",
        lambda m: m.likely("played"),
        lambda m: "Another instrument seems to play along; its notes may be counted as the piano's.",
    ),
    (
        "speech",
        lambda m: m.speech_share,
        lambda m: f"Somebody speaks during {100 * m.speech_share:.0f} % of the music.",
    ),
    (
        "clipped_at_full_scale",
        lambda m: m.description.clipped_fraction,
        lambda m: "The loudest peaks are cut off at full scale, so that loud and very loud are alike.",
    ),
    (
        "cut_peaks",
        lambda m: m.crowding,
        lambda m: "The loudest peaks were cut off when it was recorded: loud and very loud are alike.",
    ),
    (
        "telephone_band",
        lambda m: m.description.bandwidth_hz,
        lambda m: (
            f"It ends at {m.description.bandwidth_hz:,.0f} Hz, as a telephone call does: "
            "a bright and a dark tone are alike."
        ),
    ),
    (
        "narrow_band",
        lambda m: m.description.bandwidth_hz,
        lambda m: f"It ends at {m.description.bandwidth_hz:,.0f} Hz; tone is less certain.",
    ),
    (
        "noisy",
        lambda m: m.snr_db,
        lambda m: f"Noise lies only {m.snr_db:.0f} dB under the music; soft notes may be missed.",
    ),
    (
        "drowned_in_noise",
        lambda m: m.snr_db,
        lambda m: f"Noise lies only {m.snr_db:.0f} dB under the music and covers soft notes.",
    ),
    (
        "level_without_range",
        lambda m: m.range_db,
        lambda m: (
            f"The level hardly changes ({m.range_db:.0f} dB): the recorder may have made soft and loud alike."
        ),
    ),
    (
        "hum",
        lambda m: m.hum.level_db if m.hum else None,
        lambda m: f"The mains hum at {m.hum.mains_hz if m.hum else 50} Hz.",
    ),
    (
        "reverberant",
        lambda m: m.decay_sec,
        lambda m: "The room is reverberant; releases and pedal changes are less certain.",
    ),
    (
        "dropouts",
        lambda m: m.dropouts_per_min,
        lambda m: f"The sound drops out {m.n_dropouts} times; notes may be missing there.",
    ),
    ("off_pitch", _off_pitch, _tuning_sentence),
    (
        "soft",
        lambda m: m.description.rms_dbfs,
        lambda m: f"It is very soft ({m.description.rms_dbfs:.0f} dBFS); record closer or louder.",
    ),
    ("little_music", _music_sec, lambda m: "There are only a few seconds of music; ratings are uncertain."),
)
"""Threshold, its measure, its sentence."""

_STRONGER: Final[Mapping[str, tuple[str, ...]]] = {
    "unsure_instrument": ("not_a_piano",),
    "other_keyboard": ("not_a_piano",),
    "narrow_band": ("telephone_band",),
    "noisy": ("drowned_in_noise",),
    "cut_peaks": ("clipped_at_full_scale",),
}
_OF_FLAGS: Final[Mapping[str, str]] = {
    "dead_channel": "One channel is silent; the other is used.",
    "out_of_phase": "The channels cancel each other (a swapped cable); one of them is used alone.",
}
