"""Every kind of report: no fault, no network, and all can use it in every look."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from browsing import Opened, assert_clean, assert_quiet
from reports import HOSTILE_NAME, HOSTILE_TEXT, Reports

KINDS = (
    "example",
    "no_score",
    "abstention",
    pytest.param("struggling", marks=pytest.mark.render),
    "long",
    "hostile",
)


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_clean(open_page: Callable[..., Opened], reports: Reports, kind: str) -> None:
    assert_clean(open_page(getattr(reports, kind)))


def test_names_titles_and_words_are_only_text(open_page: Callable[..., Opened], reports: Reports) -> None:
    opened = open_page(reports.hostile)
    page = opened.page
    assert page.title() == f"{HOSTILE_NAME}.flac: assessment by tocco"
    assert page.get_by_role("heading", level=1).text_content() == f"{HOSTILE_NAME}.flac"
    assert page.locator("script").count() == 2
    assert page.locator("img, iframe, object, embed, base, form, a:not(.skip)").count() == 0
    assert HOSTILE_TEXT in (page.locator("#lanes").text_content() or "")
    page.get_by_role("slider", name="Position").evaluate(
        "(one) => { one.value = 4; one.dispatchEvent(new Event('input')); }"
    )
    assert f"bar 3{HOSTILE_TEXT}" in (page.locator("#position").text_content() or "")
    assert_quiet(opened)
