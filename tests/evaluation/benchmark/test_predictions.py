from pathlib import Path

import numpy as np
import pytest

from benchmark_example import as_predictions, label_file, predictions_of
from tocco.errors import InputError
from tocco.evaluation.benchmark import Benchmark, ratings
from tocco.evaluation.benchmark.predictions import (
    FaultyPredictionsError,
    Prediction,
    Predictions,
    from_table,
    predicted_table,
    predictions_csv,
    read_predictions,
)
from tocco.files import sha256_of

HEADER = "segment_id,fold,timing_stable_unstable,timing_stable_unstable_sd"


@pytest.fixture
def benchmark(tmp_path: Path) -> Benchmark:
    return ratings(label_file(tmp_path))


def written(tmp_path: Path, *lines: str) -> Path:
    path = tmp_path / "mine.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def test_the_two_forms_say_the_same(tmp_path: Path) -> None:
    wide = read_predictions(written(tmp_path, HEADER + ",phrasing", "a,0,10,5,20", "b,1,30,6,"))
    long = read_predictions(
        written(
            tmp_path,
            "segment_id,name,rating,sd,fold",
            "a,Timing_Stable_Unstable,10,5,0",
            "a,phrasing,20,,0",
            "b,timing_stable_unstable,30,6,1",
        )
    )
    assert wide.of == long.of
    assert wide.of[""]["a"] == Prediction(
        "0", {"timing_stable_unstable": 10.0, "phrasing": 20.0}, {"timing_stable_unstable": 5.0}
    )
    assert wide.of[""]["b"].rating == {"timing_stable_unstable": 30.0}


def test_a_file_may_have_several_protocols(tmp_path: Path) -> None:
    path = written(tmp_path, "segment_id,protocol,phrasing", "a,clusters,10", "a,work,20")
    read = read_predictions(path)
    assert read.sha256 == sha256_of(path)
    assert read.for_protocol("work")["a"].rating == {"phrasing": 20.0}
    with pytest.raises(InputError, match="none of the protocol 'both' \\(allowed: clusters, work\\)"):
        read.for_protocol("both")


@pytest.mark.parametrize(
    ("lines", "faults"),
    [
        (
            ["segment_id,phrasng,phrasing,x_sd", "a,1,50,1"],
            ["column 'phrasng' is unknown, did you mean 'phrasing'", "column 'x_sd' is unknown"],
        ),
        (
            [HEADER, "a,0,100.1,5", "b,0,fast,0", "c,0,-1,5"],
            [
                "line 2: timing_stable_unstable is '100.1', allowed is 0 to 100",
                "line 3: timing_stable_unstable is 'fast', allowed is 0 to 100",
                "line 3: sd of timing_stable_unstable is '0', allowed is more than 0, to 100",
                "line 4: timing_stable_unstable is '-1', allowed is 0 to 100",
            ],
        ),
        ([HEADER, "a,0,nan,5"], ["line 2: timing_stable_unstable is 'nan', allowed is 0 to 100"]),
        ([HEADER, "a,0,10,5", "a,0,11,5"], ["line 3: 'a' is listed again"]),
        ([HEADER, ",0,10,5", "a,0,11,5"], ["line 2: segment_id is empty"]),
        (["segment_id,fold", "a,0"], ["has no column of ratings"]),
        (
            ["segment_id,protocol,phrasing", "a,random,10"],
            ["line 2: protocol 'random' is unknown"],
        ),
        (
            [
                "segment_id,name,rating,fold",
                "a,phrasing,10,0",
                "a,phrasing,11,0",
                "a,charm,1,0",
                "a,musicality,9,1",
            ],
            [
                "line 3: phrasing of 'a' is listed again",
                "line 4: name 'charm' is unknown",
                "line 5: 'a' is in fold '1' here, in '0' above",
            ],
        ),
        (
            ["segment_id,phrasing", *(f"s{n},0.{n}" for n in range(10))],
            ["no rating exceeds 1: these are on 0 to 1, multiply them by 100"],
        ),
    ],
)
def test_every_fault_has_a_line(tmp_path: Path, lines: list[str], faults: list[str]) -> None:
    with pytest.raises(FaultyPredictionsError) as found:
        read_predictions(written(tmp_path, *lines))
    assert len(found.value.faults) == len(faults)
    for fault, expected in zip(found.value.faults, faults, strict=True):
        assert expected in fault
    assert "Traceback" not in str(found.value)
    assert faults[0] in str(found.value)


def test_nine_low_ratings_are_no_fault(tmp_path: Path) -> None:
    path = written(tmp_path, "segment_id,phrasing", *(f"s{n},0.{n}" for n in range(9)))
    assert len(read_predictions(path).of[""]) == 9


def test_many_faults_are_cut_short(tmp_path: Path) -> None:
    path = written(tmp_path, "segment_id,phrasing", *(f"s{n},101" for n in range(25)))
    with pytest.raises(FaultyPredictionsError, match="and 24 more") as found:
        read_predictions(path)
    assert len(found.value.faults) == 21
    assert found.value.faults[-1] == "and 5 more"


def test_a_file_without_ids_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="has no column segment_id among 'id,phrasing'"):
        read_predictions(written(tmp_path, "id,phrasing", "a,1"))


def test_a_table_has_what_is_predicted_and_labelled(benchmark: Benchmark) -> None:
    folds = benchmark.folds("clusters")
    said = predictions_of(folds, benchmark, with_sd=True)
    extra = {"of_another_data_set": Prediction("0", {"phrasing": 3.0}, {})}
    table = predicted_table(as_predictions(said | extra), benchmark.records, "clusters", folds)
    assert len(table.names) == 28  # 19 descriptors, and nine dimensions that are read off them
    first = said[benchmark.segment_ids[0]].rating
    at = {name: float(table.rating[0, d]) for d, name in enumerate(table.names)}
    assert at["timing_stable_unstable"] == first["timing_stable_unstable"]
    assert at["rhythmic_precision"] == 100.0 - first["timing_stable_unstable"]
    assert at["tone_quality"] == pytest.approx(
        (first["timbre_even_colorful"] + first["timbre_shallow_rich"]) / 2
    )
    assert (table.is_fold_stated, table.n_tested, table.n_predicted, table.n_unknown) == (True, 60, 60, 1)
    assert table.sd is not None
    d = table.names.index("rhythmic_precision")
    assert np.isnan(table.sd[:, d]).all()


def test_missing_predictions_are_faults_unless_allowed(benchmark: Benchmark) -> None:
    folds = benchmark.folds("clusters")
    said = predictions_of(folds, benchmark)
    first, second = benchmark.segment_ids[:2]
    del said[first]
    said[second] = Prediction(said[second].fold, {"phrasing": 3.0}, {})
    with pytest.raises(FaultyPredictionsError) as found:
        predicted_table(as_predictions(said), benchmark.records, "clusters", folds)
    assert sorted(found.value.faults) == [
        f"{first} has no prediction",
        f"{second} has no rhythmic_precision",
    ]
    table = predicted_table(as_predictions(said), benchmark.records, "clusters", folds, allow_missing=True)
    assert (table.n_predicted, table.n_tested) == (58, 60)
    assert np.isnan(table.rating[0]).all()


def test_a_wrong_fold_is_a_fault(benchmark: Benchmark) -> None:
    folds = benchmark.folds("clusters")
    said = predictions_of(folds, benchmark)
    name = benchmark.segment_ids[0]
    right = said[name].fold
    said[name] = Prediction("7", said[name].rating, {})
    with pytest.raises(FaultyPredictionsError) as found:
        predicted_table(as_predictions(said), benchmark.records, "clusters", folds, allow_missing=True)
    assert found.value.faults == (f"{name} states fold '7', in clusters it is held out in fold '{right}'",)


def test_a_fold_that_one_row_does_not_state_is_not_stated(benchmark: Benchmark) -> None:
    folds = benchmark.folds("clusters")
    said = predictions_of(folds, benchmark)
    said[benchmark.segment_ids[3]] = Prediction("", said[benchmark.segment_ids[3]].rating, {})
    assert not predicted_table(as_predictions(said), benchmark.records, "clusters", folds).is_fold_stated


def test_an_sd_of_some_excerpts_alone_is_a_fault(benchmark: Benchmark) -> None:
    folds = benchmark.folds("clusters")
    said = predictions_of(folds, benchmark, with_sd=True)
    name = benchmark.segment_ids[0]
    said[name] = Prediction(said[name].fold, said[name].rating, {})
    with pytest.raises(
        FaultyPredictionsError, match=f"{name} has no sd of timing_stable_unstable, others have"
    ):
        predicted_table(as_predictions(said), benchmark.records, "clusters", folds)


def test_what_no_label_rates_is_refused(benchmark: Benchmark) -> None:
    said = {name: Prediction("", {"note_accuracy": 50.0}, {}) for name in benchmark.segment_ids}
    with pytest.raises(InputError, match="rate nothing that the labels rate"):
        predicted_table(as_predictions(said), benchmark.records, "clusters", benchmark.folds("clusters"))


def test_arrays_become_the_file_that_is_read_back(benchmark: Benchmark, tmp_path: Path) -> None:
    folds = benchmark.folds("performer")
    rating = np.linspace(10.0, 90.0, 60)[:, None]
    made = from_table(benchmark.segment_ids, ["phrasing"], rating, rating / 10.0, folds, "performer")
    path = tmp_path / "made.csv"
    path.write_text(predictions_csv(made.of))
    read = read_predictions(path)
    assert read.sha256 == made.sha256
    assert read.of["performer"].keys() == made.of["performer"].keys()
    assert len(made.of["performer"]) == 48
    name = benchmark.segment_ids[7]
    assert read.of["performer"][name].rating["phrasing"] == pytest.approx(float(rating[7, 0]), abs=1e-3)
    assert read.of["performer"][name].fold == next(f.name for f in folds if 7 in f.test)


def test_predictions_without_a_protocol_serve_any() -> None:
    said = {"a": Prediction("", {"phrasing": 1.0}, {})}
    assert Predictions("0" * 64, {"": said}).for_protocol("work") is said
