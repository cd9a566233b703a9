"""How fast the rating page answers while many people rate at once, and whether everything is saved.

    python benchmarks/rating_load.py --raters 32 --minutes 10 -o results/labelling/load.json

Starts `tocco serve` on this machine with a project of the bundled minuet, and as many raters (locust) as
are asked for. Each behaves as the page does: it loads takes with score and sound, releases a slider every
half to two seconds, says every two seconds what was heard, undoes one answer in twenty. Bars, set
beforehand: no error, 95 % of all answers within 200 ms, every acknowledged event in the store. The pictures
of the takes are drawn before the raters come, as a server does in the background after its start.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import platform
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from rating_server import RatingServer, minuet_project

from tocco.files import write_bytes

BAR_P95_MS = 200.0
SEGMENTS = 120


def main() -> None:
    """Run the raters, compare the store with what was acknowledged, write the figures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--raters", type=int, default=32)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("-o", "--output", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        result = run(Path(folder), options.raters, options.minutes)
    text = json.dumps(result, indent=2) + "\n"
    if options.output is not None:
        write_bytes(options.output, text.encode())
    sys.stdout.write(text)


def run(folder: Path, n_raters: int, minutes: float) -> dict[str, Any]:
    """The figures of one run."""
    project = minuet_project(folder / "library", SEGMENTS)
    acknowledged = folder / "acknowledged"
    acknowledged.mkdir()
    before = os.getloadavg()
    with RatingServer(folder / "library") as server:
        cookies = [server.cookie(f"rater{k}") for k in range(n_raters)]
        (folder / "cookies.json").write_text(json.dumps(cookies), encoding="utf-8")
        surroundings = {
            **os.environ,
            "RATING_LOAD_COOKIES": str(folder / "cookies.json"),
            "RATING_LOAD_ACKNOWLEDGED": str(acknowledged),
        }
        users = Path(__file__).with_name("rating_load_raters.py")
        command = [
            *(sys.executable, "-m", "locust", "-f", str(users), "--headless", "--host", server.address),
            *("-u", str(n_raters), "-r", str(n_raters / 4), "-t", f"{round(60 * minutes)}s"),
            *("--csv", str(folder / "load"), "--only-summary", "--stop-timeout", "10"),
        ]
        started_sec = server.processor_sec()
        subprocess.run(command, check=True, env=surroundings, stdout=subprocess.DEVNULL, stderr=None)
        busy_sec = server.processor_sec() - started_sec
    after = os.getloadavg()
    ids = {one for path in acknowledged.glob("*.txt") for one in path.read_text(encoding="utf-8").split()}
    with project.open_store() as store:
        stored = {one.event_id for one in store.events()}
    rows = {row["Name"]: row for row in csv.DictReader((folder / "load_stats.csv").open(encoding="utf-8"))}
    requests = {name: _figures(row) for name, row in rows.items()}
    total = requests.pop("Aggregated")
    return {
        "raters": n_raters,
        "minutes": minutes,
        "processors": os.cpu_count(),
        "load_average_before": [round(one, 1) for one in before],
        "load_average_after": [round(one, 1) for one in after],
        "python": platform.python_version(),
        "processor_ms_per_answer": round(1000.0 * busy_sec / max(total["count"], 1), 1),
        "all": total,
        "requests": requests,
        "acknowledged": len(ids),
        "acknowledged_and_not_stored": len(ids - stored),
        "bars": {
            "no error": total["errors"] == 0,
            f"p95 of all below {BAR_P95_MS:g} ms": total["p95_ms"] < BAR_P95_MS,
            "every acknowledged event is stored": ids <= stored,
        },
    }


def _figures(row: dict[str, str]) -> dict[str, float]:
    return {
        "count": int(row["Request Count"]),
        "errors": int(row["Failure Count"]),
        "per_second": round(float(row["Requests/s"]), 2),
        "median_ms": float(row["50%"]),
        "p95_ms": float(row["95%"]),
        "p99_ms": float(row["99%"]),
        "max_ms": round(float(row["Max Response Time"]), 1),
    }


if __name__ == "__main__":
    main()
