"""The three sentences at the top."""

from __future__ import annotations

from assessment_example import example
from tocco.inference.assessment import Aggregate, Assessment
from tocco.report.page.summary import heard_file, summary


def changed(**inputs: object) -> Assessment:
    made = example().model_dump(mode="json")
    made["inputs"] |= inputs
    return Assessment.model_validate(made)


def test_what_was_rated_and_from_what() -> None:
    what, result, trust = summary(changed(music={"start_sec": 1.0, "end_sec": 63.0}))
    assert what == (
        "etude.flac (1:02 of music) was rated beside the score etude.musicxml, from the recording and the "
        "MIDI of the keys."
    )
    assert result == ("The weighted mean of its ratings is 74.5 of 100, with an interval from 68 to 80.")
    assert trust == (
        "9 ratings are learned from raters, with intervals 26 points wide on average: a few points more "
        "or less say nothing; note accuracy is computed from MIDI and score."
    )


def test_rendered_sound_and_transcribed_notes_are_named() -> None:
    derived = example().inputs.audio.model_dump() | {"origin": "derived", "name": "etude.mid"}
    rendered = changed(sound="rendered", audio=derived)
    assert heard_file(rendered).name == "etude.mid"
    assert "its sound was rendered" in summary(rendered)[0]
    assert "from the recording and notes that were transcribed" in summary(changed(notes="transcribed"))[0]
    both = summary(changed(sound="rendered", notes="transcribed", audio=derived))[0]
    assert "from transcribed notes alone: their sound was rendered" in both
    assert "was rated without a score" in summary(example(score=False))[0]


def test_a_recording_alone_is_said_with_its_transcriber() -> None:
    derived = example().inputs.midi.model_dump() | {"origin": "derived", "name": "etude.flac"}
    alone = changed(
        notes="transcribed",
        midi=derived,
        transcriber="hearer 3",
        transcription_sha256="e" * 64,
        synchrony=None,
    )
    what, _, trust = summary(alone)
    assert "from the recording alone: its notes were transcribed by hearer 3, so soft notes" in what
    assert trust.endswith("note accuracy is computed from transcribed notes and score.")
    command = changed(**(alone.inputs.model_dump() | {"transcriber": "/opt/hear --fast {audio} {midi}"}))
    assert "transcribed by the command 'hear', so" in summary(command)[0]


def test_no_overall_mark_has_its_reason() -> None:
    without = Aggregate(value=None, weights={}, reason="missing: phrasing")
    said = summary(example().model_copy(update={"aggregate": without}))[1]
    assert said == "There is no overall mark (missing: phrasing)."


def test_where_nothing_was_rated_the_performance_was_examined() -> None:
    abstained = example().model_copy(update={"abstained": True})
    assert "was examined beside the score etude.musicxml" in summary(abstained)[0]
