"""Lay the marks of a person or of a marking scheme beside the ratings of an assessment."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from tocco.errors import MismatchError
from tocco.inference.assessment import Assessment, Rating
from tocco.inference.evidence import BundleIdentity
from tocco.inference.marks import MarkScale, PersonalMark, PersonalMarks
from tocco.marking.calibration import FittedMap, PersonalCalibration, to_bytes
from tocco.marking.maps import MarkMap
from tocco.marking.scheme import MarkingScheme
from tocco.marking.scheme_marks import DISCLAIMER, scheme_marks
from tocco.marking.table import AGGREGATE

_NOTES: Final = {"keys": "notes of the keys", "transcribed": "transcribed notes"}


@dataclass(frozen=True)
class Marking:
    """What is asked for beside the ratings.

    Attributes
    ----------
    calibration : to one person; None where that is not asked for
    scheme : of an examination board, or of a user; None where that is not asked for
    """

    calibration: PersonalCalibration | None = None
    scheme: MarkingScheme | None = None

    def check(self, bundle: BundleIdentity) -> None:
        """Refuse a calibration that was made for another bundle.

        Raises
        ------
        MismatchError
        """
        if self.calibration is None or self.calibration.bundle.sha256 == bundle.sha256:
            return
        made_for = self.calibration.bundle
        raise MismatchError(
            f"personal calibration {self.calibration.name}",
            f"was made for another bundle ({_named(made_for)}, not {_named(bundle)})",
            next_step="assess the marked performances with this bundle, and run `tocco calibrate` again",
        )

    def __call__(self, assessment: Assessment) -> Assessment:
        """The assessment with the marks that are asked for, and without others.

        Raises
        ------
        MismatchError
            As of `check`.
        """
        self.check(assessment.bundle)
        personal = None if self.calibration is None else personal_marks(assessment, self.calibration)
        scheme = None if self.scheme is None else scheme_marks(assessment, self.scheme)
        return assessment.model_copy(update={"personal": personal, "marking_scheme": scheme})

    def beside(self, assessment: Assessment) -> Assessment:
        """The assessment with the marks that are asked for, and those that it has already.

        Raises
        ------
        MismatchError
            As of `check`.
        """
        marked = self(assessment)
        return marked.model_copy(
            update={
                "personal": marked.personal or assessment.personal,
                "marking_scheme": marked.marking_scheme or assessment.marking_scheme,
            }
        )

    def said(self, *, has_files: bool) -> list[str]:
        """What a table of several performances says of the marks, which it does not show."""
        where = "in each JSON and report" if has_files else "not shown here; give -o for them"
        lines = []
        if self.calibration is not None:
            lines += [f"Marks as of {self.calibration.name}: {where}; the table has the default ratings"]
            lines += [f"{sentence}." for sentence in self.calibration.sentences]
        if self.scheme is not None:
            lines.append(f"{self.scheme.title}: {where}. {DISCLAIMER.format(board=self.scheme.board)}.")
        return lines


def _named(bundle: BundleIdentity) -> str:
    return f"{bundle.name} {bundle.version} {bundle.sha256[:8]}"


def personal_marks(assessment: Assessment, calibration: PersonalCalibration) -> PersonalMarks:
    """The ratings as one person would mark them.

    Parameters
    ----------
    assessment : by the bundle that the calibration was made for
    calibration
    """
    marks = {
        name: _mark(assessment.ratings, fitted, calibration.scales.get(name))
        for name, fitted in calibration.maps.items()
        if name in assessment.ratings
    }
    whole = calibration.aggregate
    names = (
        [] if whole is None else [name for name in whole.dimensions if _is_rated(assessment.ratings, name)]
    )
    used = None if whole is None else whole.as_map().among(names)
    return PersonalMarks(
        name=calibration.name,
        sha256=hashlib.sha256(to_bytes(calibration)).hexdigest(),
        marks=marks,
        aggregate=None
        if whole is None
        else _mark(assessment.ratings, whole, calibration.scales.get(AGGREGATE)),
        weights={} if used is None else dict(zip(used.names, used.weights.tolist(), strict=True)),
        sentences=(*calibration.sentences, *_other_notes(assessment, calibration)),
    )


def _mark(ratings: Mapping[str, Rating], fitted: FittedMap, scale: MarkScale | None) -> PersonalMark:
    there = [name for name in fitted.dimensions if _is_rated(ratings, name)]
    used = fitted.as_map().among(there)
    if used is None:
        return PersonalMark(points=None, reason=_reason(ratings, fitted))
    points, (low, high) = _points(ratings, used)
    return PersonalMark(
        points=points,
        points_90=(low, high),
        mark=None if scale is None else scale.mark(points),
        mark_90=None if scale is None else (scale.mark(low), scale.mark(high)),
        scale=scale,
        is_default=fitted.contradicted,
    )


def _points(ratings: Mapping[str, Rating], used: MarkMap) -> tuple[float, tuple[float, float]]:
    """The mark in points, with its interval."""
    rated = [ratings[name] for name in used.names]
    value = np.array([[float(one.value or 0.0) for one in rated]])
    ends = [one.interval_90 or (float(one.value or 0.0),) * 2 for one in rated]
    low, high = used.interval(value, *(np.array([[pair[end] for pair in ends]]) for end in (0, 1)))
    return float(used.predict(value)[0]), (float(low[0]), float(high[0]))


def _reason(ratings: Mapping[str, Rating], fitted: FittedMap) -> str:
    missing = [name for name in fitted.dimensions if not _is_rated(ratings, name)]
    reasons = [ratings[name].reason for name in missing if name in ratings]
    why = next((reason for reason in reasons if reason is not None), "it was not asked for")
    return f"{', '.join(name.replace('_', ' ') for name in missing)} not rated: {why}"


def _is_rated(ratings: Mapping[str, Rating], name: str) -> bool:
    return name in ratings and ratings[name].value is not None


def _other_notes(assessment: Assessment, calibration: PersonalCalibration) -> tuple[str, ...]:
    """That ratings of the same kind of notes were not among those that were marked."""
    here, marked = assessment.inputs.notes, calibration.source.notes
    if marked.get(here, 0):
        return ()
    there = " and ".join(_NOTES[kind] for kind in marked)
    return (f"Fitted to ratings of {there}, while this performance has {_NOTES[here]}: the map may not hold",)
