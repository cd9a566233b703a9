"""One performance in, one assessment out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from os import PathLike
from pathlib import Path

import numpy as np

from tocco.audio.processing import segment_bounds, stream_audio
from tocco.audio.transcription import Transcriber
from tocco.data.preparation import WindowInputs, cut_windows, symbolic_inputs
from tocco.data.sources import Sources, open_sources
from tocco.data.transcribing import OnTranscribed
from tocco.errors import InputError
from tocco.inference.assessment import Assessment
from tocco.inference.attention import attention_over_time
from tocco.inference.bundle import Bundle, load_bundle
from tocco.inference.conclusion import calibrated_loss, conclude
from tocco.inference.music_span import music_span
from tocco.inference.plausibility import implausible
from tocco.inference.rating import MIN_STRUCK_NOTES, rate_whole, rate_windows
from tocco.inference.verdict import at_level, merge_windows
from tocco.inference.windows import centre_weighted_merge, stream_windows
from tocco.music.performance import Origin
from tocco.music.score_finding import ScoreFolder, open_score_folder
from tocco.rubrics import TOCCO10, Rubric
from tocco.units import SAMPLE_RATE_HZ, FloatArray, amplitude_from_db

StrPath = str | PathLike[str]
"""A path as it is written, or as an object."""

OnRated = Callable[[float, float], None]
"""Called with the windows that are read for rating, and with all of them."""


class Assessor:
    """Rates performances with one bundle, loaded once.

    Parameters
    ----------
    bundle
        A loaded bundle or its folder; the one inside the package if None.
    rubric
        The dimensions that are rated, and their weights in the aggregate.
    transcriber
        Finds the notes of a recording that comes without MIDI; None for the built-in one.
    """

    def __init__(
        self,
        bundle: Bundle | StrPath | None = None,
        rubric: Rubric = TOCCO10,
        transcriber: Transcriber | None = None,
    ) -> None:
        if not isinstance(bundle, Bundle):
            bundle = load_bundle(None if bundle is None else Path(bundle))
        self.bundle = bundle
        self.rubric = rubric
        self.transcriber = transcriber

    def assess(
        self,
        audio: StrPath | None,
        midi: StrPath | None = None,
        score: StrPath | None = None,
        *,
        origin: Origin = "keys",
        on_transcribed: OnTranscribed | None = None,
        scores: ScoreFolder | StrPath | None = None,
        on_rated: OnRated | None = None,
    ) -> Assessment:
        """Assess one performance.

        Parameters
        ----------
        audio : recording; None renders the MIDI
        midi : performance MIDI; None transcribes the recording
        score : MusicXML, .mxl or score MIDI; without one, what needs it is missing
        origin
            "transcribed" for a MIDI that was transcribed from a recording: what a transcription cannot show
            is missing, and the rest is compared with transcriptions.
        on_transcribed : progress of the transcription of a recording alone
        scores
            Without a score: the folder among whose scores it is sought. Where none of them fits, the
            performance is assessed without one.
        on_rated : progress of the rating, which begins when the files are read

        Raises
        ------
        ToccoError
            An input cannot be used, two do not belong together, or a part of this machine is missing.
        """
        audio, midi, score = (None if path is None else Path(path) for path in (audio, midi, score))
        if origin == "transcribed" or (midi is None and audio is not None):
            calibrated_loss(self.bundle)  # fail before minutes of transcription
        if scores is not None and not isinstance(scores, ScoreFolder):
            scores = open_score_folder(Path(scores))
        with open_sources(
            audio,
            midi,
            score,
            origin=origin,
            transcriber=self.transcriber,
            on_transcribed=on_transcribed,
            scores=scores,
        ) as sources:
            return self._assess(sources, on_rated)

    def _assess(self, sources: Sources, on_rated: OnRated | None) -> Assessment:
        data = self.bundle.config
        start_sec, end_sec = music_span(sources.performance, sources.description.duration_sec)
        bounds = start_sec + segment_bounds(end_sec - start_sec, data.window_sec, data.overlap)
        statistics: list[FloatArray] = []
        windows = _counted(self._windows(sources, bounds, statistics), len(bounds), on_rated)
        rated = rate_windows(self.bundle.predictor, windows)
        merge = centre_weighted_merge(bounds, rated.heard)
        if not len(merge.time_sec):
            raise InputError(
                sources.midi.path or sources.sound,
                f"has no window of {data.window_sec:.0f} s with {MIN_STRUCK_NOTES} notes",
                next_step="give a longer excerpt",
            )
        verdict = merge_windows(self.bundle.predictor.names, rated.rating, rated.sd, merge)
        if self.bundle.whole is not None:
            whole = rate_whole(self.bundle.whole, sources.performance, sources.alignment)
            verdict = at_level(verdict, self.bundle.whole.names, whole, self.bundle.whole_share)
        reasons = implausible(sources.performance) or self._outside(np.stack(statistics)[rated.heard])
        attention = attention_over_time(rated.attention, merge, 1.0 - self.bundle.whole_share)
        return conclude(self.bundle, self.rubric, sources, bounds, verdict, reasons, attention=attention)

    def _windows(
        self, sources: Sources, bounds: FloatArray, statistics: list[FloatArray]
    ) -> Iterator[WindowInputs]:
        gain = np.float32(amplitude_from_db(sources.gain_db))
        sound = stream_windows(stream_audio(sources.sound), bounds, SAMPLE_RATE_HZ)
        symbolic = cut_windows(sources.performance, sources.alignment, bounds)
        for waveform, (performance, alignment) in zip(sound, symbolic, strict=True):
            inputs = symbolic_inputs(performance, alignment)
            statistics.append(inputs.statistics)
            yield WindowInputs(waveform * gain, sources.level_db, inputs)

    def _outside(self, statistics: FloatArray) -> tuple[str, ...]:
        applicability = self.bundle.calibration.applicability
        column = {name: p for p, name in enumerate(self.bundle.config.statistics)}
        found = applicability.outside(statistics[:, [column[name] for name in applicability.names]])
        if found.share <= applicability.limit:
            return ()
        return (
            f"{100.0 * found.share:.0f} % of the measures lie outside the music that the model has learned "
            f"from (limit {100.0 * applicability.limit:.0f} %); furthest: {', '.join(found.worst)}",
        )


def _counted(
    windows: Iterable[WindowInputs], n_windows: int, on_rated: OnRated | None
) -> Iterator[WindowInputs]:
    """The windows as they are; each is reported before it is passed on."""
    for done, window in enumerate(windows):
        if on_rated is not None:
            on_rated(done, n_windows)
        yield window
    if on_rated is not None:
        on_rated(n_windows, n_windows)
