"""Pages in a browser, as people have them: what they say and ask for, and whether everyone can use them.

A test of a new page:

    def test_the_new_page_is_clean(open_page, tmp_path):
        write_new_page(tmp_path / "new.html")
        opened = open_page(tmp_path / "new.html")
        opened.page.get_by_role("button", name="Play").click()
        assert_clean(opened)
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Final, Literal

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Route

BROWSERS: Final = ("chromium", "chromium-browser", "google-chrome", "chrome")

DESKTOP: Final = (1200, 900)
PHONE: Final = (360, 740)
"""Width and height of the window, in CSS pixels."""

GRAVE: Final = ("serious", "critical")
"""Impacts of axe-core that no page may have."""

Look = tuple[Literal["light", "dark"], tuple[int, int]]
"""Colour scheme and window."""

LIGHT: Final[Look] = ("light", DESKTOP)
ON_PHONE: Final[Look] = ("light", PHONE)
LOOKS: Final[tuple[Look, ...]] = (LIGHT, ("dark", DESKTOP), ON_PHONE)
"""Those in which a page is examined."""

_WIDTHS: Final = "() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]"

_UNSEEN: Final = """const unseen = (one) => {
  for (let at = one; at; at = at.parentElement) if (getComputedStyle(at).clipPath !== "none") return true;
  return false;
};"""
"""Whether an element is there for screen readers only."""

_OVERLAPS: Final = (
    f"""() => {{{_UNSEEN}"""
    + """
  const apart = ".timeline, .wide, .skip, svg, footer, script, style, select";
  const left = (one) => one.closest(apart) || unseen(one);
  const seen = [...document.querySelectorAll(".gutter text")]
    .map((one) => ({ node: one.firstChild, box: one.getBoundingClientRect() }));
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode;
    if (!node.data.trim() || left(node.parentElement) || !node.parentElement.checkVisibility()) continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    for (const box of range.getClientRects()) if (box.width > 2 && box.height > 2) seen.push({ node, box });
  }
  seen.sort((a, b) => a.box.top - b.box.top);
  const found = [];
  seen.forEach((one, k) => {
    for (let m = k + 1; m < seen.length && seen[m].box.top < one.box.bottom - 3; m++) {
      const other = seen[m];
      const across = Math.min(one.box.right, other.box.right) - Math.max(one.box.left, other.box.left);
      const down = Math.min(one.box.bottom, other.box.bottom) - Math.max(one.box.top, other.box.top);
      if (one.node !== other.node && across > 2 && down > 3) {
        found.push(`${one.node.data.trim().slice(0, 40)} / ${other.node.data.trim().slice(0, 40)}`);
      }
    }
  });
  return found;
}"""
)
"""Texts that lie upon each other; of those in pictures, the names of lanes and their marks."""

_CUT_OFF: Final = (
    f"""() => {{{_UNSEEN}"""
    + """
  return [...document.querySelectorAll("body *:not(svg *)")]
  .filter((one) => one.checkVisibility() && getComputedStyle(one).overflowX === "hidden")
  .filter((one) => !unseen(one) && one.scrollWidth > one.clientWidth + 1)
  .map((one) => one.textContent.trim().slice(0, 60));
}"""
)
"""Texts whose end is hidden."""

_FAINT: Final = """(least) => {
  const numbers = (text) => (text.match(/[\\d.]+/g) ?? []).map(Number);
  const light = (rgb) => rgb.slice(0, 3).map((v) => v / 255)
    .map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
    .reduce((sum, v, k) => sum + v * [0.2126, 0.7152, 0.0722][k], 0);
  const sample = document.body.appendChild(document.createElement("i"));
  sample.style.backgroundColor = "Canvas";
  const canvas = numbers(getComputedStyle(sample).backgroundColor);
  sample.remove();
  const behind = (one) => {
    const previous = one.previousElementSibling;
    const under = previous?.tagName === "circle" ? getComputedStyle(previous).fill : "none";
    if (under !== "none") return numbers(under);
    for (let at = one; at; at = at.parentElement) {
      const colour = numbers(getComputedStyle(at).backgroundColor);
      if (colour.length === 3 || colour[3] > 0.99) return colour;
    }
    return canvas;
  };
  const found = new Set();
  for (const one of document.querySelectorAll("svg text")) {
    if (!one.checkVisibility() || !one.textContent.trim()) continue;
    const [a, b] = [light(numbers(getComputedStyle(one).fill)), light(behind(one))].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < least) found.add(`${one.getAttribute("class")}: ${ratio.toFixed(1)}`);
  }
  return [...found];
}"""
"""Texts of pictures that are too faint; axe-core looks at those outside pictures only."""

READABLE_CONTRAST: Final = 4.5
"""Least contrast of text by WCAG 2.2, 1.4.3."""


@dataclass(frozen=True, eq=False)
class Opened:
    """A page in the browser, and what it did.

    Attributes
    ----------
    page
    path : the file
    console : warnings and errors of the console, uncaught errors, and dialogs
    requests : every URL that was asked for, but data inside the page
    """

    page: Page
    path: Path
    console: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)


def chromium() -> Path | None:
    """A Chromium of this machine, or None."""
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    return None if found is None else Path(found)


def opened_page(
    browser: Browser, path: Path, *, size: tuple[int, int] = DESKTOP, dark: bool = False, setup: str = ""
) -> Opened:
    """A file in a window of its own, without a network.

    Parameters
    ----------
    browser
    path : HTML
    size : width and height, CSS pixels
    dark : whether the reader prefers a dark page
    setup : script that runs before its own
    """
    width, height = size
    context = browser.new_context(
        viewport={"width": width, "height": height}, color_scheme="dark" if dark else "light"
    )
    if setup:
        context.add_init_script(setup)
    opened = Opened(context.new_page(), path)
    _listen(opened)
    opened.page.goto(path.resolve().as_uri())
    return opened


def _listen(opened: Opened) -> None:
    page, console = opened.page, opened.console

    def answer(route: Route) -> None:
        opened.requests.append(route.request.url)
        (route.continue_ if route.request.url in allowed_urls(opened.path) else route.abort)()

    def dismiss(dialog: Any) -> None:
        console.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    page.on("console", lambda said: console.append(said.text) if said.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: console.append(str(error)))
    page.on("dialog", dismiss)
    page.on("popup", lambda other: console.append(f"window: {other.url}"))
    page.on("websocket", lambda socket: opened.requests.append(socket.url))
    page.context.route("**/*", answer)


def allowed_urls(path: Path) -> tuple[str, ...]:
    """The page itself, and the sound beside it."""
    return path.resolve().as_uri(), path.resolve().with_suffix(".webm").as_uri()


def assert_clean(opened: Opened, looks: Sequence[Look] = LOOKS) -> None:
    """No fault on the console, no request but for the file, and all can use it, in every look.

    That is: light and dark, on a desk and on a phone, axe-core finds nothing serious, nothing is wider than
    the window, no text lies upon another, is cut off, or is too faint.
    """
    page, found = opened.page, []
    for scheme, (width, height) in looks:
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size({"width": width, "height": height})
        faults = [*grave_faults(page), *faint_texts(page)]
        if scheme == "light":  # the colours move nothing
            faults += misfits(page)
        found += [f"{scheme}, {width} pixels: {fault}" for fault in faults]
    assert not found, "\n".join(found)
    assert_quiet(opened)


def assert_quiet(opened: Opened) -> None:
    """No fault on the console, and no request but for the file itself."""
    assert not opened.console, "\n".join(opened.console)
    outside = set(opened.requests) - set(allowed_urls(opened.path))
    assert not outside, sorted(outside)


def misfits(page: Page) -> list[str]:
    """What is wider than the window, lies upon another text, or is cut off."""
    needed, has = page.evaluate(_WIDTHS)
    wide = [f"the page is {needed} wide"] if needed > has else []
    return [
        *wide,
        *(f"overlap: {text}" for text in page.evaluate(_OVERLAPS)),
        *(f"cut off: {text}" for text in page.evaluate(_CUT_OFF)),
    ]


def faint_texts(page: Page) -> list[str]:
    """Texts of pictures with too little contrast."""
    return [f"faint: {text}" for text in page.evaluate(_FAINT, READABLE_CONTRAST)]


def grave_faults(page: Page) -> list[str]:
    """Faults of accessibility that axe-core calls serious or critical: rule, what it says, where.

    Frames are left out: a report in a frame has an origin of its own, which axe-core cannot speak to; reports
    are examined as files.
    """
    options = {"resultTypes": ["violations"], "iframes": False}
    found = _axe().run(page, options=options).response["violations"]
    return [
        f"{one['id']}: {one['help']} ({_targets(one['nodes'])})" for one in found if one["impact"] in GRAVE
    ]


def _targets(nodes: Iterable[dict[str, Any]]) -> str:
    return "; ".join(str(node["target"]) for node in nodes)


@cache
def _axe() -> Axe:
    return Axe()
