"""From the windows' ratings and the alignment to the assessment."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

from tocco.audio.quality import RecordingQuality
from tocco.data.sources import Sources
from tocco.errors import BundleError
from tocco.inference.assessment import Assessment, Rating
from tocco.inference.attention import Attention
from tocco.inference.bundle import Bundle
from tocco.inference.candidates import Heard
from tocco.inference.combination import DEDUCTIONS, less_deductions, with_account
from tocco.inference.evidence import (
    BundleIdentity,
    InputFile,
    Inputs,
    Music,
    RecordingReport,
    ScoreSearch,
    Synchrony,
)
from tocco.inference.findings import find
from tocco.inference.intervals import IntervalCalibration
from tocco.inference.note_report import alignment_report, tempo_by_bar
from tocco.inference.passages import SHARED_ERROR, WindowErrors, moments
from tocco.inference.rules import RULES
from tocco.inference.shortfalls import (
    Shortfalls,
    local_deductions,
    measure_shortfalls,
    window_shortfalls,
)
from tocco.inference.technique import slips, technique_report
from tocco.inference.transcription_loss import (
    DimensionLoss,
    TranscriptionLoss,
    as_by_keys,
    unheard_dimensions,
    widened,
    without_unheard,
)
from tocco.inference.verdict import (
    ModelVerdict,
    aggregate,
    curve,
    merge_known,
    model_ratings,
)
from tocco.music.score_finding import FoundScore
from tocco.pseudo_labels.observed.evidence import Evidence
from tocco.pseudo_labels.raters.note_errors import absent_notes
from tocco.rubrics import DESCRIPTORS, Rubric
from tocco.units import FloatArray

NO_SCORE = "no score was given"
NOT_LEARNED = "this bundle was not trained to rate it"
ABSTAINS = "the model abstains: the performance is unlike its training music"


def conclude(
    bundle: Bundle,
    rubric: Rubric,
    sources: Sources,
    bounds_sec: FloatArray,
    verdict: ModelVerdict,
    abstained_reasons: tuple[str, ...],
    *,
    attention: Attention | None = None,
) -> Assessment:
    """Say of one performance what its windows and its alignment say.

    Parameters
    ----------
    bundle : that rated
    rubric
    sources : of the performance
    bounds_sec : (K, 2) seconds, the windows
    verdict : of the model: perception, before the deductions
    abstained_reasons : why the model's ratings do not count; empty where they do
    attention : of the network, shown where its ratings count
    """
    intervals, alignment = bundle.calibration.intervals, sources.alignment
    evidence, unheard = Evidence(sources.performance, alignment), _unheard(sources)
    verdict, accounted = _combined(bundle, sources, evidence, bounds_sec, verdict)
    from_model = {} if abstained_reasons else accounted
    absent = Rating.missing(ABSTAINS if abstained_reasons else NOT_LEARNED)
    ratings = _ratings(rubric, sources, from_model, absent, unheard)
    errors = _errors_of_windows(bundle, verdict, from_model)
    by_rule = {}
    for dimension in rubric.dimensions:
        if dimension.rule is not None and alignment is not None:
            value, sigma = RULES[dimension.rule].rate_windows(evidence, bounds_sec)
            by_rule[dimension.name] = merge_known(value, verdict.merge)
            errors[dimension.name] = WindowErrors(sigma, shared=0.0)
    overall = {name: rating.value for name, rating in ratings.items() if rating.value is not None}
    shown = curve(verdict, intervals, list(overall), by_rule)
    passages = moments(shown, overall, errors, verdict.merge, alignment)
    technique = {
        name: found
        for name, found in technique_report(sources.performance, alignment).items()
        if name in ratings and name not in unheard
    }
    return Assessment(
        rubric=rubric.name,
        ratings=ratings,
        descriptors={name: from_model.get(name, absent) for name in DESCRIPTORS},
        aggregate=aggregate(ratings, rubric),
        curve=shown,
        moments=passages,
        technique=technique,
        findings=find(
            technique,
            passages,
            ratings,
            rubric.weights,
            _heard(sources, bounds_sec),
            slips(evidence) if "note_accuracy" in technique else (),
        ),
        tempo=() if alignment is None else tempo_by_bar(alignment),
        attention=None if abstained_reasons else attention,
        alignment=None
        if alignment is None
        else alignment_report(alignment, sources.performance, evidence.once(absent_notes).unheard),
        alignment_reason=_no_score(sources) if alignment is None else None,
        inputs=describe_inputs(sources, bounds_sec, _loss_of(bundle)),
        abstained=bool(abstained_reasons),
        abstained_reasons=abstained_reasons,
        bundle=BundleIdentity(name=bundle.config.name, version=bundle.config.version, sha256=bundle.sha256),
        tocco_version=version("tocco"),
    )


def _combined(
    bundle: Bundle, sources: Sources, evidence: Evidence, bounds_sec: FloatArray, verdict: ModelVerdict
) -> tuple[ModelVerdict, dict[str, Rating]]:
    """The verdict less the deductions, and its ratings, each with what it was put together from.

    Of transcribed notes perception is shifted first, what they do not show takes nothing off, and intervals
    are widened.
    """
    intervals, loss = bundle.calibration.intervals, transcription_loss(bundle, sources)
    shortfalls = measure_shortfalls(evidence)
    if loss is not None:
        verdict = as_by_keys(verdict, loss)
        shortfalls = without_unheard(shortfalls, sources.performance, _unheard(sources))
    perception = dict(zip(verdict.names, verdict.rating.tolist(), strict=True))
    verdict = less_deductions(verdict, shortfalls, _local(verdict, evidence, bounds_sec))
    if loss is not None:
        verdict = widened(verdict, loss, intervals)
    return verdict, _accounted(verdict, intervals, perception, shortfalls)


def _errors_of_windows(
    bundle: Bundle, verdict: ModelVerdict, rated: Mapping[str, Rating]
) -> dict[str, WindowErrors]:
    """The errors of the windows in every rated dimension of the model."""
    of_windows = bundle.calibration.window_intervals
    return {
        name: WindowErrors(of_windows.sigma([name], verdict.window_sd[:, d, None]).ravel(), SHARED_ERROR)
        for d, name in enumerate(verdict.names)
        if name in rated
    }


def transcription_loss(bundle: Bundle, sources: Sources) -> Mapping[str, DimensionLoss] | None:
    """Target -> what transcription takes from it; None for notes of the keys.

    Raises
    ------
    BundleError
        As of `calibrated_loss`, where the notes are transcribed.
    """
    if sources.performance.origin == "keys":
        return None
    return calibrated_loss(bundle).of(has_score=sources.alignment is not None)


def calibrated_loss(bundle: Bundle) -> TranscriptionLoss:
    """What transcription takes from the ratings of a bundle.

    Raises
    ------
    BundleError
        The bundle has no such figures, so it cannot rate transcribed notes.
    """
    loss = bundle.calibration.transcription
    if loss is None:
        raise BundleError(
            bundle.config.name,
            "does not know what transcription takes from its ratings",
            next_step="find it with `tocco transcription fit`, or give the MIDI of the keys",
        )
    return loss


def _local(verdict: ModelVerdict, evidence: Evidence, bounds_sec: FloatArray) -> FloatArray:
    """(K, D) points that each window loses beyond the mean of all."""
    points = [DEDUCTIONS.get(name, {}) for name in verdict.names]
    return local_deductions(window_shortfalls(evidence, bounds_sec), points, verdict.merge.window_share)


def _accounted(
    verdict: ModelVerdict,
    intervals: IntervalCalibration,
    perception: Mapping[str, float],
    shortfalls: Shortfalls,
) -> dict[str, Rating]:
    """The ratings of the model, each with what it was put together from."""
    return {
        name: with_account(rating, name, perception[name], shortfalls)
        for name, rating in model_ratings(verdict, intervals).items()
    }


def _unheard(sources: Sources) -> dict[str, str]:
    """Dimension that notes or recording do not show -> why."""
    by_recording = {} if sources.quality is None else sources.quality.abstained
    return {**by_recording, **unheard_dimensions(sources.performance)}


def _ratings(
    rubric: Rubric,
    sources: Sources,
    from_model: Mapping[str, Rating],
    absent: Rating,
    unheard: Mapping[str, str],
) -> dict[str, Rating]:
    """Each dimension by its rule, where it has one and a score was given; else by the model."""
    ratings = {}
    for dimension in rubric.dimensions:
        if dimension.name in unheard:
            ratings[dimension.name] = Rating.missing(unheard[dimension.name])
        elif dimension.rule is None or (dimension.name in from_model and sources.alignment is None):
            ratings[dimension.name] = from_model.get(dimension.name, absent)
        elif sources.alignment is None:
            ratings[dimension.name] = Rating.missing(_no_score(sources))
        else:
            ratings[dimension.name] = RULES[dimension.rule].rate(
                Evidence(sources.performance, sources.alignment)
            )
    return ratings


def _heard(sources: Sources, bounds_sec: FloatArray) -> Heard:
    alignment = sources.alignment
    return Heard(
        start_sec=float(bounds_sec.min()),
        duration_sec=float(bounds_sec.max() - bounds_sec.min()),
        origin=sources.performance.origin,
        agreement=1.0 if alignment is None else alignment.overall_confidence,
        has_score=alignment is not None,
    )


def _loss_of(bundle: Bundle) -> str | None:
    loss = bundle.calibration.transcription
    return None if loss is None else loss.transcriber


def describe_inputs(sources: Sources, bounds_sec: FloatArray, loss_of: str | None = None) -> Inputs:
    """What was assessed: the files, where notes and sound come from, and the span that was rated.

    Parameters
    ----------
    sources
    bounds_sec : (K, 2) windows
    loss_of : transcriber by which it was found what transcription takes from the ratings, where it was
    """
    midi, audio, score = sources.midi, sources.audio, sources.score
    described, transcription = sources.description, sources.transcription
    return Inputs(
        notes=sources.performance.origin,
        sound="recorded" if audio.given else "rendered",
        audio=InputFile(
            name=_name(audio.path or midi.path),
            sha256=str(audio.sha256 or midi.sha256),
            origin="given" if audio.given else "derived",
            duration_sec=described.duration_sec,
            flags=described.flags if audio.given else (),
        ),
        midi=InputFile(
            name=_name(midi.path or audio.path),
            sha256=str(midi.sha256 or audio.sha256),
            origin="given" if midi.given else "derived",
            duration_sec=sources.performance.duration_sec,
        ),
        transcriber=None if transcription is None else transcription.transcriber,
        transcription_loss=loss_of if sources.performance.origin == "transcribed" else None,
        transcription_sha256=None if transcription is None else transcription.sha256,
        score=None
        if score is None
        else InputFile(
            name=_name(score.path),
            sha256=str(score.sha256),
            origin="given" if sources.search is None else "found",
        ),
        score_search=None if sources.search is None else score_search(sources.search),
        recording=None if sources.quality is None else _recording_report(sources.quality),
        music=Music(start_sec=float(bounds_sec.min()), end_sec=float(bounds_sec.max())),
        synchrony=None
        if sources.synchrony is None
        else Synchrony(
            offset_sec=sources.synchrony.offset_sec,
            drift_ppm=1e6 * sources.synchrony.drift,
            residual_sec=sources.synchrony.residual_sec,
        ),
    )


def _no_score(sources: Sources) -> str:
    return NO_SCORE if sources.search is None else sources.search.reason


def score_search(found: FoundScore) -> ScoreSearch:
    """How a score was sought, for the file."""
    file = None if found.path is None else found.path.relative_to(found.folder).as_posix()
    return ScoreSearch(
        folder=_name(found.folder.resolve()) or "/",
        key=found.key,
        n_scores=found.n_scores,
        file=file,
        alike=tuple(path.relative_to(found.folder).as_posix() for path in found.alike),
        reason=found.reason or None,
    )


def _name(path: Path | None) -> str:
    if path is None:
        return "unnamed"
    return path.name.encode(errors="replace").decode()  # a name may hold bytes that are no text


def _recording_report(quality: RecordingQuality) -> RecordingReport:
    tuning, pianism = quality.measures.tuning, quality.measures.pianism
    return RecordingReport(
        warnings=quality.warnings,
        is_cut=quality.music is not None and quality.music.sentence is not None,
        piano=None if pianism is None else round(float(pianism), 3),
        a4_hz=round(float(tuning.a4_hz), 1) if tuning.is_clear else None,
        not_rated=dict(quality.abstained),
    )
