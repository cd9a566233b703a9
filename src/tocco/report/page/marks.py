"""Marks of a person and of a marking scheme: a section of the document each."""

from __future__ import annotations

from markupsafe import Markup

from tocco.inference.assessment import Assessment
from tocco.report.marks_wording import personal_rows, personal_scale, personal_weights, scheme_rows
from tocco.report.page.frame import template


def marks_sections(assessment: Assessment) -> Markup:
    """The sections of what was asked for beside the ratings; empty where nothing was."""
    personal, scheme = assessment.personal, assessment.marking_scheme
    if personal is None and scheme is None:
        return Markup()
    text = template("marks.html.j2").render(
        personal=personal,
        personal_rows=[] if personal is None else personal_rows(assessment, personal),
        scale="" if personal is None else personal_scale(personal),
        weights="" if personal is None else personal_weights(personal),
        scheme=scheme,
        scheme_rows=[] if scheme is None else scheme_rows(scheme),
    )
    return Markup(text)
