"""Rating in a notebook: the same page and the same store as `tocco serve`."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final, Literal

import anywidget
import traitlets

from tocco.apps.notebook.bundle import bundle, modules, style
from tocco.apps.rating.materials import Materials, draw_here
from tocco.apps.rating.messages import read_sent
from tocco.apps.rating.rater_page import RaterPage
from tocco.errors import InputError, OutputError, ToccoError
from tocco.labelling.project import Project, read_project
from tocco.labelling.raters import add_rater, rater
from tocco.labelling.session import Progress

Mode = Literal["items", "pairs"]

_ANSWERS: Final = ("session", "item", "score", "feedback", "pair", "sound", "sound_of_pair", "save")
"""What the script may ask for."""


class RatingWidget(anywidget.AnyWidget):
    """A rater's page, to be shown as the last line of a cell.

    Every answer is in the store of the project when it is shown as saved; the widget of a later session goes
    on where this one was left.

    Parameters
    ----------
    project : one that was read, or its folder
    rater_id : added to the project if it is not there
    mode : "items" to rate takes, "pairs" to choose the better one of two

    Raises
    ------
    InputError
        The folder is no project, the id cannot be part of a file name, or the rater is not active.

    Examples
    --------
    >>> widget = RatingWidget("my_ratings", "anna")  # doctest: +SKIP
    """

    _esm = bundle(modules(), "notebook.js") + "\nexport default { render };\n"
    _css = style()
    mode = traitlets.Unicode("items").tag(sync=True)

    def __init__(self, project: Project | Path | str, rater_id: str, mode: Mode = "items") -> None:
        super().__init__(mode=mode)
        self.project = project if isinstance(project, Project) else read_project(Path(project))
        self.store = self.project.open_store()
        try:
            rater(self.store, rater_id)
        except InputError:
            add_rater(self.store, rater_id, by=rater_id)
        self.rater_id = rater_id
        self._materials = Materials(self.project, draw_here)
        self._page()  # refuses a rater who is not active, before anything is shown
        self.on_msg(self._asked)

    def progress(self) -> Progress:
        """How far the rater is."""
        return self._page().session.progress()

    def close(self) -> None:
        """End the widget and close the store; what was given stays."""
        super().close()
        self._materials.close()
        self.store.close()

    def answer(self, message: dict[str, Any]) -> tuple[dict[str, Any], list[bytes]]:
        """What is answered to a message of the script, and the sound that goes with it.

        Returns
        -------
        "id" of the message and one of "answer"; "refused", why it will never be accepted; "trouble", why it
        cannot be done now.
        """
        reply: dict[str, Any] = {"id": message.get("id")}
        what, args = message.get("ask"), message.get("args", [])
        try:
            if what not in _ANSWERS or not isinstance(args, list):
                raise InputError("message", f"asks for {what!r}", allowed=", ".join(_ANSWERS))
            answer = self._answer(str(what), args)
        except OutputError as error:
            return {**reply, "trouble": str(error)}, []
        except (ToccoError, TypeError) as error:
            return {**reply, "refused": str(error)}, []
        if isinstance(answer, Path):
            return {**reply, "answer": None}, [answer.read_bytes()]
        return {**reply, "answer": answer}, []

    def _answer(self, what: str, args: list[Any]) -> Any:
        page = self._page()
        if what == "save":
            (sent,) = args
            return page.save(read_sent(sent))
        if what == "session":
            return page.overview()
        return getattr(page, what)(*args)

    def _page(self) -> RaterPage:
        return RaterPage(self.project, self.store, self._materials, self.rater_id)

    def _asked(self, _: object, content: dict[str, Any], __: object) -> None:
        reply, buffers = self.answer(content)
        self.send(reply, buffers)
