import json
from pathlib import Path

import pytest

from benchmark_example import as_predictions, label_file, predictions_of
from tocco.errors import InputError
from tocco.evaluation.benchmark import Benchmark, ratings
from tocco.evaluation.benchmark.figures import metric_index
from tocco.evaluation.benchmark.leaderboard import README, leaderboard_text, read_leaderboard
from tocco.evaluation.benchmark.submission import (
    About,
    Submission,
    read_about,
    read_submission,
    submission_of,
    write_submission,
)

BOARD = Path(__file__).parents[3] / "benchmarks" / "leaderboard"
ABOUT = About(name="mine", authors=("A. Nobody",), trained_on="nothing else", reads="notes")


@pytest.fixture(scope="module")
def benchmark(tmp_path_factory: pytest.TempPathFactory) -> Benchmark:
    return ratings(label_file(tmp_path_factory.mktemp("labels")))


def submission(
    benchmark: Benchmark, protocol: str = "clusters", name: str = "mine", seed: int = 5
) -> Submission:
    said = predictions_of(benchmark.folds(protocol), benchmark, seed, with_sd=True)
    result = benchmark.evaluate(as_predictions(said), [protocol], draws=20)
    return submission_of(result, ABOUT.model_copy(update={"name": name}))


def test_a_submission_has_the_computed_figures(benchmark: Benchmark, tmp_path: Path) -> None:
    said = predictions_of(benchmark.folds("clusters"), benchmark)
    result = benchmark.evaluate(as_predictions(said), draws=20)
    made = write_submission(submission_of(result, ABOUT), tmp_path / "mine.json")
    assert read_submission(tmp_path / "mine.json") == made
    entry = made.protocols[0]
    assert (entry.folds, entry.n_predicted, entry.n_tested) == ("stated and right", 60, 60)
    assert entry.predictions_sha256 == "0" * 64
    whole = result.protocols[0].parts[0]
    of_descriptors = entry.figures[0]
    assert (of_descriptors.family, of_descriptors.part, of_descriptors.n_excerpts) == (
        "19 descriptors",
        "all excerpts",
        60,
    )
    at = (0, metric_index("r2"), 0)
    assert of_descriptors.r2.value == pytest.approx(whole.of_family.value[at], abs=5e-5)
    assert of_descriptors.r2.low == pytest.approx(whole.of_family.low[at], abs=5e-5)
    assert of_descriptors.coverage_90 is None


def test_coverage_is_in_it_where_every_member_has_an_sd(benchmark: Benchmark) -> None:
    by_family = {f.family: f for f in submission(benchmark).protocols[0].figures if f.part == "all excerpts"}
    assert by_family["19 descriptors"].coverage_90 is not None
    assert by_family["9 dimensions"].coverage_90 is None


def test_another_protocol_joins_the_file(benchmark: Benchmark, tmp_path: Path) -> None:
    path = tmp_path / "mine.json"
    first = write_submission(submission(benchmark, "clusters"), path)
    both = write_submission(submission(benchmark, "work"), path)
    assert [entry.protocol for entry in both.protocols] == ["clusters", "work"]
    assert both.protocols[0] == first.protocols[0]
    again = write_submission(submission(benchmark, "clusters", seed=8), path)
    assert [entry.protocol for entry in again.protocols] == ["work", "clusters"]
    assert again.protocols[1] != first.protocols[0]
    with pytest.raises(InputError, match="is of 'mine'"):
        write_submission(submission(benchmark, name="other"), path)
    with pytest.raises(InputError, match="has another labels_sha256"):
        write_submission(first.model_copy(update={"labels_sha256": "1" * 64}), path)


def test_the_page_orders_by_r2_and_shows_what_was_said(benchmark: Benchmark) -> None:
    good, bad = submission(benchmark), submission(benchmark, name="baseline")
    result = benchmark.evaluate(benchmark.baseline("constant"), ["clusters"], draws=20)
    about = About(
        name="constant", authors=("A",), trained_on="no | thing", reads="nothing", code="https://x.org"
    )
    text = leaderboard_text([submission_of(result, about), bad, good])
    lines = [line for line in text.splitlines() if line.startswith(("| mine", "| baseline", "| [constant"))]
    assert [line.split(" |")[0] for line in lines[:3]] == [
        "| baseline",
        "| mine",
        "| [constant](https://x.org)",
    ]
    assert "no / thing" in text
    assert "**clusters: new music, mean of 19 descriptors**" in text


def test_a_folder_is_read_and_checked(benchmark: Benchmark, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="has no submission"):
        read_leaderboard(tmp_path)
    write_submission(submission(benchmark), tmp_path / "a.json")
    assert len(read_leaderboard(tmp_path)) == 1
    write_submission(submission(benchmark), tmp_path / "b.json")
    with pytest.raises(InputError, match=r"is of 'mine', as a\.json is"):
        read_leaderboard(tmp_path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"schema_version": 2}, "schema_version"),
        ({"benchmrk": "x"}, "'benchmrk' is unknown, did you mean 'benchmark'"),
        ({"labels_sha256": "short"}, "labels_sha256"),
        ({"protocols": []}, "protocols"),
        ({"about": {"name": "x"}}, "authors"),
    ],
)
def test_a_file_that_breaks_the_format_is_refused(
    benchmark: Benchmark, tmp_path: Path, change: dict[str, object], message: str
) -> None:
    path = tmp_path / "a.json"
    write_submission(submission(benchmark), path)
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(InputError, match=message):
        read_submission(path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name: x", "authors"),
        ("- a", "has no keys and values"),
        ("name: [", "is no YAML"),
        ("name: x\nauthors: [A]\ntrained_on: y\nreads: minds", "reads"),
    ],
)
def test_what_authors_say_is_checked(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "about.yaml"
    path.write_text(text)
    with pytest.raises(InputError, match=message):
        read_about(path)
    path.write_text("name: x\nauthors: [A, B]\ntrained_on: MAESTRO\nreads: sound\n")
    assert read_about(path).authors == ("A", "B")


def test_every_submission_of_the_leaderboard_is_valid_and_its_page_is_of_these_files() -> None:
    submissions = read_leaderboard(BOARD)
    names = {one.about.name for one in submissions}
    assert {"constant", "passage mean", "pianist mean"} <= names
    assert (BOARD / README).read_text(encoding="utf-8") == leaderboard_text(submissions)
    for submitted in submissions:
        for entry in submitted.protocols:
            assert entry.n_predicted <= entry.n_tested
            for figures in entry.figures:
                assert -1.0 <= figures.r.value <= 1.0
                assert figures.r2.value < 1.0
                assert 0.0 <= figures.pairs.value <= 1.0
                assert figures.mae.value > 0.0
                for one in (figures.r, figures.r2, figures.mae, figures.pairs):
                    assert (one.low is None) == (one.high is None)
                    assert one.low is None or one.low <= one.value


def test_what_is_said_of_our_own_systems_is_in_their_submissions() -> None:
    said = [read_about(path) for path in sorted((BOARD / "about").glob("*.yaml"))]
    assert len(said) >= 5
    entered = [one.about for one in read_leaderboard(BOARD)]
    assert all(about in entered for about in said)
    for about in said:
        for link in (about.link, about.code):
            assert link is None or (BOARD / link).is_file()
