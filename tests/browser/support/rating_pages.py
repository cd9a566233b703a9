"""The rating page in a browser: a server that can be killed, raters in windows of their own."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from playwright.sync_api import Browser, Page

from browsing import DESKTOP, LOOKS, Look, faint_texts, grave_faults, misfits
from tocco.labelling.invitations import make_token
from tocco.labelling.project import Project, read_project
from tocco.labelling.raters import add_rater

READY: Final = ".dimension.chosen"
"""Once it is there, a take is shown."""


@dataclass
class Server:
    """`tocco serve` on a port of its own, which may be killed and started again.

    Attributes
    ----------
    library : whose folder `ratings` is a project
    port, process
    """

    library: Path
    port: int
    process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        """Without a slash at the end."""
        return f"http://localhost:{self.port}"

    @property
    def project(self) -> Project:
        """As it is on the disk."""
        return read_project(self.library / "ratings")

    def start(self) -> None:
        """Start it and wait until it answers."""
        command = [sys.executable, "-m", "tocco", "serve", "-o", str(self.library), "--port", str(self.port)]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
        until = time.monotonic() + 120.0
        while time.monotonic() < until:
            assert self.process.poll() is None, "tocco serve has ended"
            try:
                urllib.request.urlopen(f"{self.address}/static/app.css", timeout=5).close()
            except OSError:
                time.sleep(0.1)
            else:
                return
        raise AssertionError("tocco serve does not answer")

    def kill(self) -> None:
        """As if the power went."""
        assert self.process is not None
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def link(self, rater_id: str) -> str:
        """A new invitation."""
        project = self.project
        with project.open_store() as store:
            add_rater(store, rater_id)
            token = make_token(store, project.secret(), rater_id, valid_days=1.0)
        return f"{self.address}/join/{token}"

    def values(self, rater_id: str) -> dict[int, dict[str, float | None]]:
        """Position -> dimension -> the rating that stands, as it is on the disk."""
        from tocco.labelling.session import Session

        project = self.project
        with project.open_store() as store:
            session = Session(project, store, rater_id)
            found = {item.position: session.answers(item.position).ratings for item in session.items}
        return {
            position: {name: one.value for name, one in ratings.items()}
            for position, ratings in found.items()
            if ratings
        }


def free_port() -> int:
    """A port that nothing listens to now."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


@dataclass(eq=False)
class Window:
    """A rater at the page.

    Attributes
    ----------
    page
    console : warnings and errors, but for requests that fail
    outside : requests to anything but the server
    """

    page: Page
    console: list[str] = field(default_factory=list)
    outside: list[str] = field(default_factory=list)

    def open(self, address: str, ready: str = READY) -> None:
        """Go to a page, and wait for a part of it."""
        self.page.goto(address)
        self.page.wait_for_selector(ready)

    def press(self, *keys: str) -> None:
        """One key after another."""
        for key in keys:
            self.page.keyboard.press(key)

    def saved(self) -> None:
        """Wait until everything is said to be saved."""
        self.page.wait_for_selector('.saving[data-state="saved"]')

    def value(self, dimension: str) -> str:
        """What is shown beside a slider."""
        return self.page.locator(f'[data-dimension="{dimension}"] .value').inner_text()

    def wait_for_value(self, dimension: str, value: str) -> None:
        """Until this is shown beside a slider."""
        self.page.wait_for_function(
            "([one, value]) => document.querySelector(one).textContent === value",
            arg=[f"[data-dimension={dimension}] .value", value],
        )

    def position(self) -> int:
        """Of the take that is shown, from 0."""
        return int(self.page.locator("#rating").get_attribute("data-position") or -1)

    def wait_for_position(self, position: int) -> None:
        """Until this take is shown."""
        self.page.wait_for_selector(f'#rating[data-position="{position}"]')

    def second(self) -> float:
        """Of the playback."""
        return float(self.page.locator(".seek").first.input_value())

    def hear(self, until_sec: float) -> None:
        """Play by the space bar until a second is reached, and pause."""
        self.press("Space")
        self.page.wait_for_selector(".hearing.playing")
        self.page.wait_for_function(
            "(sec) => Number(document.querySelector('.seek').value) >= sec", arg=until_sec
        )
        if self.page.locator(".hearing.playing").count():
            self.press("Space")
        self.page.wait_for_selector(".hearing:not(.playing)")

    def heard(self) -> str:
        """What is said of how much was heard."""
        return self.page.locator(".heard-words").inner_text()


def window(browser: Browser, size: tuple[int, int] = DESKTOP) -> Window:
    """A browser of its own: nothing is shared with other windows."""
    context = browser.new_context(viewport={"width": size[0], "height": size[1]})
    return listening(context.new_page())


def listening(page: Page) -> Window:
    """A window that notes down what its page did."""
    made = Window(page)

    def said(message: Any) -> None:
        if message.type in ("error", "warning") and "Failed to load resource" not in message.text:
            made.console.append(message.text)

    page.on("console", said)
    page.on("pageerror", lambda error: made.console.append(str(error)))
    page.on(
        "request",
        lambda request: (
            None
            if request.url.startswith(("http://localhost:", "data:", "blob:"))
            else made.outside.append(request.url)
        ),
    )
    return made


def come_in(made: Window, server: Server, rater_id: str) -> Window:
    """Use an invitation, by keyboard."""
    made.page.goto(server.link(rater_id))
    made.page.get_by_role("button", name="Begin").focus()
    made.press("Enter")
    made.page.wait_for_selector(READY)
    return made


def assert_usable(made: Window, looks: Sequence[Look] = LOOKS) -> None:
    """Nothing on the console, no request elsewhere, and all can use it, in every look."""
    found = []
    for scheme, (width, height) in looks:
        made.page.emulate_media(color_scheme=scheme)
        made.page.set_viewport_size({"width": width, "height": height})
        faults = [*grave_faults(made.page), *faint_texts(made.page)]
        if scheme == "light":
            # On a phone the player lies over what is scrolled beneath it, on purpose.
            for player in made.page.locator(".controls").all():
                player.evaluate("(one) => { one.style.position = 'static'; }")
            faults += misfits(made.page)
        found += [f"{scheme}, {width} pixels: {fault}" for fault in faults]
    assert not found, "\n".join(found)
    assert (made.console, made.outside) == ([], [])
