"""What the README shows is what happens."""

import re
import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tocco.apps.cli.main import app
from tocco.inference.bundle import example_path

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
COMMANDS = [line.strip() for line in README.splitlines() if re.match(r"    (bash setup\.sh|tocco )", line)]

DOCUMENTS = ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CLAUDE.md"]
DOCUMENTS += [str(path.relative_to(ROOT)) for path in sorted((ROOT / "docs").rglob("*.md"))]
NAMED_PATH = re.compile(r"(?<![\w./])(?:src|tests|benchmarks|results|docs|configs|scripts)/[^\s`,;:]*")
IS_PLACEHOLDER = re.compile(r"[<>*{}]|\b[A-Z]{3,}\b")


def named_paths(text: str) -> set[str]:
    """Paths in backticks, except globs, placeholders and the table of the task list's names."""
    text = re.sub(r"\| task list \| here \|.*?\n\n", "", text, flags=re.DOTALL)
    quoted = re.findall(r"`([^`]+)`", re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE))
    found = {path for words in quoted for path in NAMED_PATH.findall(words)}
    return {path for path in found if not IS_PLACEHOLDER.search(path)}


def shown(name: str) -> str:
    return re.search(rf"<!-- {name}:begin -->\n(.*?)<!-- {name}:end -->", README, re.DOTALL)[1]


def test_the_first_two_commands_set_up_and_then_rate_or_test() -> None:
    assert COMMANDS[0].startswith("bash setup.sh && .venv/bin/tocco assess ")
    assert COMMANDS[1] == "bash setup.sh && .venv/bin/pytest"


def test_the_first_command_prints_what_is_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    arguments = shlex.split(COMMANDS[0].partition(".venv/bin/tocco ")[2])
    arguments[arguments.index("-o") + 1] = str(tmp_path)
    result = CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert result.exit_code == 0
    printed = result.output.replace(str(tmp_path), "report")
    assert [line.rstrip() for line in printed.splitlines()] == [
        line.rstrip() for line in shown("example").strip("`\n").splitlines()
    ]
    assert (tmp_path / "minuet.png").stat().st_size > 10_000


def test_the_python_snippet_runs(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(ROOT)
    snippet = re.search(r"```python\n(.*?)```", README, re.DOTALL)[1]
    exec(compile(snippet, "README.md", "exec"), {})
    low, high = (float(x) for x in capsys.readouterr().out.strip("()\n").split(","))
    assert 0 <= low < high <= 100


def test_every_command_and_option_exists() -> None:
    for line in COMMANDS[2:]:
        if not line.startswith("tocco "):
            continue
        words = shlex.split(line.partition("#")[0])[1:]
        names = words[:2] if words[0] in {"data", "label", "benchmark"} else words[:1]
        text = CliRunner().invoke(app, [*names, "--help"]).output
        for word in words:
            if word.startswith("-"):
                assert word in text, f"{word} is no option of tocco {' '.join(names)}"


@pytest.mark.parametrize(
    ("name", "report"),
    [("descriptors", "results/statistics_models/cv4_cluster"), ("dimensions", "results/perception")],
)
def test_figures_are_those_of_the_report(name: str, report: str) -> None:
    table = shown(name).strip()
    assert table.count("\n") >= 6
    assert table in (ROOT / report / "cross_validation.md").read_text(encoding="utf-8")


def test_the_example_is_the_one_that_ships() -> None:
    assert {p.name for p in example_path().iterdir()} >= {"minuet.flac", "minuet.mid", "minuet.musicxml"}


def test_links_lead_somewhere() -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        assert target.startswith("https://") or (ROOT / target).exists(), target


def test_paths_in_backticks_are_found() -> None:
    text = "`pytest tests/a.py\ntests/b.py` `docs/x/` `src/<package>/a.py`"
    text += " `results/*.md` `runs/src/a.py` `benchmarks/DIR/a` docs/none.md"
    assert named_paths(text) == {"tests/a.py", "tests/b.py", "docs/x/"}


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_path_that_a_document_names_exists(document: str) -> None:
    missing = {
        p for p in named_paths((ROOT / document).read_text(encoding="utf-8")) if not (ROOT / p).exists()
    }
    assert not missing
