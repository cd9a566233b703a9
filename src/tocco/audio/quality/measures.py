"""What is measured on a recording before it is assessed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tocco.audio.description import AudioDescription
from tocco.audio.quality.bounds import MusicBounds
from tocco.audio.quality.levels import Hum
from tocco.audio.quality.tuning import Tuning


@dataclass(frozen=True)
class Measures:
    """Measures of a recording.

    Attributes
    ----------
    description
        Length, level, clipping at full scale, band, faults of the channels.
    bounds : where the music lies; None where there is none
    probability : class of `classifier.CLASSES` -> mean probability within the music
        None for what is too short, about two seconds.
    speech_share : 0..1, time within the music in which somebody speaks
    snr_db : dB, mean level over the noise between the partials; at least
    range_db : dB, between soft and loud frames
    hum : the mains; None where not heard
    decay_sec : seconds, a rough reverberation time
    n_dropouts : gaps within the music that no player makes
    crowding : 0..1, share of samples within 1 dB of the peaks: large where peaks were cut off
    tuning
    """

    description: AudioDescription
    bounds: MusicBounds | None
    probability: Mapping[str, float] | None
    speech_share: float
    snr_db: float | None
    range_db: float
    hum: Hum | None
    decay_sec: float | None
    n_dropouts: int
    crowding: float
    tuning: Tuning

    @property
    def dropouts_per_min(self) -> float:
        """Dropouts a minute."""
        return self.n_dropouts * 60.0 / self.description.duration_sec

    @property
    def pianism(self) -> float | None:
        """How far a piano is what sounds: 0..1; None where nothing is known.

        A voice beside the piano takes nothing away; another instrument and other keyboards count half, since
        a horn alone or a harp looks a little like either.
        """
        if self.bounds is None or self.probability is None:
            return None
        return self.likely("piano", "sung") + 0.5 * self.likely("played", "keyboard")

    def likely(self, *classes: str) -> float:
        """Summed probability of some classes; 0 where nothing is known."""
        return sum(self.probability[name] for name in classes) if self.probability else 0.0
