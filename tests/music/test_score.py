"""Scores: known answers on small pages written out in full, and files that are refused."""

from __future__ import annotations

import io
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
import symusic
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tocco.errors import InputError
from tocco.music.score import Score, load_score, score_readings

OPENING = (
    "<attributes><divisions>2</divisions><key><fifths>0</fifths></key>"
    "<time><beats>2</beats><beat-type>4</beat-type></time></attributes>"
)
FORWARD = '<barline location="left"><repeat direction="forward"/></barline>'
BACKWARD = '<barline location="right"><repeat direction="backward"/></barline>'


def note(pitch: str, duration: int = 2, inside: str = "", *, before: str = "", voice: int = 1) -> str:
    """One note; `before` stands ahead of the pitch, `inside` after the voice."""
    length = f"<duration>{duration}</duration>" if duration else ""
    pitch_xml = f"<pitch><step>{pitch[0]}</step><octave>{pitch[-1]}</octave></pitch>"
    return f"<note>{before}{pitch_xml}{length}<voice>{voice}</voice>{inside}</note>"


def page(*bars: str, parts: int = 1, opening: str = OPENING) -> str:
    """A score-partwise document; every part has the same bars."""
    listed = "".join(
        f'<score-part id="P{i}"><part-name>x</part-name></score-part>' for i in range(1, parts + 1)
    )
    content = "".join(
        f'<measure number="{number}">{opening if number == 1 else ""}{bar}</measure>'
        for number, bar in enumerate(bars, start=1)
    )
    body = "".join(f'<part id="P{i}">{content}</part>' for i in range(1, parts + 1))
    return f'<score-partwise version="3.1"><part-list>{listed}</part-list>{body}</score-partwise>'


def write(tmp_path: Path, text: str, name: str = "page.musicxml") -> Path:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


def read(tmp_path: Path, text: str, **options: str) -> Score:
    return load_score(write(tmp_path, text), **options)  # type: ignore[arg-type]


def bars_of(score: Score) -> str:
    return " ".join(score.bar_name)


TWO = note("C4") + note("D4")


def test_notes_bars_and_metre_changes(tmp_path: Path) -> None:
    change = "<attributes><time><beats>6</beats><beat-type>8</beat-type></time></attributes>"
    score = read(tmp_path, page(TWO, change + note("E4", 3) + note("F4", 3), TWO))
    np.testing.assert_array_equal(score.onset_beat, [0, 1, 2, 3.5, 5, 6])
    np.testing.assert_array_equal(score.duration_beat, [1, 1, 1.5, 1.5, 1, 1])
    np.testing.assert_array_equal(score.pitch, [60, 62, 64, 65, 60, 62])
    np.testing.assert_array_equal(score.bar, [0, 0, 1, 1, 2, 2])
    np.testing.assert_array_equal(score.bar_onset_beat, [0, 2, 5])
    assert score.bar_name == ("1", "2", "3")
    assert score.repeats == "as written"
    assert (score.velocity == 0).all()
    assert score.bar_index_at(4.99) == 1
    assert score.bar_index_at(-3) == 0
    assert score.bar_index_at(99) == 2
    assert score.bar_metre == ((2, 4), (6, 8), (6, 8))


def test_notes_keep_their_printed_names(tmp_path: Path) -> None:
    altered = "<step>{}</step><alter>{}</alter>"
    bar = (
        note("B3").replace("<step>B</step>", altered.format("B", -1))
        + note("F5", 1).replace("<step>F</step>", altered.format("F", 2))
        + note("C4", 1).replace("<step>C</step>", altered.format("C", -1))
    )
    score = read(tmp_path, page(bar))
    assert score.spelling == ("Bb3", "F##5", "Cb4")
    np.testing.assert_array_equal(score.pitch, [58, 79, 59])


def test_a_pickup_bar_starts_at_zero_and_keeps_its_printed_name(tmp_path: Path) -> None:
    text = page(note("G4"), TWO).replace('number="2"', 'number="1"').replace('number="1"', 'number="0"', 1)
    score = read(tmp_path, text)
    assert score.bar_name == ("0", "1")
    np.testing.assert_array_equal(score.bar_beats, [1, 2])
    np.testing.assert_array_equal(score.onset_beat, [0, 1, 2])


def test_divisions_may_change_on_the_way(tmp_path: Path) -> None:
    finer = "<attributes><divisions>6</divisions></attributes>"
    score = read(tmp_path, page(TWO, finer + note("E4", 2) + note("F4", 2) + note("G4", 2) + note("A4", 6)))
    np.testing.assert_allclose(score.onset_beat, [0, 1, 2, 2 + 1 / 3, 2 + 2 / 3, 3], atol=1e-8)


def test_ties_are_joined_across_the_bar(tmp_path: Path) -> None:
    start, stop = '<tie type="start"/>', '<tie type="stop"/>'
    held = "<pitch><step>D</step><octave>4</octave></pitch><duration>2</duration>"
    first = note("C4") + f"<note>{held}{start}<voice>1</voice></note>"
    second = f"<note>{held}{stop}<voice>1</voice></note>" + note("E4")
    score = read(tmp_path, page(first, second))
    np.testing.assert_array_equal(score.pitch, [60, 62, 64])
    np.testing.assert_array_equal(score.duration_beat, [1, 2, 1])


def test_grace_notes_stand_where_their_note_stands(tmp_path: Path) -> None:
    grace = note("E4", 0, before='<grace slash="yes"/>')
    score = read(tmp_path, page(note("C4") + grace + note("D4")))
    np.testing.assert_array_equal(score.is_grace, [False, False, True])
    np.testing.assert_array_equal(score.onset_beat, [0, 1, 1])
    np.testing.assert_array_equal(score.duration_beat, [1, 1, 0])


def leads(score: Score) -> list[tuple[int, int]]:
    """Pitch and place before its main note of each small note, from the first to the last."""
    small = np.flatnonzero(score.is_grace)
    return sorted(((int(score.pitch[n]), score.grace_lead[n]) for n in small), key=lambda p: (-p[1], p[0]))


def test_small_notes_keep_their_order(tmp_path: Path) -> None:
    run = "".join(note(pitch, 0, before="<grace/>") for pitch in ("E5", "C5", "D5", "E5", "B4"))
    score = read(tmp_path, page(note("C4") + run + note("D4")))
    assert leads(score) == [(76, 5), (72, 4), (74, 3), (76, 2), (71, 1)]
    assert [n for n, small in zip(score.grace_lead, score.is_grace, strict=True) if not small] == [0, 0]


def test_small_notes_of_a_chord_share_their_place(tmp_path: Path) -> None:
    def small(pitch: str, *, in_chord: bool = False) -> str:
        return note(pitch, 0, before="<grace/>" + "<chord/>" * in_chord)

    two_chords = small("C5") + small("E5", in_chord=True) + small("F5") + small("A5", in_chord=True)
    score = read(tmp_path, page(TWO, note("C4") + small("G5") + two_chords + note("D4")))
    assert leads(score) == [(79, 3), (72, 2), (76, 2), (77, 1), (81, 1)]


def test_small_notes_of_two_voices_are_counted_apart_and_on_every_pass(tmp_path: Path) -> None:
    upper = note("C5", 0, before="<grace/>") + note("D5", 0, before="<grace/>") + note("E5", 4)
    back = "<backup><duration>4</duration></backup>"
    lower = note("C3", 0, before="<grace/>", voice=2) + note("E3", 4, voice=2)
    score = read(tmp_path, page(TWO, upper + back + lower + BACKWARD))
    assert leads(score) == 2 * [(72, 2)] + 2 * [(48, 1)] + 2 * [(74, 1)]


def test_signs_at_the_notes(tmp_path: Path) -> None:
    marked = "<notations><articulations><staccato/><accent/></articulations></notations>"
    trill = "<notations><ornaments><trill-mark/></ornaments><fermata/></notations>"
    begin, end = (f'<notations><slur type="{t}" number="1"/></notations>' for t in ("start", "stop"))
    score = read(
        tmp_path,
        page(note("C4", 2, marked) + note("D4", 2, trill), note("E4", 2, begin) + note("F4", 2, end)),
    )
    names = [set(signs.split(",")) for signs in score.articulation]
    assert names == [{"staccato", "accent"}, {"trill-mark", "fermata"}, {"slur"}, {""}]


def test_directions_become_marks_with_their_ends(tmp_path: Path) -> None:
    def direction(inner: str) -> str:
        return f"<direction><direction-type>{inner}</direction-type></direction>"

    score = read(
        tmp_path,
        page(
            direction("<dynamics><p/></dynamics>")
            + direction("<words>Allegretto</words>")
            + '<sound tempo="96"/>'
            + TWO,
            direction('<wedge type="crescendo" number="1"/>') + TWO,
            note("C4") + direction('<wedge type="stop" number="1"/>') + note("D4"),
        ),
    )
    assert score.tempo_bpm == 96
    found = {(m.kind, m.text): (m.onset_beat, m.end_beat) for m in score.marks}
    assert found["dynamics", "p"] == (0, 0)
    assert found["crescendo", "crescendo"] == (2, 5)
    assert ("tempo", "Allegretto") in found
    assert found["tempo", "quarter = 96"] == (0, 0)


def test_voices_and_staves_of_several_parts_are_told_apart(tmp_path: Path) -> None:
    second = note("C3", 4, "<staff>2</staff>", voice=5)
    bar = TWO + "<backup><duration>4</duration></backup>" + second
    one = read(tmp_path, page(bar))
    np.testing.assert_array_equal(one.pitch, [48, 60, 62])
    np.testing.assert_array_equal(one.staff, [2, 1, 1])
    np.testing.assert_array_equal(one.voice, [5, 1, 1])
    two = read(tmp_path, page(bar, parts=2))
    assert sorted(two.staff.tolist()) == [1, 1, 2, 3, 3, 4]
    assert len(set(two.note_id)) == 6


def test_cue_notes_are_not_to_be_played(tmp_path: Path) -> None:
    score = read(tmp_path, page(note("C4", before="<cue/>") + note("D4")))
    np.testing.assert_array_equal(score.pitch, [62])
    np.testing.assert_array_equal(score.onset_beat, [1])


def test_small_notes_of_musescore_are_played(tmp_path: Path) -> None:
    """MuseScore marks the small notes of a cadenza as cues."""
    written = page(note("C4", before="<cue/>") + note("D4"))
    software = "<identification><encoding><software>MuseScore 3.4.2</software></encoding></identification>"
    score = read(tmp_path, written.replace("<part-list>", f"{software}<part-list>"))
    np.testing.assert_array_equal(score.pitch, [60, 62])


def tremolo(slashes: int, kind: str) -> str:
    sign = f'<tremolo type="{kind}">{slashes}</tremolo>'
    return f"<type>half</type><notations><ornaments>{sign}</ornaments></notations>"


def test_a_measured_tremolo_between_two_chords_is_written_out(tmp_path: Path) -> None:
    low, high = note("C4", 2, tremolo(1, "start")), note("G4", 2, tremolo(1, "stop"))
    score = read(tmp_path, page(low + note("E4", 2, before="<chord/>") + high, TWO))
    np.testing.assert_array_equal(score.pitch, [60, 64, 67, 60, 64, 67, 60, 62])
    np.testing.assert_array_equal(score.onset_beat, [0, 0, 0.5, 1, 1, 1.5, 2, 3])
    np.testing.assert_array_equal(score.duration_beat, [0.5] * 6 + [1, 1])
    assert set(score.articulation) == {""}
    assert len(set(score.note_id)) == 8


def test_a_measured_tremolo_on_one_note_is_repeated(tmp_path: Path) -> None:
    score = read(tmp_path, page(note("C4", 4, tremolo(1, "single"))))
    np.testing.assert_array_equal(score.onset_beat, [0, 0.5, 1, 1.5])


@pytest.mark.parametrize("slashes", [0, 3])
def test_a_free_tremolo_stays_one_note_with_its_sign(tmp_path: Path, slashes: int) -> None:
    score = read(tmp_path, page(note("C4", 4, tremolo(slashes, "single"))))
    assert score.articulation == ("tremolo",)
    np.testing.assert_array_equal(score.duration_beat, [2])


def test_unprinted_rests_do_not_lengthen_a_pickup(tmp_path: Path) -> None:
    hidden = '<note print-object="no"><rest/><duration>3</duration><voice>{}</voice></note>'
    pickup = (
        note("G4", 1)
        + hidden.format(1)
        + "<backup><duration>4</duration></backup>"
        + note("G2", 1, voice=5)
        + hidden.format(5)
    )
    score = read(tmp_path, page(pickup, TWO))
    np.testing.assert_array_equal(score.bar_beats, [0.5, 2])
    np.testing.assert_array_equal(score.onset_beat, [0, 0, 0.5, 1.5])


def test_whole_numbers_written_with_a_point_are_read(tmp_path: Path) -> None:
    text = page(note("C4") + note("D4")).replace("<duration>2</duration>", "<duration>2.0</duration>")
    np.testing.assert_array_equal(read(tmp_path, text).onset_beat, [0, 1])


def test_a_repeat_is_played_twice_and_its_notes_are_renamed(tmp_path: Path) -> None:
    path = write(tmp_path, page(TWO, note("E4") + note("F4") + BACKWARD, TWO))
    full = load_score(path)
    assert full.repeats == "all repeats"
    assert bars_of(full) == "1 2 1 2 3"
    np.testing.assert_array_equal(full.onset_beat, np.arange(10))
    np.testing.assert_array_equal(full.bar_onset_beat, [0, 2, 4, 6, 8])
    first = full.note_id[0]
    assert full.note_id[4] == f"{first}-2"
    assert len(set(full.note_id)) == 10
    assert bars_of(load_score(path, repeats="none")) == "1 2 3"
    assert bars_of(load_score(path, repeats="all")) == "1 2 1 2 3"
    assert [bars_of(r) for r in score_readings(path)] == ["1 2 1 2 3", "1 2 3"]


def test_every_combination_of_two_repeats_is_offered(tmp_path: Path) -> None:
    path = write(tmp_path, page(TWO + BACKWARD, FORWARD + TWO + BACKWARD))
    readings = score_readings(path)
    assert {bars_of(r) for r in readings} == {"1 1 2 2", "1 2 2", "1 1 2", "1 2"}
    assert readings[0].repeats == "all repeats"
    assert {r.repeats for r in readings[1:]} == {"some repeats", "no repeats"}


def test_first_and_second_endings(tmp_path: Path) -> None:
    def ending(number: int, repeat: str) -> str:
        start = f'<barline location="left"><ending number="{number}" type="start"/></barline>'
        stop = f'<barline location="right"><ending number="{number}" type="stop"/>{repeat}</barline>'
        return start + TWO + stop

    path = write(tmp_path, page(TWO, ending(1, '<repeat direction="backward"/>'), ending(2, ""), TWO))
    assert [bars_of(r) for r in score_readings(path)] == ["1 2 1 3 4", "1 3 4"]


def test_da_capo_al_fine_is_played_without_repeats_the_second_time(tmp_path: Path) -> None:
    fine = '<direction><direction-type><words>Fine</words></direction-type><sound fine="yes"/></direction>'
    capo = '<direction><direction-type><words>D.C.</words></direction-type><sound dacapo="yes"/></direction>'
    path = write(tmp_path, page(TWO, TWO + BACKWARD + fine, TWO, TWO + capo))
    assert bars_of(load_score(path)) == "1 2 1 2 3 4 1 2"
    assert "1 2 1 2 3 4 1 2 1 2" in {bars_of(r) for r in score_readings(path)}
    assert bars_of(load_score(path, repeats="none")) == "1 2 3 4 1 2"


def test_marks_are_unfolded_with_the_bars(tmp_path: Path) -> None:
    loud = "<direction><direction-type><dynamics><f/></dynamics></direction-type></direction>"
    score = read(tmp_path, page(TWO, loud + TWO + BACKWARD))
    assert [m.onset_beat for m in score.marks] == [2, 6]


def test_many_repeats_stay_within_the_limit(tmp_path: Path) -> None:
    path = write(tmp_path, page(*[FORWARD + TWO + BACKWARD] * 12))
    readings = score_readings(path)
    lengths = sorted(len(r.bar_name) for r in readings)
    assert lengths[0] == 12
    assert lengths[-1] == 24
    assert len(readings) == 26


@settings(max_examples=12, deadline=None)
@example(repeats=[True] * 6)
@given(repeats=st.lists(st.booleans(), min_size=1, max_size=6))
def test_the_full_reading_plays_each_bar_as_often_as_its_repeat_says(
    tmp_path_factory: pytest.TempPathFactory, repeats: list[bool]
) -> None:
    folder = tmp_path_factory.mktemp("repeats")
    bars = [FORWARD + TWO + BACKWARD if repeat else TWO for repeat in repeats]
    path = write(folder, page(*bars))
    expected = [str(i) for i, repeat in enumerate(repeats, 1) for _ in range(1 + repeat)]
    assert list(load_score(path).bar_name) == expected
    assert len(score_readings(path)) == 2 ** sum(repeats)


def mxl(files: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return stream.getvalue()


CONTAINER = b'<container><rootfiles><rootfile full-path="a.xml"/></rootfiles></container>'


def test_a_compressed_score_reads_like_the_plain_one(tmp_path: Path) -> None:
    plain = read(tmp_path, page(TWO, TWO))
    path = tmp_path / "page.mxl"
    path.write_bytes(mxl({"META-INF/container.xml": CONTAINER, "a.xml": page(TWO, TWO).encode()}))
    packed = load_score(path)
    np.testing.assert_array_equal(packed.onset_beat, plain.onset_beat)
    assert packed.note_id == plain.note_id


def test_utf_16_is_read(tmp_path: Path) -> None:
    path = tmp_path / "page.xml"
    path.write_bytes(('<?xml version="1.0" encoding="UTF-16"?>' + page(TWO)).encode("utf-16"))
    assert len(load_score(path)) == 2


def score_midi(path: Path, onsets: np.ndarray, metre: tuple[int, int] = (3, 4)) -> Path:
    midi = symusic.Score(480)
    midi.tempos.append(symusic.Tempo(0, qpm=90))
    midi.time_signatures.append(symusic.TimeSignature(0, *metre))
    track = symusic.Track()
    for i, onset in enumerate(onsets):
        track.notes.append(symusic.Note(int(onset), 240, 60 + i % 12, 50 + i % 40))
    midi.tracks.append(track)
    midi.dump_midi(path)
    return path


def test_score_midi_keeps_velocity_tempo_and_metre(tmp_path: Path) -> None:
    score = load_score(score_midi(tmp_path / "s.mid", np.arange(12) * 240))
    np.testing.assert_array_equal(score.onset_beat, np.arange(12) / 2)
    np.testing.assert_array_equal(score.velocity, 50 + np.arange(12))
    np.testing.assert_array_equal(score.bar_onset_beat, [0, 3])
    assert score.bar_name == ("1", "2")
    assert score.tempo_bpm == 90
    assert (score.staff == 0).all()


def test_a_performance_is_not_a_score(tmp_path: Path, rng: np.random.Generator) -> None:
    path = score_midi(tmp_path / "p.mid", np.sort(rng.integers(0, 48_000, 200)))
    with pytest.raises(InputError, match="is a performance, not a score"):
        load_score(path)


@pytest.mark.parametrize("start", [0, 480])
def test_a_midi_of_absurd_length_is_refused_at_once(tmp_path: Path, start: int) -> None:
    path = score_midi(tmp_path / "long.mid", np.array([start, 200_000_000]))
    with pytest.raises(InputError, match="beats long"):
        load_score(path)


REFUSED = {
    "empty": (b"", "is empty"),
    "text": (b"hello", "is not a score"),
    "broken xml": (page(TWO)[:-30].encode(), "broken XML"),
    "other xml": (b"<html><body/></html>", "no MusicXML"),
    "timewise": (b"<score-timewise/>", "ordered by time"),
    "no notes": (page("").encode(), "has no notes"),
    "wav": (b"RIFF\x00\x00\x00\x00WAVEfmt ", "an audio recording"),
    "flac": (b"fLaC\x00\x00\x00\x22", "an audio recording"),
    "pdf": (b"%PDF-1.4", "a picture of a score"),
    "broken midi": (b"MThd\x00\x00\x00\x06\x00\x01\x00\x01\x01\xe0MTrk\xff\xff", "score|broken|notes"),
    "film frames": (b"MThd\x00\x00\x00\x06\x00\x01\x00\x01\xe7\x28MTrk\x00\x00\x00\x00", "film frames"),
    "broken zip": (b"PK\x03\x04garbage", "broken .mxl"),
    "zip without score": (mxl({"a.txt": b"x"}), "without a score"),
    "zip with dangling name": (mxl({"META-INF/container.xml": CONTAINER}), "does not hold"),
    "zip bomb": (
        mxl({"META-INF/container.xml": CONTAINER, "a.xml": bytes(65 * 2**20)}),
        "unpacks 'a.xml' to more than",
    ),
    "container bomb": (mxl({"META-INF/container.xml": bytes(2**20)}), "to more than"),
    "laughing entities": (
        b'<!DOCTYPE s [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]><score-partwise>&b;</score-partwise>',
        "declares XML entities",
    ),
    "external entity": (
        b'<!DOCTYPE s [<!ENTITY x SYSTEM "file:///etc/hostname">]><score-partwise>&x;</score-partwise>',
        "declares XML entities",
    ),
    "deep": (b"<score-partwise>" + b"<a>" * 100 + b"</a>" * 100 + b"</score-partwise>", "levels deep"),
    "quarter tone": (page(TWO).replace("<octave>", "<alter>0.5</alter><octave>").encode(), "alter of '0.5'"),
    "no divisions": (page(TWO).replace("<divisions>2", "<divisions>0").encode(), "divisions of '0'"),
    "pitch without step": (page(TWO).replace("<step>C</step>", "").encode(), "cannot be read as music"),
    "high pitch": (page(TWO).replace("<octave>4", "<octave>14").encode(), "MIDI pitch"),
    "endless note": (page(note("C4", 10**9)).encode(), "outside the score's time"),
    "clarinet": (
        page("<attributes><transpose><chromatic>-2</chromatic></transpose></attributes>" + TWO).encode(),
        "transposing instrument",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_bad_files_are_refused_in_one_line(tmp_path: Path, case: str) -> None:
    content, problem = REFUSED[case]
    path = tmp_path / "bad.musicxml"
    path.write_bytes(content)
    with pytest.raises(InputError, match=problem) as caught:
        load_score(path)
    message = str(caught.value)
    assert message.startswith(str(path))
    assert "\n" not in message


def test_missing_files_and_folders_are_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not exist"):
        load_score(tmp_path / "none.xml")
    with pytest.raises(InputError, match="is a folder"):
        load_score(tmp_path)
    with pytest.raises(InputError, match="repeats"):
        load_score(write(tmp_path, page(TWO)), repeats="twice")  # type: ignore[arg-type]


def test_partitura_is_imported_late_and_without_the_synthesiser(tmp_path: Path) -> None:
    path = write(tmp_path, page(TWO))
    script = (
        "import sys, tocco.music.score as s\n"
        "assert 'partitura' not in sys.modules\n"
        "import fluidsynth\n"
        f"assert len(s.load_score({str(path)!r})) == 2\n"
        "assert sys.modules['fluidsynth'] is fluidsynth\n"
        "assert not sys.modules['partitura'].utils.fluidsynth.HAS_FLUIDSYNTH\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.data
def test_every_vienna_and_percepiano_score_is_read(corpus_dir: Path) -> None:
    vienna = sorted((corpus_dir / "vienna4x22" / "musicxml").glob("*.musicxml"))
    assert [len(load_score(path)) for path in vienna] == [486, 731, 482, 328]
    for path in sorted((corpus_dir / "percepiano" / "score_xml").glob("*.musicxml"))[::8]:
        score = load_score(path)
        assert (np.diff(score.onset_beat) >= 0).all()
        assert (np.diff(score.bar_onset_beat) > 0).all()


@pytest.mark.data
@pytest.mark.slow
def test_scores_hold_the_same_notes_as_their_midi(corpus_dir: Path) -> None:
    """An independent reference: the notation program's own MIDI of the 81 PercePiano scores.

    Notes on the beat of the score agree within half a beat (the program rolls chords and plays
    grace notes before or on the beat); one score has a turn, which the program plays as four notes.
    """
    folder = corpus_dir / "percepiano"
    differing = []
    for path in sorted((folder / "score_xml").glob("*.musicxml")):
        page_notes, midi_notes = load_score(path), load_score(folder / "score_midi" / f"{path.stem}.mid")
        if len(page_notes) != len(midi_notes):
            differing.append(path.stem)
            continue
        main = ~page_notes.is_grace
        for pitch in np.unique(page_notes.pitch[main]):
            written = page_notes.onset_beat[main & (page_notes.pitch == pitch)]
            sounded = midi_notes.onset_beat[midi_notes.pitch == pitch]
            nearest = np.abs(written[:, None] - sounded).min(axis=1)
            assert nearest.max() < 0.51, (path.stem, pitch)
    assert differing == ["Schubert_D935_no.3_4bars_Score_17"]


def test_a_score_that_is_too_large_is_refused_with_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "opera.musicxml"
    with path.open("wb") as file:
        file.truncate(65 * 2**20)
    with pytest.raises(
        InputError, match=r"is 65 MiB large \(allowed: up to 64 MiB\).*one movement at a time"
    ):
        load_score(path)
