"""Pages of the web application in a browser: with a server, and with nothing else to ask.

A test of a new page:

    def test_the_new_page_is_clean(web: OpenWeb, tmp_path: Path) -> None:
        with serving(settings(tmp_path)) as address:
            shown = web(address, "/new")
            shown.page.get_by_role("button", name="Rate").click()
            assert_fine(shown)
"""

from __future__ import annotations

import base64
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import uvicorn
from playwright.sync_api import Browser, Page

import worker_double
from browsing import DESKTOP, LOOKS, Look, faint_texts, grave_faults, misfits
from tocco.apps.web.app import create_app
from tocco.apps.web.settings import Settings

DROP: Final = """([selector, files]) => {
  const moved = new DataTransfer();
  for (const [name, content] of files) {
    moved.items.add(new File([Uint8Array.from(atob(content), (one) => one.charCodeAt(0))], name));
  }
  const event = new DragEvent("drop", { dataTransfer: moved, bubbles: true, cancelable: true });
  document.querySelector(selector).dispatchEvent(event);
}"""


@dataclass(frozen=True, eq=False)
class Shown:
    """A page of the application, and what it did.

    Attributes
    ----------
    page
    address : of the server
    console : warnings and errors of the console, uncaught errors, dialogs of the browser
    requests : every URL that was asked for, but data
    """

    page: Page
    address: str
    console: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def go(self, path: str) -> Page:
        """Open another page of the same server."""
        self.page.goto(self.address + path)
        return self.page


OpenWeb = Callable[..., Shown]
"""Called with the address of a server, a path, and `size` and `dark`."""


@contextmanager
def serving(
    settings: Settings, worker: Sequence[str] = worker_double.COMMAND, *, port: int = 0
) -> Iterator[str]:
    """The application in a thread of this process, by default on a free port; its address."""
    app = create_app(settings, worker)
    config = uvicorn.Config(app, host="127.0.0.1", port=port, log_level="error", ws="none")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive(), "the server did not start"
        port = server.servers[0].sockets[0].getsockname()[1]
        yield f"http://localhost:{port}"
    finally:
        server.should_exit = True
        thread.join()


def shown_page(
    browser: Browser, address: str, path: str = "/", *, size: tuple[int, int] = DESKTOP, dark: bool = False
) -> Shown:
    """A page in a window of its own; whatever is asked of another machine fails and is noted."""
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]},
        color_scheme="dark" if dark else "light",
        accept_downloads=True,
    )
    shown = Shown(context.new_page(), address)
    page = shown.page

    def note(said: Any) -> None:
        if said.type in ("error", "warning"):
            shown.console.append(said.text)

    page.on("console", note)
    page.on("pageerror", lambda error: shown.console.append(str(error)))
    page.on("request", lambda request: shown.requests.append(request.url))
    page.goto(address + path)
    return shown


def drop_files(page: Page, selector: str, paths: Sequence[Path]) -> None:
    """Drop files upon an element, as a hand does."""
    files = [[path.name, base64.b64encode(path.read_bytes()).decode()] for path in paths]
    page.evaluate(DROP, [selector, files])


def assert_fine(shown: Shown, looks: Sequence[Look] = LOOKS) -> None:
    """No fault on the console, no request elsewhere, and all can use the page, in every look."""
    page, found = shown.page, []
    for scheme, (width, height) in looks:
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size({"width": width, "height": height})
        faults = [*grave_faults(page), *faint_texts(page)]
        if scheme == "light":
            faults += misfits(page)
        found += [f"{scheme}, {width} pixels: {fault}" for fault in faults]
    assert not found, "\n".join(found)
    assert_silent(shown)


def assert_silent(shown: Shown) -> None:
    """No fault on the console, and no request of another machine."""
    assert not shown.console, "\n".join(shown.console)
    outside = {url for url in shown.requests if not url.startswith((shown.address + "/", "data:", "blob:"))}
    assert not outside, sorted(outside)
