"""A worker that does at once what the title of its take says: `python worker_double.py`, the task on stdin.

It stands for `tocco.apps.web.running.worker` where a test is about the jobs and not about the assessment.

| title begins with | what it does |
|---|---|
| wait | says that it rates, and waits until it is ended, with a child process |
| refuse | ends with the error of a file that cannot be used |
| fault | ends with an error of Python |
| vanish | ends by a signal |
| anything else | writes the files of an assessment, and says a summary |
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Final

COMMAND: Final = (sys.executable, str(Path(__file__)))

PIDS: Final = "pids.json"
"""In the output of a worker that waits: its process, and the one that it started."""

REPORT: Final = "<!doctype html><html lang='en'><title>made by a double</title><h1>Report</h1></html>"

RATINGS: Final = {"phrasing": 60.0, "musicality": 55.0}


def say(**parts: Any) -> None:
    sys.stdout.write(json.dumps(parts) + "\n")
    sys.stdout.flush()


def main() -> None:
    task = json.loads(sys.stdin.readline())
    titles = [take["title"] for take in task["takes"]]
    output = Path(task["output"])
    output.mkdir(exist_ok=True)
    say(stage="reading")
    say(stage="rating", done=1, total=4)
    first = titles[0]
    if first.startswith("wait"):
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        temporary = output / f".{PIDS}"
        temporary.write_text(json.dumps([os.getpid(), child.pid]))
        temporary.rename(output / PIDS)
        time.sleep(600)
    elif first.startswith("refuse"):
        error = {"subject": "take.wav", "problem": "is silent", "next_step": "check that it has sound"}
        say(error=error)
        sys.exit(1)
    elif first.startswith("fault"):
        raise KeyError("a fault of the double")
    elif first.startswith("vanish"):
        os.kill(os.getpid(), signal.SIGSEGV)
    say(stage="writing")
    if task["kind"] == "assess":
        for ending in (".json", ".html", ".png"):
            (output / f"take{ending}").write_text(REPORT)
        value = 40.0 + len(first) % 30
        summary = {
            "aggregate": value,
            "aggregate_90": [value - 10.0, value + 10.0],
            "ratings": RATINGS,
            "intervals": {},
            "abstained": False,
            "duration_sec": 97.0,
            "has_score": True,
            "found_score": "folder/found.musicxml" if task["takes"][0]["scores"] else None,
        }
        say(summary=summary, is_done=True)
    else:
        name = "comparison" if task["kind"] == "compare" else "ranking"
        (output / f"{name}.html").write_text(REPORT + " ".join(titles))
        say(is_done=True)


if __name__ == "__main__":
    main()
