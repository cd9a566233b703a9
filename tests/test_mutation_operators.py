"""The mutants of `benchmarks/mutation.py`: what is changed, what is left alone, and which are drawn."""

from __future__ import annotations

import ast
import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

SOURCE = '''"""A module."""
import numpy as np

LIMIT: float = 0.5
SPAN = (2, -10)


def rated(value: int = 3) -> int:
    """Say 1 + 1."""
    if value < 2 and not value == 7:
        raise ValueError(f"is {value + 1}")
    np.clip(value, 0, 1)
    return max(value, 4) * 2
'''


@pytest.fixture(scope="module")
def operators() -> ModuleType:
    path = Path(__file__).parents[1] / "benchmarks" / "mutation_operators.py"
    spec = importlib.util.spec_from_file_location("mutation_operators", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def module(tmp_path: Path) -> Path:
    path = tmp_path / "module.py"
    path.write_text(SOURCE)
    return path


def test_every_change_makes_another_program(operators: ModuleType, module: Path) -> None:
    mutants = operators.mutants_of(module, module.parent)
    programs = {operators.mutated_source(SOURCE, mutant) for mutant in mutants}
    assert len(programs) == len(mutants)
    assert ast.unparse(ast.parse(SOURCE)) not in programs
    for program in programs:
        compile(program, "mutant", "exec")


def test_each_kind_of_change_is_there_and_text_is_left_alone(operators: ModuleType, module: Path) -> None:
    found = sorted((m.line, m.change) for m in operators.mutants_of(module, module.parent))
    assert found == sorted(
        [
            (4, "0.5 -> 0.6"),
            (4, "0.5 -> 0.0"),
            (5, "2 -> 3"),
            (5, "2 -> 0"),
            (5, "- left out"),
            (5, "10 -> 11"),
            (5, "10 -> 0"),
            (8, "3 -> 4"),
            (8, "3 -> 0"),
            (10, "condition turned round"),
            (10, "and -> or"),
            (10, "< -> <="),
            (10, "< -> >="),
            (10, "2 -> 3"),
            (10, "2 -> 0"),
            (10, "not left out"),
            (10, "== -> !="),
            (10, "7 -> 8"),
            (10, "7 -> 0"),
            (11, "statement left out"),
            (12, "statement left out"),
            (12, "0 -> 1"),
            (12, "1 -> 2"),
            (12, "1 -> 0"),
            (13, "returns None"),
            (13, "max -> min"),
            (13, "* -> /"),
            (13, "4 -> 5"),
            (13, "4 -> 0"),
            (13, "2 -> 3"),
            (13, "2 -> 0"),
        ]
    )


def test_the_lines_that_run_a_change_are_known(operators: ModuleType, module: Path) -> None:
    lines = {(m.line, m.first_line, m.last_line) for m in operators.mutants_of(module, module.parent)}
    at_import = {(4, 0, 0), (5, 0, 0), (8, 0, 0)}
    assert lines == at_import | {(10, 10, 10), (11, 11, 11), (12, 12, 12), (13, 13, 13)}


def test_constants_move_by_a_fifth(operators: ModuleType, module: Path) -> None:
    changes = [m.change for m in operators.threshold_mutants_of(module, module.parent)]
    assert changes == [
        "LIMIT: 0.5 -> 0.6",
        "LIMIT: 0.5 -> 0.4",
        "SPAN: 2 -> 3",
        "SPAN: 2 -> 1",
        "SPAN: 10 -> 12",
        "SPAN: 10 -> 8",
    ]
    third = operators.threshold_mutants_of(module, module.parent)[4]
    assert "SPAN = (2, -12)" in operators.mutated_source(SOURCE, third)


def test_docstrings_and_comments_make_no_other_program(operators: ModuleType, module: Path) -> None:
    other = SOURCE.replace("Say 1 + 1.", "Say\n\n    2.").replace(
        "LIMIT: float = 0.5", "LIMIT: float = 0.5  # half"
    )
    assert operators.program_hash(other) == operators.program_hash(SOURCE)
    assert operators.program_hash(SOURCE.replace("0.5", "0.6")) != operators.program_hash(SOURCE)
    before = [m.name for m in operators.mutants_of(module, module.parent)]
    module.write_text(other)
    assert [m.name for m in operators.mutants_of(module, module.parent)] == before
    assert len(set(before)) == len(before)


def test_a_sample_is_even_over_the_modules_and_seeded(operators: ModuleType, tmp_path: Path) -> None:
    modules = []
    for name, times in (("small", 1), ("large", 9), ("empty", 0)):
        path = tmp_path / f"{name}.py"
        path.write_text("\n".join(f"A{k} = {k + 1}.5" for k in range(10 * times)))
        modules.append(operators.mutants_of(path, tmp_path))
    drawn = operators.sample(modules, 50, seed=3)
    assert [sum(m.module == name for m in drawn) for name in ("small.py", "large.py")] == [5, 45]
    assert len(set(drawn)) == 50
    assert operators.sample(modules, 50, seed=3) == drawn
    assert operators.sample(modules, 50, seed=4) != drawn
    assert len(operators.sample(modules, 1000, seed=3)) == 200
