"""How many small faults the tests of a module notice: `python benchmarks/mutation.py -o results/mutation`.

Seeded mutants of the modules of some packages (`mutation_operators`) are put, one at a time, into a copy of
the tree, and the module's own tests are run against each: `tests/<package>/test_<module>.py` and the examples
in its docstrings. A mutant is killed where a test fails, where the module cannot be imported any more, or
where the tests take five times their processor time; else it survives. Tests that reach the changed lines are
run first, the fastest first of all, and then the others. `--thresholds` moves every number in a constant of
the modules by a fifth instead.

Every verdict is written down at once. A second run goes on where the first ended; a module whose text or
tests have changed is tried again, with `--keep-killed` only the survivors of one whose tests have changed.
"""

from __future__ import annotations

import argparse
import compileall
import contextlib
import hashlib
import importlib
import importlib.util
import json
import os
import pkgutil
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import coverage
import pytest
from mutation_operators import (
    Mutant,
    mutants_of,
    mutated_source,
    program_hash,
    sample,
    threshold_mutants_of,
)

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("inference", "models", "pseudo_labels/raters")
PRELOADED = (
    "hypothesis.extra.numpy",
    "librosa.feature",
    "librosa.filters",
    "matplotlib.pyplot",
    "pydantic",
    "scipy.optimize",
    "scipy.signal",
    "scipy.stats",
    "sklearn.linear_model",
    "soundfile",
    "soxr",
    "symusic",
    "torch",
    "transformers.models.hubert.modeling_hubert",
)
"""What the tests need and no mutant changes, loaded once for all of them."""
BELOW = ("tocco.music", "tocco.audio")
"""Packages that import none of those that are mutated: loaded once as well."""
TIMES_AS_LONG = 5.0
LEAST_CPU_SEC = 10.0
LONGEST_WALL_SEC = 3600.0
MOST_BYTES = 6 * 2**30


@dataclass
class Baseline:
    """What the tests of a module do while nothing is wrong.

    Attributes
    ----------
    cpu_sec : processor time of all of them
    seconds : of each test
    reached : line of the module -> the tests that run it; "" stands for what several tests share
    failed : the first that fails, where one does
    """

    cpu_sec: float = 0.0
    seconds: dict[str, float] = field(default_factory=dict)
    reached: dict[int, set[str]] = field(default_factory=dict)
    failed: str = ""


class Watch:
    """A pytest plugin: how long each test takes, and which is the first to fail."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self.failed = ""

    def pytest_runtest_logreport(self, report: Any) -> None:
        """Count a phase of a test."""
        self.seconds[report.nodeid] = self.seconds.get(report.nodeid, 0.0) + report.duration
        if report.failed:
            self.failed = self.failed or report.nodeid

    def pytest_collectreport(self, report: Any) -> None:
        """Note a test file that cannot be imported."""
        if report.failed:
            self.failed = self.failed or f"{report.nodeid} (cannot be imported)"


class ReachWatch(Watch):
    """The same, and which test reaches which line; what several tests share counts for all of them."""

    def __init__(self, cover: coverage.Coverage) -> None:
        super().__init__()
        self.cover = cover
        self.running = ""

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: Any) -> Iterator[None]:
        """Ascribe lines to the test that is run."""
        self.running = item.nodeid
        self.cover.switch_context(self.running)
        try:
            return (yield)
        finally:
            self.running = ""
            self.cover.switch_context("")

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(self, fixturedef: Any) -> Iterator[None]:
        """Ascribe lines to all tests while a fixture is made that several use."""
        if fixturedef.scope != "function":
            self.cover.switch_context("")
        try:
            return (yield)
        finally:
            self.cover.switch_context(self.running)


def run_tests(tests: Sequence[str], watch: Watch) -> int:
    """Run pytest in this process; its exit code."""
    command = ["-x", "--no-header", "--assert=plain", "-p", "no:cacheprovider", *tests]
    return int(pytest.main(command, plugins=[watch]))


def in_child(work: Any, cpu_sec: float) -> tuple[dict[str, Any] | None, float]:
    """Do something in a fork of this process, with limits; its result, and its processor time.

    The result is None where it did not end.
    """
    with tempfile.TemporaryDirectory() as folder:
        answer = Path(folder, "answer.json")
        child = os.fork()
        if child == 0:
            code = 1
            try:
                _limit(cpu_sec)
                log = os.open(Path(folder, "log"), os.O_CREAT | os.O_WRONLY)
                for stream in (1, 2):
                    os.dup2(log, stream)
                os.environ["TMPDIR"] = tempfile.tempdir = folder
                answer.write_text(json.dumps(work()))
                code = 0
            finally:
                if code:
                    traceback.print_exc()
                sys.stderr.flush()
                os._exit(code)
        until = time.monotonic() + LONGEST_WALL_SEC
        while True:
            ended, _, usage = os.wait4(child, os.WNOHANG)
            if ended:
                break
            if time.monotonic() > until:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(child, signal.SIGKILL)
            time.sleep(0.02)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child, signal.SIGKILL)  # what it started and left behind
        spent = usage.ru_utime + usage.ru_stime
        return (json.loads(answer.read_text()) if answer.exists() else None), spent


def _limit(cpu_sec: float) -> None:
    os.setpgid(0, 0)
    whole = int(cpu_sec) + 1
    resource.setrlimit(resource.RLIMIT_CPU, (whole, whole))
    resource.setrlimit(resource.RLIMIT_DATA, (MOST_BYTES, MOST_BYTES))


def baseline_of(module: str, tests: Sequence[str]) -> Baseline:
    """Run the tests of a module as it is, and see which of them reaches which line."""

    def work() -> dict[str, Any]:
        cover = coverage.Coverage(data_file=None, config_file=False, include=[str(Path(module).resolve())])
        watch = ReachWatch(cover)
        cover.start()
        code = run_tests(tests, watch)
        cover.stop()
        data = cover.get_data()
        reached = {}
        for path in data.measured_files():
            reached |= data.contexts_by_lineno(path)
        return {"code": code, "seconds": watch.seconds, "reached": reached, "failed": watch.failed}

    found, cpu_sec = in_child(work, 3600.0)
    if found is None:
        return Baseline(failed="the tests did not end")
    failed = found["failed"] or ("" if found["code"] == 0 else f"pytest ends with {found['code']}")
    reached = {int(line): set(names) for line, names in found["reached"].items()}
    return Baseline(cpu_sec, found["seconds"], reached, failed)


def verdict_of(mutant: Mutant, tests: Sequence[str], base: Baseline) -> tuple[str, str]:
    """Whether it is "killed" or "survived", and what killed it or how it escaped."""
    lines = range(mutant.first_line, mutant.last_line + 1)
    nearest = set().union(*(base.reached.get(line, set()) for line in lines)) if mutant.first_line else {""}
    if not nearest:
        return "survived", "no test reaches it"
    first = [] if "" in nearest else sorted(nearest, key=lambda name: base.seconds.get(name, 0.0))
    rounds = ([first] if first else []) + [list(tests)]

    def work(chosen: Sequence[str]) -> dict[str, Any]:
        watch = Watch()
        return {"code": run_tests(chosen, watch), "failed": watch.failed}

    for chosen in rounds:
        limit = LEAST_CPU_SEC + TIMES_AS_LONG * base.cpu_sec
        found, spent = in_child(lambda chosen=chosen: work(chosen), limit)
        if found is None:
            return "killed", "time limit" if spent >= limit - 1.0 else "the process ended"
        if found["failed"]:
            return "killed", found["failed"]
        if found["code"] != 0 and chosen == rounds[-1]:
            return "killed", f"pytest ends with {found['code']}"
    return "survived", ""


def own_tests(module: Path, tree: Path) -> list[str]:
    """The test file that carries the module's name, and the module itself where it has examples."""
    below = module.relative_to(tree / "src" / "tocco")
    own = tree / "tests" / below.parent / f"test_{below.name}"
    tests = [own.relative_to(tree).as_posix()] if own.exists() else []
    if ">>>" in module.read_text():
        tests.append(module.relative_to(tree).as_posix())
    return tests


def print_of(module: Path, tests: Sequence[str], tree: Path) -> tuple[str, str]:
    """Hash of what the module does, and of its tests."""
    own = [tree / name for name in tests if tree / name != module]
    texts = b"\0".join(path.read_bytes() for path in own)
    return program_hash(module.read_text()), hashlib.sha256(texts).hexdigest()[:16]


def copy_tree(folder: Path) -> None:
    """The files of the repository as they are now, committed or not, without what git ignores."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout
    for name in listed.decode().split("\0"):
        if name and (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)


def preload(tree: Path, packages: Sequence[str]) -> None:
    """Load what no mutant changes, and work in the copy from now on."""
    os.chdir(tree)
    os.environ["PYTHONPATH"] = str(tree / "src")
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = "1"
    compileall.compile_dir(tree / "src", quiet=2)
    compileall.compile_dir(tree / "tests", quiet=2)
    sys.dont_write_bytecode = True  # a mutant of the same second and length would pass for its predecessor
    sys.path[:0] = [str(tree / "src")]
    for name in PRELOADED:
        importlib.import_module(name)
    mutated = tuple(f"tocco.{package.replace('/', '.')}" for package in packages)
    for package in BELOW:
        if not any(name.startswith(package) for name in mutated):
            for found in pkgutil.walk_packages(importlib.import_module(package).__path__, f"{package}."):
                importlib.import_module(found.name)
    early = [name for name in sys.modules if name.startswith(mutated)]
    assert not early, f"loaded too early: {early}"
    assert Path(importlib.import_module("tocco").__file__ or "").is_relative_to(tree)


def try_module(tree: Path, module: Path, mutants: Sequence[Mutant], write: Any) -> None:
    """Verdicts on some mutants of one module."""
    tests = own_tests(module, tree)
    source = module.read_text()
    Path(importlib.util.cache_from_source(str(module))).unlink(missing_ok=True)
    base = baseline_of(str(module), tests) if tests else Baseline()
    if base.failed:
        print(f"{module}: not tried, for its tests fail without any mutant: {base.failed}", flush=True)
        return
    for mutant in mutants:
        began = time.monotonic()
        if tests:
            module.write_text(mutated_source(source, mutant))
            try:
                verdict, by = verdict_of(mutant, tests, base)
            finally:
                module.write_text(source)
        else:
            verdict, by = "survived", "the module has no test file of its name"
        write(mutant, verdict, by, time.monotonic() - began)


def main() -> None:
    """Try the mutants that have no verdict yet."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--count", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--packages", nargs="+", default=PACKAGES, help="folders below src/tocco")
    parser.add_argument("--thresholds", action="store_true", help="all constants of the modules, by a fifth")
    parser.add_argument("--only", default="", help="part of the path of the modules to try now")
    parser.add_argument("--keep-killed", action="store_true")
    options = parser.parse_args()
    output = options.output.resolve()  # the work is done in another folder
    output.mkdir(parents=True, exist_ok=True)
    log = output / "mutants.jsonl"
    with tempfile.TemporaryDirectory(prefix="mutation-") as name:
        tree = Path(name).resolve()
        copy_tree(tree)
        modules = [
            p for package in options.packages for p in sorted((tree / "src" / "tocco" / package).glob("*.py"))
        ]
        if options.thresholds:
            chosen = [mutant for path in modules for mutant in threshold_mutants_of(path, tree)]
        else:
            chosen = sample([mutants_of(path, tree) for path in modules], options.count, options.seed)
        known = read_log(log)
        preload(tree, options.packages)
        for module in modules:
            prints = print_of(module, own_tests(module, tree), tree)
            mine = [m for m in chosen if tree / m.module == module]

            def is_known(mutant: Mutant, prints: tuple[str, str] = prints) -> bool:
                old = known.get(mutant.name)
                same = old is not None and old["source"] == prints[0]
                return same and (
                    old["tests"] == prints[1] or (options.keep_killed and old["verdict"] == "killed")
                )

            def write(
                mutant: Mutant, verdict: str, by: str, seconds: float, prints: tuple[str, str] = prints
            ) -> None:
                row = {
                    "mutant": mutant.name,
                    "verdict": verdict,
                    "by": by,
                    "source": prints[0],
                    "tests": prints[1],
                }
                known[mutant.name] = row
                with log.open("a") as file:
                    file.write(json.dumps(row) + "\n")
                print(f"{verdict:9s} {seconds:6.1f} s  {mutant.where}  {by}", flush=True)

            todo = [m for m in mine if not is_known(m)]
            if todo and options.only in str(module.relative_to(tree)):
                try_module(tree, module, todo, write)
    report(chosen, known, output)


def read_log(path: Path) -> dict[str, dict[str, str]]:
    """The last verdict on each mutant."""
    lines = path.read_text().splitlines() if path.exists() else []
    return {row["mutant"]: row for row in map(json.loads, lines)}


def report(chosen: Sequence[Mutant], known: dict[str, dict[str, str]], folder: Path) -> None:
    """Write the verdicts that count now, in the order of the modules, and print how many were killed."""
    rows = [known[m.name] for m in chosen if m.name in known]
    (folder / "mutants.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    counts: dict[str, Counter[str]] = {}
    for mutant in chosen:
        verdict = known[mutant.name]["verdict"] if mutant.name in known else "not tried"
        counts.setdefault(mutant.module, Counter())[verdict] += 1
    lines = [f"{'killed':>7} {'of':>4}  module"]
    lines += [f"{c['killed']:7d} {sum(c.values()):4d}  {module}" for module, c in counts.items()]
    killed = sum(c["killed"] for c in counts.values())
    lines.append(f"{killed:7d} {len(chosen):4d}  all ({100 * killed / len(chosen):.0f} %)")
    survivors = [m for m in chosen if known.get(m.name, {}).get("verdict") == "survived"]
    lines += ["", "survivors", *(f"{m.where}  {known[m.name]['by']}".rstrip() for m in survivors)]
    (folder / "summary.txt").write_text("\n".join(lines) + "\n")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
