"""Recording in the web application, with a microphone that plays a file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile
from playwright.sync_api import Browser, Page
from scipy.signal import correlate

from browsing import ON_PHONE, chromium
from served_pages import assert_fine, assert_silent, serving, shown_page
from tocco.audio.processing import stream_audio
from tocco.units import SAMPLE_RATE_HZ, FloatArray
from web_example import PRELUDE, served, settings

PLAYED_SEC = 40.0

MICROPHONE = ("--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream")


def samples(path: Path) -> FloatArray:
    return np.concatenate(list(stream_audio(path)))


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the microphone hears: the beginning of the bundled prelude."""
    path = tmp_path_factory.mktemp("microphone") / "played.wav"
    heard = samples(PRELUDE / "prelude_fluent.webm")[: round(PLAYED_SEC * SAMPLE_RATE_HZ)]
    soundfile.write(path, heard, SAMPLE_RATE_HZ, subtype="PCM_16")
    return path


@pytest.fixture(scope="module")
def listening(played: Path, browser: Browser) -> Iterator[Browser]:
    """A browser whose microphone plays a file; nobody has to allow it."""
    args = [*MICROPHONE, f"--use-file-for-fake-audio-capture={played}%noloop"]
    started = browser.browser_type.launch(executable_path=chromium(), args=args)
    yield started
    started.close()


def record(page: Page, clock: str) -> None:
    """Record until the clock shows this."""
    page.get_by_role("button", name="Record").click()
    page.get_by_text("Recording", exact=True).wait_for()
    page.locator("#recorder-clock", has_text=clock).wait_for(timeout=120_000)
    page.get_by_role("button", name="Stop").click()
    page.get_by_text("recording", exact=True).wait_for()


def test_a_recording_is_what_the_microphone_heard(listening: Browser, played: Path, tmp_path: Path) -> None:
    with serving(settings(tmp_path)) as address:
        shown = shown_page(listening, address)
        page = shown.page
        record(page, "0:04")
        assert page.get_by_label("Listen to Recording").evaluate("(one) => one.src.startsWith('blob:')")
        assert_fine(shown, (ON_PHONE,))
        page.get_by_role("button", name="Assess").click()
        page.locator("iframe").wait_for()
        assert_silent(shown)
        page.context.close()
    (stored,) = (tmp_path / "takes").glob("*/recording.webm")
    heard, source = samples(stored), samples(played)
    assert 3.5 < len(heard) / SAMPLE_RATE_HZ < 15.0
    middle = heard[SAMPLE_RATE_HZ : 3 * SAMPLE_RATE_HZ]
    at = int(correlate(source, middle, mode="valid", method="fft").argmax())
    found = source[at : at + len(middle)]
    assert np.corrcoef(middle, found)[0, 1] > 0.95  # no suppression of noise, no automatic level


def test_a_recording_can_be_discarded_and_the_page_says_what_it_does(
    listening: Browser, tmp_path: Path
) -> None:
    with serving(settings(tmp_path)) as address:
        shown = shown_page(listening, address)
        page = shown.page
        page.get_by_role("button", name="Record").click()
        page.get_by_text("The level is good.").wait_for()
        assert page.locator("#level").evaluate("(one) => one.value") > 0.0
        assert page.get_by_role("button", name="Assess").is_disabled()
        assert_fine(shown)
        page.get_by_role("button", name="Discard").click()
        assert page.locator("#recorder").is_hidden()
        assert page.locator("#files li").count() == 0
        assert page.get_by_role("button", name="Record").is_enabled()
        assert_silent(shown)
        page.context.close()
    assert list((tmp_path / "uploads").iterdir()) == []


def test_a_microphone_that_may_not_be_used_is_said(browser: Browser, tmp_path: Path) -> None:
    with serving(settings(tmp_path)) as address:
        shown = shown_page(browser, address)
        shown.page.get_by_role("button", name="Record").click()
        problem = shown.page.locator(".problem:visible", has_text="microphone: ")
        problem.wait_for()
        assert "Next: " in (problem.text_content() or "")
        assert shown.page.get_by_role("button", name="Record").is_enabled()
        shown.page.context.close()


@pytest.mark.slow
def test_from_the_microphone_to_the_report(listening: Browser, tmp_path: Path) -> None:
    with served(tmp_path, "--scores", str(PRELUDE)) as server:
        shown = shown_page(listening, server.address)
        page = shown.page
        record(page, "0:35")
        page.get_by_role("button", name="Assess").click()
        page.get_by_text("Finding the notes in the recording").first.wait_for()
        report = page.frame_locator("iframe")
        report.get_by_text("beside the score prelude.musicxml").first.wait_for(timeout=900_000)
        assert_silent(shown)
        shown.go("/history").get_by_role("heading", name="prelude").wait_for()
        page.context.close()
