"""How often, and how much, recordings are changed in training: one block an effect."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, field_validator, model_validator

from tocco.audio.augmenting.codecs import MP3_KBITS
from tocco.audio.augmenting.noise import BACKGROUND_SNR_DB, NOISES, SNR_DB
from tocco.audio.augmenting.phone import (
    AGC_STRENGTH,
    CLIP_DB,
    EQ_GAIN_DB,
    GAIN_DB,
    HIGH_CUT_HZ,
    LOW_CUT_HZ,
)
from tocco.audio.augmenting.rooms import ROOMS
from tocco.audio.augmenting.time_pitch import FLUTTER_HZ, SEMITONES, STRETCH_RATE, WOBBLE_PERCENT, WOW_HZ
from tocco.schema import StrictModel, nearest

Probability = Annotated[float, Field(ge=0.0, le=1.0, allow_inf_nan=False)]


def _within(limits: tuple[float, float]) -> AfterValidator:
    """Refuse a range that is turned round or that its effect would refuse."""

    def check(value: tuple[float, float]) -> tuple[float, float]:
        low, high = value
        if not limits[0] <= low <= high <= limits[1]:
            raise ValueError(f"is {low:g} to {high:g}, allowed is {limits[0]:g} to {limits[1]:g}, ascending")
        return value

    return AfterValidator(check)


Range = tuple[float, float]


class PitchShiftBlock(StrictModel):
    """Another key."""

    probability: Probability = 0.2
    """How often."""

    semitones: Annotated[tuple[int, int], _within(SEMITONES)] = (-2, 2)
    """Whole semitones, so that the keys can follow; 0 is never drawn."""


class TimeStretchBlock(StrictModel):
    """Another tempo."""

    probability: Probability = 0.15
    """How often."""

    rate: Annotated[Range, _within(STRETCH_RATE)] = (0.85, 1.15)
    """New tempo over old tempo."""


class RoomBlock(StrictModel):
    """Another room."""

    probability: Probability = 0.4
    """How often."""

    rooms: tuple[str, ...] = tuple(ROOMS)
    """Names of synthetic rooms to draw from."""

    impulse_responses: tuple[Path, ...] = ()
    """Files to draw from as well, each as likely as a synthetic room."""

    @field_validator("rooms")
    @classmethod
    def _rooms_exist(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return _known(value, tuple(ROOMS))

    @model_validator(mode="after")
    def _has_a_choice(self) -> RoomBlock:
        if not self.rooms and not self.impulse_responses:
            raise ValueError("rooms and impulse_responses are both empty; name one, or set probability: 0")
        return self


class BackgroundNoiseBlock(StrictModel):
    """Other sounds in the room."""

    probability: Probability = 0.25
    """How often."""

    snr_db: Annotated[Range, _within(BACKGROUND_SNR_DB)] = (15.0, 40.0)
    """RMS of the music over RMS of the noise."""

    kinds: tuple[str, ...] = tuple(NOISES)
    """Which noises."""

    @field_validator("kinds")
    @classmethod
    def _kinds_exist(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return _not_empty(_known(value, tuple(NOISES)))


class BandLimitBlock(StrictModel):
    """A small microphone."""

    probability: Probability = 0.15
    """How often."""

    low_hz: Annotated[Range, _within(LOW_CUT_HZ)] = (40.0, 200.0)
    """Where the bass ends."""

    high_hz: Annotated[Range, _within(HIGH_CUT_HZ)] = (4_000.0, 11_000.0)
    """Where the treble ends."""


class DeviceEqBlock(StrictModel):
    """A microphone's own colour."""

    probability: Probability = 0.3
    """How often."""

    gain_db: Annotated[Range, _within(EQ_GAIN_DB)] = (-6.0, 6.0)
    """Of each peak or dip."""

    bands: Annotated[tuple[int, int], _within((1, 8))] = (2, 4)
    """How many peaks and dips."""


class AddNoiseBlock(StrictModel):
    """Hiss."""

    probability: Probability = 0.3
    """How often."""

    snr_db: Annotated[Range, _within(SNR_DB)] = SNR_DB
    """RMS of the music over RMS of the noise."""


class AutomaticGainBlock(StrictModel):
    """A recorder with automatic gain control."""

    probability: Probability = 0.1
    """How often."""

    strength: Annotated[Range, _within(AGC_STRENGTH)] = (0.2, 0.7)
    """0 leaves the dynamics, 1 removes them."""


class ClipBlock(StrictModel):
    """An overdriven input."""

    probability: Probability = 0.1
    """How often."""

    clip_db: Annotated[Range, _within(CLIP_DB)] = (1.0, 6.0)
    """Ceiling below the waveform's own peak."""

    kinds: tuple[str, ...] = ("soft", "hard")
    """Bent or cut."""

    @field_validator("kinds")
    @classmethod
    def _kinds_exist(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return _not_empty(_known(value, ("soft", "hard")))


class WowFlutterBlock(StrictModel):
    """A tape or disc player of uneven speed."""

    probability: Probability = 0.05
    """How often."""

    wow_hz: Annotated[Range, _within(WOW_HZ)] = (0.4, 2.0)
    """Slow wavering."""

    wow_percent: Annotated[Range, _within(WOBBLE_PERCENT)] = (0.05, 0.4)
    """Its largest deviation of speed."""

    flutter_hz: Annotated[Range, _within(FLUTTER_HZ)] = (5.0, 15.0)
    """Fast wavering."""

    flutter_percent: Annotated[Range, _within(WOBBLE_PERCENT)] = (0.01, 0.1)
    """Its largest deviation of speed."""


class CompressAudioBlock(StrictModel):
    """MP3 compression."""

    probability: Probability = 0.3
    """How often."""

    bitrates: tuple[int, ...] = (32, 64, 128, 192, 320)
    """kbit/s to draw from."""

    @field_validator("bitrates")
    @classmethod
    def _rates_exist(cls, value: tuple[int, ...]) -> tuple[int, ...]:
        wrong = [rate for rate in value if rate not in MP3_KBITS]
        if wrong:
            raise ValueError(f"MP3 has no {wrong[0]} kbit/s, it has {', '.join(map(str, MP3_KBITS))}")
        return _not_empty(value)


class GainBlock(StrictModel):
    """Another level."""

    probability: Probability = 0.5
    """How often."""

    gain_db: Annotated[Range, _within(GAIN_DB)] = (-6.0, 6.0)
    """Of the whole recording."""


class AugmentationConfig(StrictModel):
    """Which effects are drawn, how often and how strong.

    Every effect is drawn independently with its own probability; where more than `most_effects` are, that
    many of them are chosen at random.
    """

    most_effects: Annotated[int, Field(ge=0)] = 3
    """At most so many on one recording."""

    on_touched_label: Literal["leave_out", "refuse"] = "leave_out"
    """What happens to an effect that a label would not survive: the label is left out of the changed
    example, or the effect is refused as long as the example has that label."""

    pitch_shift: PitchShiftBlock = PitchShiftBlock()
    time_stretch: TimeStretchBlock = TimeStretchBlock()
    room_acoustics: RoomBlock = RoomBlock()
    background_noise: BackgroundNoiseBlock = BackgroundNoiseBlock()
    band_limit: BandLimitBlock = BandLimitBlock()
    device_eq: DeviceEqBlock = DeviceEqBlock()
    add_noise: AddNoiseBlock = AddNoiseBlock()
    automatic_gain: AutomaticGainBlock = AutomaticGainBlock()
    clip: ClipBlock = ClipBlock()
    wow_and_flutter: WowFlutterBlock = WowFlutterBlock()
    compress_audio: CompressAudioBlock = CompressAudioBlock()
    gain_variation: GainBlock = GainBlock()

    @classmethod
    def only(cls, *names: str, **settings: Any) -> AugmentationConfig:
        """The named effects always, with their default strengths, and no other.

        >>> AugmentationConfig.only("add_noise").pitch_shift.probability
        0.0
        """
        default = cls(**settings)
        blocks = _effect_names()
        _known(names, blocks)
        return default.model_copy(
            update={
                block: getattr(default, block).model_copy(update={"probability": float(block in names)})
                for block in blocks
            }
        )


def _effect_names() -> tuple[str, ...]:
    return tuple(
        name for name in AugmentationConfig.model_fields if name not in {"most_effects", "on_touched_label"}
    )


def _known(given: tuple[str, ...], names: tuple[str, ...]) -> tuple[str, ...]:
    unknown = [name for name in given if name not in names]
    if unknown:
        raise ValueError(nearest(unknown[0], names))
    return given


def _not_empty(value: tuple[Any, ...]) -> tuple[Any, ...]:
    if not value:
        raise ValueError("is empty; name one, or set probability: 0")
    return value
