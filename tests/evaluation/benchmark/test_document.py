"""What docs/benchmark.md shows is what happens."""

import re
from pathlib import Path

import numpy as np
import pytest
import yaml

from benchmark_example import records
from corpus import performance
from tocco.data.records import write_labels
from tocco.evaluation.benchmark import percepiano
from tocco.evaluation.benchmark.protocols import PROTOCOLS
from tocco.evaluation.benchmark.submission import About
from tocco.music.midi import save_midi

ROOT = Path(__file__).parents[3]
TEXT = (ROOT / "docs" / "benchmark.md").read_text(encoding="utf-8")


def test_the_program_of_the_page_writes_what_the_benchmark_reads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "percepiano"
    folder.mkdir()
    made_up = records(folder)
    for n, record in enumerate(made_up):
        played = performance(np.random.default_rng(n), velocity=30.0 + n, jitter_sec=0.01)
        save_midi(played, Path(str(record.midi_path)))
    write_labels(made_up, folder / "labels.jsonl")
    monkeypatch.chdir(tmp_path)
    program = re.search(r"```python\n(.*?)```", TEXT, re.DOTALL)
    assert program is not None
    exec(compile(program[1], "benchmark.md", "exec"), {})
    result = percepiano("percepiano/labels.jsonl").evaluate("mine.csv", draws=10)
    assert [figures.protocol for figures in result.protocols] == ["clusters", "performer", "both", "work"]
    assert all(figures.predicted.is_fold_stated for figures in result.protocols)


def test_what_the_page_says_of_a_system_is_valid() -> None:
    example = re.search(r"```yaml\n(.*?)```", TEXT, re.DOTALL)
    assert example is not None
    assert About.model_validate(yaml.safe_load(example[1])).name == "ridge on two features"


def test_every_protocol_is_explained() -> None:
    assert re.findall(r"^\| `(\w+)` \|", TEXT, re.MULTILINE) == list(PROTOCOLS)


@pytest.mark.parametrize("name", ["leaks", "students", "published"])
def test_figures_come_from_generated_files(name: str) -> None:
    shown = re.search(rf"<!-- {name}:begin -->\n(.*?)<!-- {name}:end -->", TEXT, re.DOTALL)
    assert shown is not None
    sources = {
        "leaks": "results/percepiano_benchmark/published_splits.txt",
        "students": "results/expert_novice/benchmark.md",
        "published": "results/percepiano_benchmark/passage_mean.md",
    }
    source = (ROOT / sources[name]).read_text(encoding="utf-8")
    lines = [line for line in shown[1].splitlines() if line.strip() and not line.startswith("```")]
    assert len(lines) >= 3
    for line in lines:
        assert line in source.splitlines()
