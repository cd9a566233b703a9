"""One browser for all tests here, and the pages that they open."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from browsing import Opened, chromium, opened_page
from reports import Reports
from served_pages import OpenWeb, shown_page


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Chromium without a window; it plays into a sink that nobody hears."""
    found = chromium()
    if found is None:
        pytest.skip("no Chromium")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(
            executable_path=found, args=["--autoplay-policy=no-user-gesture-required"]
        )
        yield started
        started.close()


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Callable[..., Opened]]:
    """Opens a file as `opened_page` does; closed at the end."""
    yield lambda path, **how: opened_page(browser, path, **how)
    for context in browser.contexts:
        context.close()


@pytest.fixture
def web(browser: Browser) -> Iterator[OpenWeb]:
    """Opens a page of the web application as `shown_page` does; closed at the end."""
    yield lambda address, path="/", **how: shown_page(browser, address, path, **how)
    for context in browser.contexts:
        context.close()


@pytest.fixture(scope="package")
def reports(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Reports:
    """Every report that is opened here, each made when it is first asked for."""
    return Reports(tmp_path_factory.mktemp("reports"))


@pytest.fixture
def example(reports: Reports) -> Path:
    """The report of the bundled example: recording, MIDI and score."""
    return reports.example
