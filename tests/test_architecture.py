"""Imports run one way, and importing tocco stays light."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src" / "tocco"

GROUND = {"errors", "units", "rubrics", "metrics", "schema", "files", "cache", "cache_folder", "csv_table"}
MAY_IMPORT = {
    "ground": GROUND,
    "metrics": GROUND,
    "music": GROUND | {"music"},
    "audio": GROUND | {"music", "audio"},
    "pseudo_labels": GROUND | {"music", "audio", "pseudo_labels"},
    "models": {"errors", "units", "rubrics", "files", "models"},
    "losses": {"errors", "units", "rubrics", "losses"},
    "data": GROUND | {"engines", "music", "audio", "pseudo_labels", "models", "data"},
    "inference": GROUND | {"engines", "music", "audio", "pseudo_labels", "models", "data", "inference"},
    "ranking": GROUND | {"inference", "ranking"},
    "report": GROUND | {"music", "audio", "pseudo_labels", "data", "inference", "ranking", "report"},
    "marking": GROUND | {"inference", "marking"},
    "labelling": GROUND | {"music", "audio", "models", "data", "inference", "labelling"},
    "training": GROUND | {"engines", "music", "audio", "models", "losses", "data", "training"},
    "evaluation": GROUND
    | {
        "music",
        "audio",
        "pseudo_labels",
        "models",
        "losses",
        "data",
        "inference",
        "report",
        "training",
        "engines",
        "evaluation",
    },
    "engines": {"errors", "engines"},
}
LAYERS: dict[str, tuple[set[str], ...]] = {
    "metrics": (
        {"undefined"},
        {"validation"},
        {"agreement", "error", "range_accuracy", "pairs", "intervals", "distributions", "calibration"},
        {"aggregate", "resampling", "perfect_model"},
        {"table"},
    ),
    "pseudo_labels": (
        {"pool", "pseudo_label", "places"},
        {"observed"},
        {"norms"},
        {"raters"},
        {"scale", "damage"},
        {"rate", "fitting"},
    ),
    "evaluation": (
        {"markdown", "norm_facts", "png"},
        {"cross_validation", "pseudo_labels", "validity", "export"},
        {"transcription", "ablations", "interval_calibration", "benchmark", "held_out"},
    ),
    "marking": (
        {"shrinkage"},
        {"maps"},
        {"votes"},
        {"leave_one_out", "table", "calibration", "scheme"},
        {"assessed", "sentences", "scheme_marks"},
        {"calibrate", "apply"},
    ),
}
"""Package -> its parts from the bottom up. A part imports itself and lower layers, never one beside it."""
HEAVY = ("lightning", "transformers", "partitura", "parangonar", "nnAudio", "matplotlib", "sklearn", "pandas")


def package_of(path: Path) -> str:
    parts = path.relative_to(SOURCE).with_suffix("").parts
    return parts[0] if len(parts) > 1 else ("ground" if parts[0] in GROUND else parts[0])


def imports_of(tree: ast.AST) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
            if node.module == "tocco":
                names |= {f"tocco.{alias.name}" for alias in node.names}
    return {name for name in names if name.startswith("tocco.")}


FILES = sorted(
    path for path in SOURCE.rglob("*.py") if package_of(path) not in {"apps", "__init__", "__main__"}
)


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(SOURCE)))
def test_imports_run_one_way(path: Path) -> None:
    allowed = MAY_IMPORT[package_of(path)]
    for name in imports_of(ast.parse(path.read_text())):
        assert name.split(".")[1] in allowed, f"{path.name} imports {name}"


LAYERED = sorted(path for package in LAYERS for path in (SOURCE / package).rglob("*.py"))


def part_of(name: str) -> str:
    """Part of its package that a module belongs to: "tocco.evaluation.png" -> "png"."""
    return name.split(".")[2] if name.count(".") > 1 else ""


@pytest.mark.parametrize("path", LAYERED, ids=lambda p: str(p.relative_to(SOURCE)))
def test_imports_within_a_package_run_one_way(path: Path) -> None:
    package, *rest = path.relative_to(SOURCE).with_suffix("").parts
    own = rest[0]
    if own == "__init__":
        return
    height = {part: level for level, layer in enumerate(LAYERS[package]) for part in layer}
    assert own in height, f"{package}/{own} is in no layer"
    for name in imports_of(ast.parse(path.read_text())):
        part = part_of(name) if name.startswith(f"tocco.{package}.") else own
        assert part == own or height[part] < height[own], f"{path.name} imports {name}"


def test_the_arrow_is_really_read() -> None:
    tree = ast.parse(
        "def f():\n    from tocco.training import stages\n    import tocco.apps.cli\nfrom tocco import data"
    )
    assert imports_of(tree) == {"tocco.training", "tocco.apps.cli", "tocco.data"}


def _loaded_by(module: str) -> set[str]:
    code = f"import sys, {module}; print(*sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


@pytest.mark.parametrize("module", ["tocco", "tocco.apps.cli.main"])
def test_start_up_loads_nothing_heavy(module: str) -> None:
    assert not {*HEAVY, "torch", "scipy", "numpy"} & _loaded_by(module)


def test_the_assessor_loads_no_library_before_it_is_used() -> None:
    loaded = _loaded_by("tocco.inference.assessor, tocco.inference.batch, tocco.report.curve_picture")
    assert "numpy" in loaded
    assert (
        not {*HEAVY, "torch", "safetensors.torch", "scipy", "soxr", "av", "soundfile", "fluidsynth"} & loaded
    )


@pytest.mark.parametrize(
    "module",
    [
        "tocco.inference.assessment",
        "tocco.data.records",
        "tocco.data.pairing",
        "tocco.report.terminal",
        "tocco.report.assessment_folder",
    ],
)
def test_what_the_command_line_reads_and_writes_with_is_light(module: str) -> None:
    assert not {*HEAVY, "torch", "safetensors.torch", "scipy"} & _loaded_by(module)


def test_partitura_brings_nothing_that_its_notation_can_do_without() -> None:
    loaded = _loaded_by(
        "tocco.music.partitura_import; tocco.music.partitura_import.import_notation_library('partitura')"
    )
    assert "partitura" in loaded
    assert not {"miditok", "pandas", "fluidsynth", "torch", "huggingface_hub"} & loaded


def test_idle_threads_of_the_network_sleep_unless_set_otherwise() -> None:
    code = "import os, tocco.models.network; print(os.environ['OMP_WAIT_POLICY'])"
    surroundings = {name: value for name, value in os.environ.items() if name != "OMP_WAIT_POLICY"}
    for given, expected in [({}, "passive"), ({"OMP_WAIT_POLICY": "active"}, "active")]:
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=surroundings | given
        )
        assert done.stdout.strip() == expected


def test_the_variable_is_set_before_torch_is_loaded() -> None:
    code = (
        "import builtins, os, sys\n"
        "real = builtins.__import__\n"
        "def watched(name, *rest, **named):\n"
        "    if name == 'torch' and 'torch' not in sys.modules:\n"
        "        print(os.environ.get('OMP_WAIT_POLICY'))\n"
        "        sys.stdout.flush(), os._exit(0)\n"
        "    return real(name, *rest, **named)\n"
        "builtins.__import__ = watched\n"
        "import tocco; tocco.Assessor()\n"
    )
    surroundings = {name: value for name, value in os.environ.items() if name != "OMP_WAIT_POLICY"}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=surroundings
    )
    assert done.stdout.strip() == "passive"


def test_every_module_but_the_empty_ones_has_a_docstring() -> None:
    bare = [p.name for p in SOURCE.rglob("*.py") if not ast.get_docstring(ast.parse(p.read_text()))]
    assert bare == []


def test_no_module_is_called_utils_and_no_marker_is_left() -> None:
    text = {p: p.read_text() for p in SOURCE.rglob("*.py")}
    assert not [p for p in text if p.stem in {"utils", "helpers", "misc"}]
    markers = ("TO" + "DO", "FIX" + "ME", "HA" + "CK", "XX" + "X")
    assert not [(p.name, m) for p, t in text.items() for m in markers if m in t]
