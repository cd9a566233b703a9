"""The web application as a pianist uses it: from a file or a microphone to the report, and back to it."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page

from browsing import DESKTOP, LOOKS, ON_PHONE, PHONE
from served_pages import OpenWeb, Shown, assert_fine, assert_silent, drop_files, serving
from web_example import MINUET, SECRET, served, settings

PROBLEM = ".problem:visible"


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    """A server whose takes are assessed at once, by a double."""
    with serving(settings(tmp_path / "library", scores=MINUET)) as found:
        yield found


def named(shown: Shown, name: str, piece: str = "", day: str = "") -> None:
    """Make a take of the minuet's MIDI."""
    page = shown.go("/")
    page.locator("#choose").set_input_files(MINUET / "minuet.mid")
    page.get_by_label("Name of the take").fill(name)
    page.get_by_label("Piece", exact=True).fill(piece)
    if day:
        page.get_by_label("Played on").fill(day)
    page.get_by_role("button", name="Assess").click()
    page.wait_for_url("**/takes/*")


def test_from_a_dropped_file_to_the_report(web: OpenWeb, tmp_path: Path) -> None:
    with served(tmp_path) as server:
        shown = web(server.address)
        page = shown.page
        drop_files(page, "#drop", [MINUET / f"minuet.{kind}" for kind in ("flac", "mid", "musicxml")])
        page.get_by_text("The score is minuet.musicxml.").wait_for()
        assert page.get_by_role("list", name="Files of this take").locator("li").count() == 3
        page.get_by_role("button", name="Assess").click()
        page.get_by_role("heading", name="In progress").wait_for()
        report = page.frame_locator("iframe")
        report.get_by_role("heading", name="minuet.flac").wait_for(timeout=300_000)
        assert "66.2 of 100" in (report.locator("header").text_content() or "")
        assert report.get_by_role("heading", name="What to work on first").is_visible()
        report.get_by_role("button", name="Play", exact=True).click()
        report.get_by_role("button", name="Pause").wait_for()
        assert_silent(shown)
        with page.expect_download() as download:
            page.get_by_role("link", name="Export").click()
        content = Path(download.value.path()).read_bytes()
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            names = set(archive.namelist())
        assert {"minuet.json", "minuet.html", "minuet.mid", "minuet.png"} <= names
        page.get_by_role("button", name="Delete").click()
        page.get_by_role("dialog").get_by_role("button", name="Delete").click()
        page.get_by_text(re.compile(r"The take minuet is deleted: \d+ files")).wait_for()
        assert list((tmp_path / "takes").iterdir()) == []


def test_the_report_reaches_nothing_of_the_application(web: OpenWeb, address: str) -> None:
    shown = web(address)
    named(shown, "a")
    shown.page.locator("iframe").wait_for()
    frame = shown.page.frames[1]
    assert frame.evaluate("() => self.origin") == "null"
    for script in (
        "() => fetch('/api/takes').then(() => 'reached', () => 'refused')",
        "() => { try { return String(parent.document.title) } catch { return 'refused' } }",
        "() => { try { return document.cookie + 'reached' } catch { return 'refused' } }",
        "() => { try { return localStorage.length } catch { return 'refused' } }",
    ):
        assert frame.evaluate(script) == "refused"


def test_every_page_is_clean(web: OpenWeb, address: str) -> None:
    """What has colours of its own is examined in every look, the rest where texts fit least."""
    shown = web(address)
    page = shown.page
    page.locator("#choose").set_input_files([MINUET / "minuet.mid", MINUET / "minuet.musicxml"])
    page.get_by_role("button", name="It is the score").wait_for()
    assert_fine(shown)
    for name, piece, day in [
        ("refuse", "", ""),
        ("monday", "Minuet", "2026-02-02"),
        ("friday, slower and with the repeats", "Minuet", "2026-02-06"),
    ]:
        named(shown, name, piece, day)
        page.locator("iframe, .problem").first.wait_for()
        assert_fine(shown, LOOKS if name == "monday" else (ON_PHONE,))
    page.get_by_role("button", name="Rename").click()
    assert_fine(shown, (ON_PHONE,))
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Delete").click()
    assert_fine(shown, (("dark", DESKTOP),))
    shown.go("/history").get_by_text("Each dimension").click()
    assert_fine(shown)
    page.get_by_label("Choose monday").check()
    page.get_by_label("Choose friday").check()
    page.get_by_role("button", name="Compare").click()
    page.locator("iframe").wait_for()
    assert_fine(shown, (ON_PHONE,))
    named(shown, "wait")
    page.locator("#amount", has_text="1 of 4 windows").wait_for()
    assert_fine(shown)
    page.get_by_role("button", name="Cancel").click()
    page.get_by_role("heading", name="Cancelled").wait_for()
    assert_fine(shown, (ON_PHONE,))
    shown.go("/")
    assert_fine(shown, (ON_PHONE,))


def test_the_login_is_clean_and_leads_on(web: OpenWeb, tmp_path: Path) -> None:
    with serving(settings(tmp_path, secret=SECRET)) as address:
        shown = web(address, "/history")
        page = shown.page
        assert_fine(shown)
        page.get_by_label("Secret").fill("not the secret")
        page.keyboard.press("Enter")
        page.get_by_text("That is not the secret.").wait_for()
        shown.console.clear()  # the browser says that the answer was 403
        page.get_by_label("Secret").fill(SECRET)
        page.keyboard.press("Enter")
        page.get_by_role("heading", name="Pieces and takes").wait_for()
        page.get_by_role("button", name="Log out").click()
        page.get_by_label("Secret").wait_for()
        assert_silent(shown)


def focused(page: Page) -> str:
    return page.evaluate(
        "() => document.activeElement.ariaLabel ?? document.activeElement.labels?.[0]?.textContent.trim()"
        " ?? document.activeElement.textContent.trim()"
    )


def tab_to(page: Page, name: str) -> None:
    for _ in range(40):
        page.keyboard.press("Tab")
        if focused(page) == name:
            outline = page.evaluate("() => getComputedStyle(document.activeElement).outlineStyle")
            assert outline != "none", f"{name} does not show that it has the focus"
            return
    pytest.fail(f"Tab does not reach {name}")


def test_all_of_it_by_keyboard_alone(web: OpenWeb, address: str) -> None:
    shown = web(address)
    page = shown.page
    page.on("filechooser", lambda chooser: chooser.set_files(MINUET / "minuet.mid"))
    page.keyboard.press("Tab")
    assert focused(page) == "Skip to the content"
    for number, name in enumerate(["monday", "friday"]):
        tab_to(page, "Choose files")
        page.keyboard.press("Enter")
        page.get_by_role("button", name="It is the score").wait_for()
        tab_to(page, "Piece")
        page.keyboard.type("Minuet")
        tab_to(page, "Name of the take")
        page.keyboard.type(name)
        tab_to(page, "Assess")
        page.keyboard.press("Enter")
        page.locator("iframe").wait_for()
        tab_to(page, "New take" if number == 0 else "Pieces and takes")
        page.keyboard.press("Enter")
        page.wait_for_url(f"{address}{'/' if number == 0 else '/history'}")
    tab_to(page, "Choose friday")
    page.keyboard.press("Space")
    tab_to(page, "Choose monday")
    page.keyboard.press("Space")
    assert page.get_by_text("2 takes chosen.").is_visible()
    tab_to(page, "Compare")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="monday and friday").wait_for()
    page.locator("iframe").wait_for()
    tab_to(page, "Delete")
    page.keyboard.press("Enter")
    assert page.get_by_role("dialog").is_visible()
    page.keyboard.press("Escape")
    assert focused(page) == "Delete"
    page.keyboard.press("Enter")
    tab_to(page, "Delete")
    page.keyboard.press("Enter")
    page.get_by_text("monday and friday is deleted").wait_for()
    assert_silent(shown)


def test_what_cannot_be_used_is_said_with_the_next_step(web: OpenWeb, address: str, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("bars 3 to 7 were good")
    (tmp_path / "score.pdf").write_bytes(b"%PDF-1.7 ...")
    shown = web(address)
    page = shown.page
    for name, said in [("notes.txt", "is not audio"), ("score.pdf", "is a picture of a score (PDF)")]:
        drop_files(page, "body", [tmp_path / name])
        page.locator(PROBLEM, has_text=f"{name}: {said}").wait_for()
        assert "Next: " in (page.locator(PROBLEM).text_content() or "")
        assert page.locator("#files li").count() == 0
        assert page.get_by_role("button", name="Assess").is_disabled()
    assert [said for said in shown.console if "415" not in said] == []


def test_a_midi_can_be_made_the_score_and_files_can_be_removed(web: OpenWeb, address: str) -> None:
    page = web(address).page
    drop_files(page, "#drop", [MINUET / "minuet.mid"])
    page.get_by_role("button", name="It is the score").click()
    page.get_by_text("The score is minuet.mid.").wait_for()
    assert page.get_by_role("button", name="Assess").is_disabled()  # a score without a performance
    page.get_by_role("button", name="It is the performance").click()
    page.get_by_role("button", name="It is the score").wait_for()
    assert page.get_by_role("button", name="Assess").is_enabled()
    page.get_by_role("button", name="Remove minuet.mid").click()
    assert page.get_by_role("button", name="Assess").is_disabled()


def test_a_score_is_chosen_from_the_folder(web: OpenWeb, address: str) -> None:
    page = web(address).page
    assert page.get_by_label("Score", exact=True).locator("option").all_text_contents() == [
        "Find it among the 1 score",
        "None",
        "minuet",
    ]
    page.locator("#choose").set_input_files(MINUET / "minuet.mid")
    page.get_by_label("Score", exact=True).select_option("minuet")
    page.get_by_role("button", name="Assess").click()
    page.get_by_text("minuet.mid; minuet.musicxml").wait_for()


def test_a_server_that_ends_is_said_and_its_return_noticed(web: OpenWeb, tmp_path: Path) -> None:
    with serving(settings(tmp_path)) as address:
        port = int(address.rsplit(":", 1)[1])
        shown = web(address)
        named(shown, "wait")
        shown.page.locator("#amount", has_text="1 of 4 windows").wait_for()
    problem = shown.page.locator(PROBLEM, has_text="tocco serve: does not answer.")
    problem.wait_for()
    with serving(settings(tmp_path), port=port):
        problem.wait_for(state="hidden")
        shown.page.get_by_role("button", name="Cancel").click()
        shown.page.get_by_role("heading", name="Cancelled").wait_for()


def test_on_a_phone_the_report_fills_the_screen(web: OpenWeb, address: str) -> None:
    shown = web(address, size=PHONE)
    named(shown, "a take with a long name that needs more than one line on a phone")
    frame = shown.page.locator("iframe")
    frame.wait_for()
    box = frame.bounding_box()
    assert box is not None
    assert box["width"] == PHONE[0]
    assert box["height"] > 0.85 * PHONE[1]
    assert_fine(shown, (ON_PHONE,))
