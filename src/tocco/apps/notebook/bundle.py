"""One script of several modules: a notebook takes a widget's script as one text.

A module imports by `import { a, b } from "./other.js";`, one line each, and exports by `export` before a
function, a class or a constant. Each becomes a function of its own, so that names inside do not meet.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from importlib.resources import files
from pathlib import PurePosixPath
from typing import Final

from tocco.report.page.frame import asset

_IMPORT: Final = re.compile(r'^import \{ ([\w, ]+) \} from "\./([\w]+\.js)";\n', re.M)
_EXPORT: Final = re.compile(r"^export ((?:async )?(?:function|class|const|let) (\w+))", re.M)
_EXPORT_LIST: Final = re.compile(r"^export \{ ([\w, ]+) \};\n", re.M)

SHARED: Final = ("drawnNotes", "noteNear", "scoreEvents", "scoreFollower")
"""Functions of the report's `score_follower.js`."""


def shared_module() -> str:
    """What follows the sound in the score of a report, as a module."""
    return f"{asset('score_follower.js')}export {{ {', '.join(SHARED)} }};\n"


def modules() -> dict[str, str]:
    """File name -> text of the modules of the rating page, and of the one that starts it in a notebook."""
    static = files("tocco.apps.web") / "static" / "rating"
    found = {
        one.name: one.read_text(encoding="utf-8") for one in static.iterdir() if one.name.endswith(".js")
    }
    found["score_follower.js"] = shared_module()
    found["notebook.js"] = (files("tocco.apps.notebook") / "notebook.js").read_text(encoding="utf-8")
    return found


def bundle(texts: Mapping[str, str], entry: str) -> str:
    r"""One module that does what `entry` does, with everything that it imports.

    Parameters
    ----------
    texts : file name -> text
    entry : file name; its exports are those of the result

    Raises
    ------
    ValueError
        A module has an import or an export of another form.

    Examples
    --------
    >>> print(bundle({"a.js": 'import { one } from "./b.js";\nexport const two = 2 * one;\n',
    ...               "b.js": "export const one = 1;\n"}, "a.js"))
    const b_js = (() => {
    const one = 1;
    return { one };
    })();
    const a_js = (() => {
    const { one } = b_js;
    const two = 2 * one;
    return { two };
    })();
    export const { two } = a_js;
    """
    parts: list[str] = []
    done: set[str] = set()

    def add(name: str) -> None:
        if name in done:
            return
        done.add(name)
        for _, other in _IMPORT.findall(texts[name]):
            add(other)
        parts.append(_as_function(name, texts[name]))

    add(entry)
    exported = ", ".join(_exports(texts[entry]))
    return "\n".join([*parts, f"export const {{ {exported} }} = {_name(entry)};"])


def _as_function(name: str, text: str) -> str:
    inside = _IMPORT.sub(lambda found: f"const {{ {found[1]} }} = {_name(found[2])};\n", text)
    inside = _EXPORT_LIST.sub("", _EXPORT.sub(r"\1", inside))
    left = re.search(r"^(?:import|export)\b.*", inside, re.M)
    if left:
        raise ValueError(f"{name}: {left[0]!r} is of a form that cannot be bundled")
    return f"const {_name(name)} = (() => {{\n{inside}return {{ {', '.join(_exports(text))} }};\n}})();"


def _exports(text: str) -> list[str]:
    listed = [name for names in _EXPORT_LIST.findall(text) for name in names.split(", ")]
    return [name for _, name in _EXPORT.findall(text)] + listed


def _name(file: str) -> str:
    return f"{PurePosixPath(file).stem}_js"


def style() -> str:
    """The style of the rating page for a part of a notebook, which keeps its own everywhere else."""
    static = files("tocco.apps.web") / "static"
    sheets = [
        asset("page.css"),
        asset("score.css"),
        (static / "app.css").read_text(encoding="utf-8"),
        (static / "rating" / "rating.css").read_text(encoding="utf-8"),
    ]
    inside = "\n".join(sheets).replace(":root", "&")
    own = "background: var(--paper); color: var(--ink); padding: 0 1rem 1rem;"
    return f".tocco-rating {{\n{inside}\n{own}\n}}\n"
