"""Whether a recording is one of a piano, how good it is, and where in it the music lies.

    quality = examine(DescribedStream("take.m4a"))
    quality.check("take.m4a")       # InputError where it is no piano
    quality.abstained               # dimension -> why it is not rated
    quality.warnings                # sentences
    quality.music                   # seconds from..to, and what lies before and after

One pass over the mono blocks at 24 kHz, about one hundredth of real time on one core. What each measure is,
where its limit comes from and how far it can be trusted: docs/recording_quality.md.
"""

from __future__ import annotations

from tocco.audio.quality.bounds import MusicBounds, music_bounds
from tocco.audio.quality.examination import RecordingQuality, examine, quality_of
from tocco.audio.quality.findings import Finding, findings_of
from tocco.audio.quality.gauge import QualityGauge
from tocco.audio.quality.measures import Measures
from tocco.audio.quality.thresholds import THRESHOLDS, Threshold
from tocco.audio.quality.tuning import Tuning

__all__ = [
    "THRESHOLDS",
    "Finding",
    "Measures",
    "MusicBounds",
    "QualityGauge",
    "RecordingQuality",
    "Threshold",
    "Tuning",
    "examine",
    "findings_of",
    "music_bounds",
    "quality_of",
]
