"""What the checks of HTML files find, on small ones that have one fault each."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from browsing import Opened, assert_clean, assert_quiet

GOOD = """<!doctype html><html lang="en"><head><meta charset="utf-8">
<title>a</title><meta name="viewport" content="width=device-width"></head>
<body><main><h1>a title</h1>%s</main></body></html>"""

SEEN = {
    "<button></button>": "button-name",
    "<p style='color: #999'>pale</p>": "color-contrast",
    "<div style='width: 500px'>wide</div>": "360 pixels: the page is",
    "<p>one text</p><p style='margin-top: -2em'>another text</p>": "overlap: one text / another text",
    "<p style='width: 2em; overflow: hidden; white-space: nowrap'>too long</p>": "cut off: too long",
    "<svg width='99' height='20'><text y='15' fill='#aaa' class='pale'>a</text></svg>": "faint: pale: 2.3",
}
SAID = {
    "<script>console.error('no such note')</script>": "no such note",
    "<script>console.warn('an old format')</script>": "an old format",
    "<script>alert('ran')</script>": "dialog: ran",
    "<script>missing()</script>": "missing is not defined",
    "<img alt='' src='https://example.org/a.png'>": "ERR_FAILED",
}
"""What is put into a page -> what is said of it."""


def opened(open_page: Callable[..., Opened], folder: Path, content: str) -> Opened:
    path = folder / "page.html"
    path.write_text(GOOD % content, encoding="utf-8")
    return open_page(path)


def test_a_page_without_faults_passes(open_page: Callable[..., Opened], tmp_path: Path) -> None:
    assert_clean(opened(open_page, tmp_path, "<p>text</p>"))


@pytest.mark.parametrize("faults", [SEEN, SAID], ids=["seen", "said"])
def test_every_fault_is_found(
    open_page: Callable[..., Opened], tmp_path: Path, faults: dict[str, str]
) -> None:
    made = opened(open_page, tmp_path, "".join(faults))
    with pytest.raises(AssertionError) as caught:
        assert_clean(made)
    assert [said for said in faults.values() if said not in str(caught.value)] == []


def test_a_request_to_a_network_is_found(open_page: Callable[..., Opened], tmp_path: Path) -> None:
    script = "fetch('https://example.org/').catch(() => { window.isRefused = true; });"
    made = opened(open_page, tmp_path, f"<script>{script}</script>")
    made.page.wait_for_function("() => window.isRefused")
    made.console.clear()  # the browser says so too
    with pytest.raises(AssertionError, match=r"https://example\.org/"):
        assert_quiet(made)
