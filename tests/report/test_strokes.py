"""The rating curve as lines to draw."""

from tocco.inference.assessment import Curve
from tocco.report.strokes import curve_strokes


def test_rests_and_missing_values_break_the_line():
    broken = Curve(
        time_sec=(1.0, 3.0, 9.0, 11.0, 13.0),
        start_sec=(0.0, 2.0, 8.0, 10.0, 12.0),
        end_sec=(2.0, 4.0, 10.0, 12.0, 14.0),
        value={"phrasing": (50.0, 52.0, 60.0, None, 70.0)},
    )
    lines = [(t.tolist(), v.tolist()) for t, v, _, _ in curve_strokes(broken, "phrasing")]
    assert lines == [
        ([0.0, 1.0, 3.0, 4.0], [50.0, 50.0, 52.0, 52.0]),
        ([8.0, 9.0, 10.0], [60.0, 60.0, 60.0]),
        ([12.0, 13.0, 14.0], [70.0, 70.0, 70.0]),
    ]
