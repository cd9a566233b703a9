import csv
import io
from dataclasses import replace

import numpy as np
import pytest

from benchmark_example import as_predictions, label_file, predictions_of
from tocco.evaluation.benchmark import Benchmark, BenchmarkResult, ratings
from tocco.evaluation.benchmark.figures import metric_index
from tocco.evaluation.benchmark.page import best_without_listening, figures_csv, markdown, summary
from tocco.evaluation.benchmark.predictions import Prediction
from tocco.evaluation.benchmark.published import published_figures


@pytest.fixture(scope="module")
def benchmark(tmp_path_factory: pytest.TempPathFactory) -> Benchmark:
    return ratings(label_file(tmp_path_factory.mktemp("labels")))


@pytest.fixture(scope="module")
def result(benchmark: Benchmark) -> BenchmarkResult:
    said = predictions_of(benchmark.folds("clusters"), benchmark, with_sd=True)
    return benchmark.evaluate(as_predictions(said), draws=20)


def changed(benchmark: Benchmark, *, fold: str | None = None, drop: int = 0, **options: bool) -> str:
    said = predictions_of(benchmark.folds("clusters"), benchmark)
    said = {n: p if fold is None else Prediction(fold, p.rating, p.sd) for n, p in list(said.items())[drop:]}
    return markdown(benchmark.evaluate(as_predictions(said), ["clusters"], draws=5, **options), [])


def test_the_first_table_has_the_conclusion(result: BenchmarkResult) -> None:
    part = result.protocols[0].parts[0]
    line = summary(result).splitlines()[2]
    r2 = part.of_family.value[0, metric_index("r2"), 0]
    assert line.startswith(f"| clusters | new music | 19 descriptors | {r2:.3f} [")
    best = part.systems[best_without_listening(part, 0)]
    values = dict(zip(part.systems, part.of_family.value[:, metric_index("r2"), 0], strict=True))
    assert best == max((s for s in values if s != "submission"), key=values.__getitem__)
    assert f"| {best} |" in line
    assert f"| {part.ceiling.reliability[part.families['19 descriptors']].mean():.3f} |" in line


def test_the_page_has_every_target_beside_ceiling_and_baselines(result: BenchmarkResult) -> None:
    text = markdown(result, [("data", "60 segments")])
    assert "- data: 60 segments" in text
    assert f"sha256 {result.labels_sha256[:16]}" in text
    part = result.protocols[0].parts[0]
    for d, name in enumerate(part.names):
        line = next(line for line in text.splitlines() if line.startswith(f"| {name} |"))
        assert f"| {part.ceiling.reliability[d]:.3f} |" in line
    assert (
        text.count("| human ceiling |") == 4 + 1
    )  # two families of two parts, and the head of the first table
    assert "With 6 clusters the intervals are too narrow." in text
    assert "90 % interval covers" in text
    assert "## Published figures" not in text


@pytest.mark.parametrize(
    ("text", "options"),
    [
        ("every tested excerpt states its fold, and the right one", {}),
        (
            "**not stated: whether these predictions come from held-out folds cannot be checked**",
            {"fold": ""},
        ),
        ("is said to have learned nothing from these labels", {"is_untrained": True, "fold": ""}),
    ],
)
def test_the_page_says_what_is_known_of_the_folds(
    benchmark: Benchmark, text: str, options: dict[str, object]
) -> None:
    assert text in changed(benchmark, **options)  # type: ignore[arg-type]


def test_the_page_says_what_was_filled_in(benchmark: Benchmark) -> None:
    text = changed(benchmark, drop=2, allow_missing=True)
    assert "Predicted: 58 of 60 tested excerpts. A missing prediction counts as the constant." in text


def test_the_table_has_every_figure(result: BenchmarkResult) -> None:
    rows = list(csv.DictReader(io.StringIO(figures_csv(result))))
    part = result.protocols[0].parts[0]
    key = ("clusters", "all excerpts", "submission", "phrasing", "r2")
    found = [
        row
        for row in rows
        if tuple(row[c] for c in ("protocol", "part", "system", "target", "metric")) == key
    ]
    assert len(found) == 1
    at = (0, metric_index("r2"), part.names.index("phrasing"))
    assert float(found[0]["value"]) == pytest.approx(part.of_name.value[at], abs=1e-6)
    assert float(found[0]["low_95"]) == pytest.approx(part.of_name.low[at], abs=1e-6)
    assert {row["system"] for row in rows} >= {"human ceiling", "submission minus pianist mean", "constant"}
    assert {row["metric"] for row in rows} >= {"coverage_90", "width_50", "spearman_rho"}


def test_published_figures_say_where_they_come_from_and_whether_they_leak(result: BenchmarkResult) -> None:
    figures = published_figures("percepiano")
    assert {one.leaks for one in figures} == {"yes", "no", "unknown"}
    assert all(one.why and one.source and one.split for one in figures)
    assert all(0.0 < one.value < 1.0 for one in figures)
    assert figures[0].doi == "10.1038/s41598-024-73810-0"
    # Whoever is not named has no doi, and what is not known of a split is not guessed.
    assert all((one.doi is None) == ("not recorded" in one.source) for one in figures)
    assert all(one.leaks == "unknown" for one in figures if one.split == "not known")
    assert published_figures("made-up") == ()
    text = markdown(
        BenchmarkResult(
            "percepiano", "PercePiano", "0" * 64, "0" * 64, False, result.protocols, tuple(figures)
        ),
        [],
    )
    assert "| R2 0.397 | bidirectional LSTM" in text
    assert "| R2 0.43 to 0.49 | MERT, from sound | not known | unknown |" in text
    assert "| `published` |" in text


def test_a_figure_that_is_undefined_is_a_dash(benchmark: Benchmark) -> None:
    said = predictions_of(benchmark.folds("clusters"), benchmark)
    result = benchmark.evaluate(as_predictions(said), draws=5)
    unknown = np.full_like(result.protocols[0].parts[0].ceiling.reliability, np.nan)
    object.__setattr__(result.protocols[0].parts[0].ceiling, "reliability", unknown)
    assert "| – |" in summary(result)


@pytest.mark.parametrize(
    ("n_clusters", "note"),
    [
        (4, "4 clusters are too few for intervals."),
        (5, "With 5 clusters the intervals are too narrow."),
        (9, "With 9 clusters the intervals are too narrow."),
        (10, ""),
    ],
)
def test_few_clusters_have_a_note(result: BenchmarkResult, n_clusters: int, note: str) -> None:
    figures = result.protocols[0]
    parts = tuple(replace(part, n_clusters=n_clusters) for part in figures.parts)
    text = markdown(replace(result, protocols=(replace(figures, parts=parts),)), [])
    assert note in text
    assert ("too narrow." in text, "too few" in text) == ("narrow" in note, "few" in note)
