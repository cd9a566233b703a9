"""One performance in, one assessment out."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import numpy as np

from tocco.audio.processing import segment_bounds, stream_audio
from tocco.data.preparation import WindowInputs, cut_windows, symbolic_inputs
from tocco.data.sources import Sources, open_sources
from tocco.errors import InputError
from tocco.inference.assessment import Assessment, Rating
from tocco.inference.bundle import Bundle, load_bundle
from tocco.inference.evidence import BundleIdentity, InputFile, Inputs, Synchrony
from tocco.inference.note_report import alignment_report
from tocco.inference.rating import MIN_STRUCK_NOTES, rate_windows
from tocco.inference.technique import technique_report
from tocco.inference.verdict import (
    ModelVerdict,
    aggregate,
    curve,
    merge_windows,
    model_ratings,
    moments,
    note_accuracy_curve,
    note_accuracy_rating,
)
from tocco.inference.windows import centre_weighted_merge, stream_windows
from tocco.pseudo_labels.raters.note_accuracy import rate_note_accuracy
from tocco.rubrics import DESCRIPTORS, DIMENSIONS, TOCCO10, Rubric
from tocco.units import SAMPLE_RATE_HZ, FloatArray, amplitude_from_db

NO_SCORE = "no score was given"
NOT_LEARNED = "this bundle was not trained to rate it"


class Assessor:
    """Rates performances with one bundle, loaded once.

    Parameters
    ----------
    bundle
        A loaded bundle or its folder; the one inside the package if None.
    rubric
        The dimensions' weights in the aggregate.
    """

    def __init__(self, bundle: Bundle | Path | None = None, rubric: Rubric = TOCCO10) -> None:
        self.bundle = bundle if isinstance(bundle, Bundle) else load_bundle(bundle)
        self.rubric = rubric

    def assess(self, audio: Path | None, midi: Path | None = None, score: Path | None = None) -> Assessment:
        """Assess one performance.

        Parameters
        ----------
        audio : recording; None renders the MIDI
        midi : performance MIDI
        score : MusicXML, .mxl or score MIDI; without one, what needs it is missing

        Raises
        ------
        ToccoError
            An input cannot be used, two do not belong together, or a part of this machine is missing.
        """
        with open_sources(audio, midi, score) as sources:
            return self._assess(sources)

    def _assess(self, sources: Sources) -> Assessment:
        data = self.bundle.config
        bounds = segment_bounds(sources.description.duration_sec, data.window_sec, data.overlap)
        statistics: list[FloatArray] = []
        rated = rate_windows(self.bundle.network, self._windows(sources, bounds, statistics))
        merge = centre_weighted_merge(bounds, rated.heard)
        if not len(merge.time_sec):
            raise InputError(
                sources.midi.path or "MIDI",
                f"has no window of {data.window_sec:.0f} s with {MIN_STRUCK_NOTES} notes",
                next_step="give a longer excerpt",
            )
        verdict = merge_windows(self.bundle.network.dimensions, rated.rating, rated.sd, merge)
        reasons = self._outside(np.stack(statistics)[rated.heard])
        return self._conclude(sources, bounds, verdict, reasons)

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
            f"{found.share:.0%} of the measures lie outside the music that the model has learned from "
            f"(limit {applicability.limit:.0%}); furthest: {', '.join(found.worst)}",
        )

    def _conclude(
        self, sources: Sources, bounds: FloatArray, verdict: ModelVerdict, reasons: tuple[str, ...]
    ) -> Assessment:
        intervals = self.bundle.calibration.intervals
        given = {} if reasons else model_ratings(verdict, intervals)
        absent = (
            "the model abstains: the performance is unlike its training music" if reasons else NOT_LEARNED
        )
        ratings = {name: given.get(name, Rating.missing(absent)) for name in DIMENSIONS}
        descriptors = {name: given.get(name, Rating.missing(absent)) for name in DESCRIPTORS}
        computed: dict[str, FloatArray] = {}
        if sources.alignment is None:
            ratings["note_accuracy"] = Rating.missing(NO_SCORE)
        else:
            ratings["note_accuracy"] = note_accuracy_rating(rate_note_accuracy(sources.alignment))
            computed["note_accuracy"] = note_accuracy_curve(sources.alignment, bounds, verdict.merge)
        shown = curve(verdict, intervals, [name for name in DIMENSIONS if name in given], computed)
        overall = {name: rating.value for name, rating in ratings.items() if rating.value is not None}
        return Assessment(
            ratings=ratings,
            descriptors=descriptors,
            aggregate=aggregate(ratings, self.rubric),
            curve=shown,
            moments=moments(shown, overall, sources.alignment),
            technique=technique_report(sources.performance, sources.alignment),
            alignment=None
            if sources.alignment is None
            else alignment_report(sources.alignment, sources.performance),
            alignment_reason=NO_SCORE if sources.alignment is None else None,
            inputs=_inputs(sources),
            abstained=bool(reasons),
            abstained_reasons=reasons,
            bundle=BundleIdentity(
                name=self.bundle.config.name, version=self.bundle.config.version, sha256=self.bundle.sha256
            ),
            tocco_version=version("tocco"),
        )


def _inputs(sources: Sources) -> Inputs:
    midi, audio, score = sources.midi, sources.audio, sources.score
    described = sources.description
    return Inputs(
        audio=InputFile(
            name=_name(audio.path or midi.path),
            sha256=str(audio.sha256 or midi.sha256),
            origin="given" if audio.given else "derived",
            duration_sec=described.duration_sec,
            flags=described.flags if audio.given else (),
        ),
        midi=InputFile(
            name=_name(midi.path),
            sha256=str(midi.sha256),
            origin="given",
            duration_sec=sources.performance.duration_sec,
        ),
        score=None
        if score is None
        else InputFile(name=_name(score.path), sha256=str(score.sha256), origin="given"),
        synchrony=None
        if sources.synchrony is None
        else Synchrony(
            offset_sec=sources.synchrony.offset_sec,
            drift_ppm=1e6 * sources.synchrony.drift,
            residual_sec=sources.synchrony.residual_sec,
        ),
    )


def _name(path: Path | None) -> str:
    if path is None:
        return "unnamed"
    return path.name.encode(errors="replace").decode()  # a name may hold bytes that are no text
