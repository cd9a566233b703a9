"""A transcriber of the user's own: what it is given, what is read of it, and how it may fail."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

import numpy as np
import pytest

from tocco.audio.transcription import CommandTranscriber, transcribe_cached
from tocco.errors import InputError, MissingPartError
from tocco.music.performance import Performance
from tocco.units import SAMPLE_RATE_HZ

HEARS_ONE_NOTE = """\
import sys
import mido, numpy, soundfile
sound, rate = soundfile.read(sys.argv[1])
loud = numpy.flatnonzero(numpy.abs(sound) > 0.1)[0] / rate
file = mido.MidiFile(ticks_per_beat=480)
track = file.add_track()
tick = round(loud * 960)
track.append(mido.Message("note_on", note=69, velocity=80, time=tick))
track.append(mido.Message("note_off", note=69, time=480))
file.save(sys.argv[2])
"""


def command_of(folder: Path, program: str, arguments: str = "{audio} {midi}") -> str:
    path = folder / "a transcriber.py"
    path.write_text(program)
    return f"{shlex.quote(sys.executable)} {shlex.quote(str(path))} {arguments}"


def tone_after(silence_sec: float) -> np.ndarray:
    at = np.arange(2 * SAMPLE_RATE_HZ) / SAMPLE_RATE_HZ
    return np.where(at >= silence_sec, 0.5 * np.cos(2 * np.pi * 440.0 * (at - silence_sec)), 0.0)


def heard_before(transcriber: CommandTranscriber, folder: Path, silence_sec: float) -> Performance:
    sound = tone_after(silence_sec)
    return transcribe_cached(transcriber, [sound], "take.wav", folder=folder, content=str(silence_sec))


def test_what_the_command_writes_is_what_was_played(tmp_path: Path) -> None:
    heard = CommandTranscriber(command_of(tmp_path, HEARS_ONE_NOTE)).transcribe(
        [tone_after(0.75)], "take.wav"
    )
    assert heard.pitch.tolist() == [69]
    assert heard.velocity.tolist() == [80]
    assert heard.onset_sec[0] == pytest.approx(0.75, abs=0.002)
    assert heard.offset_sec[0] - heard.onset_sec[0] == pytest.approx(0.5, abs=1e-6)


def test_what_was_heard_is_kept_by_its_content(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    transcriber = CommandTranscriber(command_of(tmp_path, HEARS_ONE_NOTE))
    first = heard_before(transcriber, kept, 0.5)
    (tmp_path / "a transcriber.py").write_text("import sys; sys.exit('asked again')")
    again = heard_before(transcriber, kept, 0.5)
    assert again.onset_sec.tolist() == first.onset_sec.tolist()
    with pytest.raises(InputError, match="asked again"):
        heard_before(transcriber, kept, 0.6)
    assert len(list(kept.iterdir())) == 1


@pytest.mark.parametrize("command", ["transcribe {audio}", "transcribe {midi}", ""])
def test_a_command_says_where_both_files_go(command: str) -> None:
    with pytest.raises(InputError, match="does not say where"):
        CommandTranscriber(command)


def test_a_lone_quotation_mark_is_refused() -> None:
    with pytest.raises(InputError, match="in which a quote is not closed"):
        CommandTranscriber("transcribe '{audio} {midi}")


def test_a_program_that_is_not_there_is_a_missing_part() -> None:
    with pytest.raises(MissingPartError, match=r"'no-such-transcriber'.*cannot be run"):
        CommandTranscriber("no-such-transcriber {audio} {midi}").transcribe([tone_after(0.1)], "take.wav")


def test_a_failure_is_told_in_its_last_words(tmp_path: Path) -> None:
    program = "import sys\nprint('loading', file=sys.stderr)\nsys.exit('no model found')\n"
    with pytest.raises(InputError, match="ended with code 1: no model found"):
        CommandTranscriber(command_of(tmp_path, program)).transcribe([tone_after(0.1)], "take.wav")


def test_a_program_that_writes_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="wrote no MIDI"):
        CommandTranscriber(command_of(tmp_path, "")).transcribe([tone_after(0.1)], "take.wav")


def test_names_are_no_shell(tmp_path: Path) -> None:
    """Nothing of a shell is run: what would be a second command is an argument."""
    program = "import sys\nsys.exit(' '.join(sys.argv[3:]))\n"
    command = command_of(tmp_path, program, "{audio} {midi} ; echo")
    with pytest.raises(InputError, match="code 1: ; echo"):
        CommandTranscriber(command).transcribe([tone_after(0.1)], "take.wav")


def test_notes_after_the_end_of_the_sound_are_refused(tmp_path: Path) -> None:
    late = HEARS_ONE_NOTE.replace("round(loud * 960)", "round((loud + 4) * 960)")
    with pytest.raises(InputError, match=r"heard a note at 4\.5 s of a recording of 2\.0 s"):
        CommandTranscriber(command_of(tmp_path, late)).transcribe([tone_after(0.5)], "take.wav")
