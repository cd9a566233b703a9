"""Damaged files of every kind that is read: each is either read or refused in one line.

    make fuzz                                              a few of every kind
    .venv/bin/python benchmarks/fuzz.py --count 10000 --kind midi --kind wav -o FOLDER

Small valid files are damaged at random: bytes flipped, inserted, removed, doubled, cut off, numbers
replaced by extremes; of XML, JSON and YAML also elements and values moved, doubled and replaced. Worker
processes with a memory limit read them. A finding is anything but success or a `ToccoError`, a message
that holds a program's words, more than 2 s or more than 512 MB. The same seed damages the same way.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Final

import numpy as np
from fuzz_damage import damaged
from fuzz_material import KINDS, Kind, read_as, seeds_of

from tocco.errors import ToccoError

MAX_SEC: Final = 2.0
MAX_BYTES: Final = 512 * 2**20
"""Memory that one file may take beyond what the worker holds before it."""
HANGS_SEC: Final = 20.0
PROGRAM_WORDS: Final = (
    *("object has no attribute", "list index", "index out of", "out of range", "Error(", "Error:", " 0x"),
    *("<class", "not subscriptable", "not iterable", "unsupported operand", "NoneType", "Traceback"),
    *(
        "Errno",
        "invalid literal",
        "could not convert",
        "codec can't",
        "entity amplification",
        "unexpected keyword",
    ),
    *("Expecting ", "object at ", "sys.set_int", "invalid syntax", "unpack", "state_dict", "libsndfile"),
)


@dataclass(frozen=True)
class Outcome:
    """How the reading of one damaged file went.

    Attributes
    ----------
    number : of the file within its kind
    fault : what is wrong with the reading; empty if nothing is
    detail : message or place
    was_read : the file was read, not refused
    seconds
    """

    number: int
    fault: str
    detail: str
    was_read: bool
    seconds: float


def damaged_file(kind: Kind, seeds: list[bytes], number: int, seed: int) -> bytes:
    """The file of this number: the same for the same seed, whatever was read before it."""
    rng = np.random.default_rng([seed, KINDS.index(kind), number])
    return damaged(seeds[int(rng.integers(len(seeds)))], rng, text=kind.text)


def _worker(kind: Kind, seeds: list[bytes], seed: int, ask: Connection) -> None:
    """Read the files whose numbers come in, and send the outcome of each."""
    with tempfile.TemporaryDirectory(prefix="tocco-fuzz-") as folder:
        read_as(kind, seeds[0], Path(folder))  # what is imported and cached counts for no file
        _limit_memory()
        ask.send(None)
        while (number := ask.recv()) is not None:
            content = damaged_file(kind, seeds, number, seed)
            ask.send(_outcome(kind, content, number, Path(folder)))


def _limit_memory() -> None:
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    limit = pages * resource.getpagesize() + MAX_BYTES
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def _outcome(kind: Kind, content: bytes, number: int, folder: Path) -> Outcome:
    fault, detail, was_read = "", "", False
    start = time.process_time()
    try:
        read_as(kind, content, folder)
        was_read = True
    except ToccoError as error:
        text = str(error).replace(str(folder), "")
        words = [word for word in PROGRAM_WORDS if word in text]
        if words or "\n" in text:
            fault, detail = "program's words", text
    except MemoryError:
        fault = "memory"
    except BaseException as error:  # noqa: BLE001 - whatever else comes out of a reader is what is looked for
        trace, place = error.__traceback__, ""
        while trace is not None:
            code = trace.tb_frame.f_code
            if "tocco" in code.co_filename:
                place = f"{Path(code.co_filename).name}:{trace.tb_lineno}"
            trace = trace.tb_next
        fault, detail = "exception", f"{type(error).__name__} at {place}: {error}"
    seconds = time.process_time() - start
    if not fault and seconds > MAX_SEC:
        fault, detail = "slow", f"{seconds:.1f} s"
    return Outcome(number, fault, " ".join(detail.split())[:300], was_read, seconds)


def outcomes(kind: Kind, seeds: list[bytes], count: int, seed: int) -> Iterator[Outcome]:
    """The outcome of every file; a worker that dies or hangs is replaced."""
    context = multiprocessing.get_context("spawn")
    number = 0
    while number < count:
        here, there = context.Pipe()
        worker = context.Process(target=_worker, args=(kind, seeds, seed, there), daemon=True)
        worker.start()
        there.close()
        here.recv()  # ready: the imports are no file's time
        try:
            while number < count:
                here.send(number)
                if not here.poll(HANGS_SEC):
                    worker.kill()
                    yield Outcome(number, "hangs", f"more than {HANGS_SEC:g} s", False, HANGS_SEC)
                    number += 1
                    break
                yield here.recv()
                number += 1
            else:
                here.send(None)
        except (EOFError, BrokenPipeError, ConnectionResetError):
            worker.join()
            yield Outcome(number, "crash", f"exit code {worker.exitcode}", False, 0.0)
            number += 1
        worker.join()


def _print_row(name: str, found: list[Outcome]) -> None:
    faults = Counter(outcome.fault for outcome in found if outcome.fault)
    slowest = max((outcome.seconds for outcome in found), default=0.0)
    n_read = sum(outcome.was_read for outcome in found)
    listed = ", ".join(f"{n} {fault}" for fault, n in faults.most_common()) or "-"
    print(
        f"{name:<12}{len(found):>8}{n_read:>8}{sum(faults.values()):>10}{slowest:>10.2f}  {listed}",
        flush=True,
    )


def main() -> int:
    """Damage, read, print a table; 1 if there are findings."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=200, help="files of every kind")
    parser.add_argument(
        "--kind", action="append", choices=[kind.name for kind in KINDS], help="may be repeated"
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("-o", "--output", type=Path, help="folder for the files of findings")
    options = parser.parse_args()
    print(f"{'kind':<12}{'files':>8}{'read':>8}{'findings':>10}{'slowest':>10}")
    n_findings, details = 0, []
    for kind in KINDS:
        if options.kind and kind.name not in options.kind:
            continue
        seeds = seeds_of(kind)
        found = list(outcomes(kind, seeds, options.count, options.seed))
        _print_row(kind.name, found)
        for outcome in (outcome for outcome in found if outcome.fault):
            n_findings += 1
            details.append(f"{kind.name} {outcome.number}: {outcome.fault}: {outcome.detail}")
            if options.output is not None:
                options.output.mkdir(parents=True, exist_ok=True)
                content = damaged_file(kind, seeds, outcome.number, options.seed)
                (options.output / f"{kind.name}-{outcome.number}{kind.suffix}").write_bytes(content)
    print("\n".join(details[:200]))
    return 1 if n_findings else 0


if __name__ == "__main__":
    sys.exit(main())
