import itertools
import struct
from pathlib import Path

import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text

from assessment_example import NO_SCORE, bar_sec, curve, example, inputs, moments
from tocco.errors import OutputError
from tocco.inference.assessment import Aggregate, Assessment, Curve, Rating
from tocco.inference.evidence import AlignmentReport, NoteOutcome
from tocco.report import curve_picture as picture
from tocco.report.curve_picture import draw_curve
from tocco.rubrics import DESCRIPTORS, DIMENSIONS


def crowded() -> Assessment:
    """An hour with a rest of three minutes, 200 bars of many mistakes, and a name that no font has."""
    whole = curve(3600.0, 10.0)
    heard = [i for i, t in enumerate(whole.time_sec) if not 1500 < t < 1700]
    fields = {
        key: {name: [column[i] for i in heard] for name, column in part.items()}
        if isinstance(part, dict)
        else [part[i] for i in heard]
        for key, part in whole.model_dump().items()
    }
    cut = Curve.model_validate(fields)

    def note(second: float, *, expected: bool, played: bool) -> NoteOutcome:
        return NoteOutcome(
            expected="F#4" if expected else None,
            expected_pitch=66 if expected else None,
            played="G4" if played else None,
            played_pitch=67 if played else None,
            bar=str(int(second // 2) + 1),
            beat=1.0,
            time_sec=second,
        )

    lists = {
        "match": (),
        "deletion": tuple(note(17.0 * i, expected=True, played=False) for i in range(200)),
        "insertion": tuple(note(31.0 * i % 3500, expected=False, played=True) for i in range(30)),
        "substitution": tuple(note(7.0 * i**2, expected=True, played=True) for i in range(22)),
    }
    report = AlignmentReport(
        counts={kind: len(notes) for kind, notes in lists.items()},
        bars=tuple((str(i + 1), 2.0 * i) for i in range(1800)),
        repeats="as written",
        **lists,
    )
    files = inputs(score=True)
    name = "肖邦 Étude $x^2$ \n" + "long " * 30 + ".flac"
    audio = files.audio.model_copy(update={"name": name, "duration_sec": 3600.0})
    return example().model_copy(
        update={
            "curve": cut,
            "moments": moments(cut),
            "alignment": report,
            "inputs": files.model_copy(update={"audio": audio}),
        }
    )


def single_point() -> Assessment:
    one = Curve(time_sec=(4.0,), start_sec=(0.0,), end_sec=(8.0,), value={"phrasing": (55.0,)})
    return example(score=False).model_copy(update={"curve": one, "moments": ()})


def abstaining() -> Assessment:
    nothing = Rating.missing("abstained")
    return Assessment.model_validate(
        dict(example())
        | {
            "ratings": dict.fromkeys(DIMENSIONS, nothing),
            "descriptors": dict.fromkeys(DESCRIPTORS, nothing),
            "curve": Curve(time_sec=(), start_sec=(), end_sec=(), value={}),
            "moments": (),
            "alignment": None,
            "alignment_reason": NO_SCORE,
            "aggregate": Aggregate(value=None, weights={}, reason="abstained"),
            "abstained": True,
            "abstained_reasons": ("the tempo is outside what the model has seen. " * 5,),
        }
    )


CASES = {
    "with score": example,
    "without score": lambda: example(score=False),
    "crowded": crowded,
    "single point": single_point,
    "abstaining": abstaining,
}


def page(assessment: Assessment) -> Figure:
    figure = Figure(figsize=(picture._WIDTH_IN, picture._height_in(assessment)), dpi=100)
    FigureCanvasAgg(figure)
    picture._Page(figure, assessment).draw()
    figure.canvas.draw()
    return figure


def texts(figure: Figure) -> list[Text]:
    return [t for t in figure.findobj(Text) if t.get_visible() and t.get_text().strip() and not _hidden(t)]


def _hidden(text: Text) -> bool:
    """Tick labels of an axis that is switched off are artists too, only never drawn."""
    axes = text.axes
    if axes is None:
        return False
    ticks = [*axes.xaxis.get_major_ticks(), *axes.yaxis.get_major_ticks()]
    drawn = {id(label) for tick in ticks for label in (tick.label1, tick.label2) if label.get_visible()}
    every = {id(label) for tick in ticks for label in (tick.label1, tick.label2)}
    return id(text) in every - drawn


@pytest.mark.parametrize("case", CASES)
def test_no_two_texts_overlap_and_none_leaves_the_page(case):
    figure = page(CASES[case]())
    boxes = [(text.get_text(), text.get_window_extent()) for text in texts(figure)]
    assert len(boxes) > 4
    for text, box in boxes:
        assert box.x0 >= 0, text
        assert box.y0 >= 0, text
        assert box.x1 <= figure.bbox.x1, text
        assert box.y1 <= figure.bbox.y1, text
    for (one, box), (other, another) in itertools.combinations(boxes, 2):
        apart = box.x1 <= another.x0 or another.x1 <= box.x0 or box.y1 <= another.y0 or another.y1 <= box.y0
        assert apart, f"{one!r} overlaps {other!r}"


def test_the_page_says_what_the_assessment_says():
    said = {text.get_text() for text in texts(page(example()))}
    assert {"etude.flac", "74.5", "Rhythmic precision", "55.7   (90 %: 47 to 65)", "TECHNICAL"} <= said
    assert {"1 wrong", "1 missing", "1 extra", "bar 12: F4 for F#4", "bar 21: A3", "bar 21: B5"} <= said
    assert {"rating", "90 % interval", "weakest passage", "strongest passage", "time, min:s", "bar"} <= said
    without = {text.get_text() for text in texts(page(example(score=False)))}
    assert {f"Note accuracy: missing, {NO_SCORE}", "69.7"} <= without
    assert "no overall mark" in {text.get_text() for text in texts(page(abstaining()))}
    assert not any("wrong" in text or "bar" in text for text in without)


def test_note_accuracy_is_drawn_once():
    plain = example()
    values = dict(plain.curve.value) | {"note_accuracy": (97.0,) * len(plain.curve.time_sec)}
    with_curve = plain.model_copy(update={"curve": plain.curve.model_copy(update={"value": values})})
    for shown in (plain, with_curve):
        assert [t.get_text() for t in texts(page(shown))].count("Note accuracy") == 1
        assert len(page(shown).axes) == 10
    without_alignment = with_curve.model_copy(update={"alignment": None, "alignment_reason": NO_SCORE})
    assert len(page(without_alignment).axes) == 10


def test_marks_stand_at_their_second():
    axes = page(example()).axes
    notes = next(a for a in axes if [t.get_text() for t in a.get_yticklabels()][-1:] == ["1 wrong"])
    marks = {
        float(line.get_xdata()[0]): round(float(line.get_ydata()[0]))
        for line in notes.lines
        if line.get_marker() in {"x", "o", "+"}
    }
    assert marks == {24.1: 2, 42.3: 1, 42.9: 0}
    bar_lines = [line.get_xdata()[0] for line in notes.lines if len(set(line.get_xdata())) == 1]
    assert pytest.approx(bar_sec(2)) in bar_lines


def test_all_staves_share_one_range_of_at_least_forty_points():
    low, high = picture._value_range(curve(), DIMENSIONS[1:])
    assert (low, high) == (30.0, 100.0)
    flat = Curve(time_sec=(1.0,), start_sec=(0.0,), end_sec=(2.0,), value={"phrasing": (99.0,)})
    assert picture._value_range(flat, ["phrasing"]) == (60.0, 100.0)
    flat = Curve(time_sec=(1.0,), start_sec=(0.0,), end_sec=(2.0,), value={"phrasing": (0.0,)})
    assert picture._value_range(flat, ["phrasing"]) == (0.0, 40.0)


def test_the_same_assessment_gives_the_same_picture(tmp_path):
    draw_curve(example(), tmp_path / "new/one.png")
    draw_curve(example(), tmp_path / "two.png")
    content = (tmp_path / "new/one.png").read_bytes()
    assert content == (tmp_path / "two.png").read_bytes()
    assert content.startswith(b"\x89PNG\r\n\x1a\n")
    assert struct.unpack(">I", content[16:20])[0] == 1800
    assert b"matplotlib" not in content
    assert sorted(p.name for p in tmp_path.iterdir()) == ["new", "two.png"]


def test_a_folder_that_cannot_be_written_is_an_error(tmp_path: Path):
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="cannot be written"):
        draw_curve(example(), tmp_path / "file" / "a.png")
