"""Every kind of report: no fault, no network, and all can use it in every look."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from browsing import LOOKS, ON_PHONE, Look, Opened, assert_clean, assert_quiet
from reports import HOSTILE_NAME, HOSTILE_TEXT, Reports

KINDS = (
    ("example", LOOKS),
    ("no_score", (ON_PHONE,)),
    ("abstention", (ON_PHONE,)),
    pytest.param("struggling", LOOKS, marks=pytest.mark.render),
    ("long", (ON_PHONE,)),
    ("hostile", (ON_PHONE,)),
)
"""What has colours of its own is examined in every look, what has only other texts where they fit least."""


@pytest.mark.parametrize(("kind", "looks"), KINDS, ids=lambda value: value if isinstance(value, str) else "")
def test_it_is_clean(
    open_page: Callable[..., Opened], reports: Reports, kind: str, looks: Sequence[Look]
) -> None:
    assert_clean(open_page(getattr(reports, kind)), looks)


def test_names_titles_and_words_are_only_text(open_page: Callable[..., Opened], reports: Reports) -> None:
    opened = open_page(reports.hostile)
    page = opened.page
    assert page.title() == f"{HOSTILE_NAME}.flac: assessment by tocco"
    assert page.get_by_role("heading", level=1).text_content() == f"{HOSTILE_NAME}.flac"
    assert page.locator("script").count() == 2
    assert page.locator("img, iframe, object, embed, base, form, a:not([href^='#'])").count() == 0
    assert HOSTILE_TEXT in (page.locator("#lanes").text_content() or "")
    page.get_by_role("slider", name="Position").evaluate(
        "(one) => { one.value = 4; one.dispatchEvent(new Event('input')); }"
    )
    assert f"bar 3{HOSTILE_TEXT}" in (page.locator("#position").text_content() or "")
    assert_quiet(opened)
