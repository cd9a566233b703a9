"""`tocco pseudo-label fit-norms`: two studies that have everything in them, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from rater_etude import play
from tocco.apps.cli.main import app
from tocco.apps.commands.fit_norms import differences, read_pool_performance
from tocco.data.records import LabelRecord, read_labels, write_labels
from tocco.errors import InputError
from tocco.music.midi import save_midi
from tocco.music.performance import PedalCurve
from tocco.music.score import load_score
from tocco.pseudo_labels.norms.model import Norms, read_norms, reference_norms

DIVISIONS = 8
BAR = 4 * DIVISIONS
LENGTHS = (1, 2, 4, 8, 16)
SIGNS = ("", "staccato", "slur")
N_BARS = len(LENGTHS) * len(SIGNS)
STEPS = "CDEFGABAGFED"
HELD = {"": 0.9, "staccato": 0.4, "slur": 1.05}
LIFT_SEC, PRESS_SEC = 0.04, 0.06


def note(
    step: str, octave: int, duration: int, staff: int, notations: str = "", *, chord: bool = False
) -> str:
    pitch = f"<pitch><step>{step}</step><octave>{octave}</octave></pitch><duration>{duration}</duration>"
    inside = f"<notations>{notations}</notations>" if notations else ""
    place = f"<voice>{staff}</voice><staff>{staff}</staff>"
    return f"<note>{'<chord/>' if chord else ''}{pitch}{place}{inside}</note>"


def direction(inside: str) -> str:
    return f"<direction><direction-type>{inside}</direction-type><staff>1</staff></direction>"


def bar(number: int) -> str:
    """A scale in notes of one length under one sign, over two chords; once the lower staff plays alone."""
    length, sign = LENGTHS[number // len(SIGNS)], SIGNS[number % len(SIGNS)]
    upper, n = "", BAR // length
    for k in range(n):
        notations = "<articulations><staccato/></articulations>" if sign == "staccato" else ""
        if sign == "slur" and k in (0, n - 1):
            notations = f'<slur type="{"stop" if k else "start"}" number="1"/>'
        if number == 9 and k == 2:
            notations += "<articulations><accent/></articulations>"
        if number == 12 and k == n - 1:
            upper += f"<note><rest/><duration>{length}</duration><voice>1</voice><staff>1</staff></note>"
            continue
        upper += note(STEPS[k % len(STEPS)], 5, length, 1, notations)
    lower = ""
    for half in range(2):
        root = STEPS[(3 * number + 2 * half) % 7]
        lower += note(root, 2 + number % 2, BAR // 2, 2)
        lower += note("G", 3, BAR // 2, 2, chord=True) + note("B", 3, BAR // 2, 2, chord=True)
    marks = {0: "<dynamics><p/></dynamics>", 8: "<dynamics><f/></dynamics>"}
    marks |= {3: '<wedge type="crescendo"/>', 5: '<wedge type="stop"/>'}
    mark = direction(marks[number]) if number in marks else ""
    return mark + upper + f"<backup><duration>{BAR}</duration></backup>" + lower


def write_score(path: Path) -> None:
    opening = (
        f"<attributes><divisions>{DIVISIONS}</divisions><key><fifths>0</fifths></key>"
        "<time><beats>4</beats><beat-type>4</beat-type></time><staves>2</staves></attributes>"
    )
    bars = "".join(
        f'<measure number="{k + 1}">{opening if k == 0 else ""}{bar(k)}</measure>' for k in range(N_BARS)
    )
    path.write_text(
        '<score-partwise version="3.1"><part-list><score-part id="P1"><part-name>x</part-name></score-part>'
        f'</part-list><part id="P1">{bars}</part></score-partwise>'
    )


def pedalled(beat_sec: float) -> PedalCurve:
    """Down before the first note; a change with each odd bar, up before its end, down with each even bar."""
    bars = 1.0 + 4.0 * beat_sec * np.arange(0, N_BARS, 2)
    moves = (LIFT_SEC, LIFT_SEC + 0.1, 2.6 * beat_sec, 4.0 * beat_sec + PRESS_SEC)
    time_sec = np.concatenate([bars + after for after in moves])
    down_and_moves = np.concatenate([[0.3], np.sort(time_sec)])
    return PedalCurve(down_and_moves, np.append(127.0, np.tile([0.0, 127.0, 0.0, 127.0], len(bars))))


def write_take(folder: Path, name: str, beat_sec: float, rng: np.random.Generator) -> LabelRecord:
    """The study as it is written, with the beats accent; a little uneven, soft with the soft pedal."""
    score_path = folder / "study.musicxml"
    score = load_score(score_path)
    sign = [
        "staccato" if "staccato" in names else "slur" if "slur" in names else ""
        for names in score.articulation
    ]
    is_soft = (score.onset_beat >= 24.0) & (score.onset_beat < 32.0)
    on_beat = score.onset_beat % 1.0 == 0.0
    velocity = (
        70.0 + 0.5 * (score.pitch - 60) + 6.0 * on_beat - 20.0 * is_soft + rng.normal(0.0, 2.0, len(score))
    )
    performance, _ = play(
        score,
        sec_of_beat=lambda beat: beat_sec * beat,
        velocity=velocity,
        held=np.array([HELD[one] for one in sign]),
        sustain=pedalled(beat_sec),
    )
    soft = PedalCurve(1.0 + beat_sec * np.array([24.0, 32.0]), np.array([127.0, 0.0]))
    save_midi(replace(performance, soft=soft), folder / f"{name}.mid")
    return LabelRecord(
        segment_id=name,
        piece_id=f"study/{name}",
        source="made up",
        midi_path=folder / f"{name}.mid",
        score_path=score_path,
        labels={},
    )


@pytest.fixture(scope="module")
def pool(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two pieces: the study at two tempi, so that every written time is met."""
    folder, rng = tmp_path_factory.mktemp("pool"), np.random.default_rng(1)
    write_score(folder / "study.musicxml")
    records = [write_take(folder, name, sec, rng) for name, sec in (("slow", 0.85), ("quick", 0.7))]
    write_labels(records, folder / "pool.jsonl")
    return folder / "pool.jsonl"


def fit(labels: Path, output: Path, *options: object) -> str:
    arguments = ["pseudo-label", "fit-norms", labels, "-o", output, "--share", 1.0, *options]
    result = CliRunner().invoke(app, [str(one) for one in arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


@pytest.fixture(scope="module")
def fitted(pool: Path) -> tuple[Norms, str]:
    output = pool.parent / "fitted" / "norms.json"
    said = fit(pool, output, "--seed", 3)
    return read_norms(output.read_text(), str(output)), said


def test_the_touch_of_the_studies_is_found(fitted: tuple[Norms, str]) -> None:
    touch = fitted[0].touch
    for sign, column in (("staccato", touch.usual.staccato), ("slur", touch.usual.slurred)):
        np.testing.assert_allclose(column, np.log(HELD[sign] + 0.005 / np.array(touch.value_sec)), atol=0.06)
    np.testing.assert_allclose(touch.usual.plain, np.log(HELD[""]), atol=0.09)
    assert touch.n_notes == pytest.approx(2 * (3 * 62 + N_BARS * 6), rel=0.02)


def test_what_else_was_planted_is_found(fitted: tuple[Norms, str]) -> None:
    norms = fitted[0]
    assert norms.level.velocity.soft_pedal < -5.0
    assert norms.level.velocity.top > 0.0
    assert norms.level.n_folds == 2
    assert norms.accents.velocity.beat == pytest.approx(6.0, abs=1.5)
    assert norms.accents.velocity.pitch == pytest.approx(0.5, abs=0.15)
    assert norms.accents.correlation > 0.5
    assert norms.pedal.lift.lag_sec["50"] == pytest.approx(LIFT_SEC, abs=0.005)
    assert norms.pedal.press.lag_sec["50"] == pytest.approx(PRESS_SEC, abs=0.005)


def test_it_says_what_it_was_fitted_on_and_what_moved(fitted: tuple[Norms, str]) -> None:
    norms, said = fitted
    assert norms.pool.pieces == ("study/quick", "study/slow")
    assert (norms.pool.n_performances, norms.pool.seed, norms.pool.corpora) == (2, 3, {"made up": 2})
    assert "performances of 2 pieces" in said
    assert (
        f"accents: {norms.accents.n_notes} notes, correlation with expected accents "
        f"{norms.accents.correlation:.2f} in" in said
    )
    assert "pedal: lag of the lift after the onset, 10 % 40 ms, 25 % 40 ms" in said
    assert "changed from the norms in use: touch.usual.staccato.0 " in said
    assert "fit the scale again" in said
    assert "left out: " not in said


@pytest.mark.slow
def test_a_second_run_writes_the_same_bytes_with_more_jobs(
    pool: Path, fitted: tuple[Norms, str], tmp_path: Path
) -> None:
    fit(pool, tmp_path / "again.json", "--seed", 3, "--jobs", 2)
    assert (tmp_path / "again.json").read_bytes() == (pool.parent / "fitted" / "norms.json").read_bytes()


def test_a_score_of_other_music_is_left_out_with_its_reason(pool: Path, tmp_path: Path) -> None:
    record = read_labels(pool)[0]
    broken = tmp_path / "other.musicxml"
    broken.write_text("<score-partwise/>")
    read = read_pool_performance(record.model_copy(update={"score_path": broken}))
    assert read.sample is None
    assert "other.musicxml" in read.refusal


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--share", 0.0), "--share: is 0 (allowed: more than 0, up to 1)."),
        (("--takes", 1), "pool: has too few pieces of which enough notes match: 1 (allowed: at least 2)."),
    ],
)
def test_a_pool_that_is_no_pool_is_refused(
    pool: Path, tmp_path: Path, options: tuple[object, ...], said: str
) -> None:
    first = read_labels(pool)[0]
    alone = tmp_path / "alone.jsonl"
    write_labels([first], alone)
    with pytest.raises(InputError) as caught:
        fit(alone, tmp_path / "norms.json", *options)
    assert str(caught.value).startswith(said)
    assert not (tmp_path / "norms.json").exists()


def test_differences_are_named_one_by_one() -> None:
    norms = reference_norms()
    assert differences(norms, norms) == []
    usual = norms.touch.usual.model_copy(update={"octave": -0.5})
    velocity = norms.level.velocity.model_copy(update={"mark": 9.0})
    slurred = norms.accents.velocity.model_copy(update={"slur": -2.0})
    other = norms.model_copy(
        update={
            "touch": norms.touch.model_copy(update={"usual": usual, "n_notes": 1}),
            "level": norms.level.model_copy(update={"velocity": velocity}),
            "accents": norms.accents.model_copy(update={"velocity": slurred, "n_notes": 1}),
        }
    )
    assert differences(norms, other) == [
        f"touch.usual.octave {norms.touch.usual.octave:g} -> -0.5",
        f"level.mark {norms.level.velocity.mark:g} -> 9",
        f"accents.slur {norms.accents.velocity.slur:g} -> -2",
    ]
