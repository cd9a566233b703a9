"""What an assessment rests on: the notes against the score, the input files, the model."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from tocco.schema import Duration, Seconds, Share, StrictModel

_Count = Annotated[int, Field(strict=True, ge=0)]
_Pitch = Annotated[int, Field(strict=True, ge=0, le=127)]
_Text = Annotated[str, Field(strict=True, min_length=1)]
_Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class NoteOutcome(StrictModel):
    """One note: what was written, what was played, and where."""

    expected: _Text | None = None
    """Name of the written note, sharps only ("C#4", middle C is C4); null when nothing is written."""

    expected_pitch: _Pitch | None = None
    """The same as a MIDI number."""

    played: _Text | None = None
    """Name of the played note; null when it was left out."""

    played_pitch: _Pitch | None = None
    """The same as a MIDI number."""

    bar: _Text
    """Printed number of the bar."""

    beat: Annotated[float, Field(strict=True, ge=0.0, allow_inf_nan=False)]
    """Place in the bar in quarter notes; the bar line is 1."""

    time_sec: Seconds
    """When it was played; for a note that was left out, when it was due."""


class PlayedBars(StrictModel):
    """The part of a score that was played, where it is not the whole."""

    first: _Text
    """Printed number of the first bar."""

    last: _Text
    """Printed number of the last bar."""

    where: str = ""
    """The bars in words, in the order in which they were played; empty in older files."""

    n_bars: _Count
    """How many bars the score has."""


class AlignmentReport(StrictModel):
    """The performance against its score. The four lists share no note: a wrong note stands once."""

    counts: dict[Literal["match", "insertion", "deletion", "substitution"], _Count]
    """Length of each list."""

    match: tuple[NoteOutcome, ...]
    """Played as written, in the order of the score."""

    insertion: tuple[NoteOutcome, ...]
    """Played, not written."""

    deletion: tuple[NoteOutcome, ...]
    """Written, not played."""

    substitution: tuple[NoteOutcome, ...]
    """One key struck in place of another."""

    unheard: tuple[NoteOutcome, ...] = ()
    """Written and absent from a transcription, but more likely too soft to be heard than left out: neither
    right nor missing. Empty for notes of the keys, and in older files."""

    bars: tuple[tuple[_Text, Seconds], ...]
    """[printed number, second] of every bar line that was played over."""

    repeats: str
    """How the repeats were taken."""

    agreement: Share | None = None
    """How much of the played bars and of the performance agree; null in older files."""

    part: PlayedBars | None = None
    """The bars that were played and rated; null where it was all of the score."""

    flags: tuple[_Text, ...] = ()
    """What makes everything that rests on the score doubtful."""

    @model_validator(mode="after")
    def _is_consistent(self) -> AlignmentReport:
        lengths = {
            kind: len(getattr(self, kind)) for kind in ("match", "insertion", "deletion", "substitution")
        }
        if self.counts != lengths:
            raise ValueError(f"counts are {self.counts}, the lists have {lengths}")
        for kind, written, played in (
            ("match", True, True),
            ("insertion", False, True),
            ("deletion", True, False),
            ("substitution", True, True),
        ):
            for note in getattr(self, kind):
                if ((note.expected_pitch is not None), (note.played_pitch is not None)) != (written, played):
                    raise ValueError(f"{kind} in bar {note.bar} names the wrong pitches")
        return self


class InputFile(StrictModel):
    """One input."""

    name: _Text
    """File name without its folder; for a derived input, of what it was derived from."""

    sha256: _Sha256
    """Hash of that file: for a derived input, of what it was derived from."""

    origin: Literal["given", "derived", "found"]
    """"derived": audio rendered from the MIDI, or MIDI transcribed from the audio; "found": a score that was
    sought in a folder of scores."""

    duration_sec: Duration | None = None
    """Length; null for a score."""

    flags: tuple[_Text, ...] = ()
    """What is wrong with its quality: clipping, noise, narrow band ..."""


class Synchrony(StrictModel):
    """How audio and MIDI were brought onto one clock."""

    offset_sec: Seconds
    """Where the MIDI's zero lies in the recording."""

    drift_ppm: Annotated[float, Field(strict=True, allow_inf_nan=False)]
    """How much slower the MIDI's clock runs, in parts per million."""

    residual_sec: Duration
    """What is left: median distance between a key and its sound."""


class ScoreSearch(StrictModel):
    """How the score of a performance was sought in a folder of scores."""

    folder: _Text
    """Name of the folder."""

    key: _Text
    """Of the content of all scores and of the way in which they are searched."""

    n_scores: _Count
    """How many scores were searched."""

    file: _Text | None = None
    """Path of the score in the folder; null when there is none."""

    alike: tuple[_Text, ...] = ()
    """Paths of other scores that fit as well."""

    reason: _Text | None = None
    """Why there is no score; null when there is one."""

    @model_validator(mode="after")
    def _is_consistent(self) -> ScoreSearch:
        if (self.file is None) != (self.reason is not None):
            raise ValueError("there is a score, or a reason why there is none")
        return self


class Music(StrictModel):
    """From the first struck note to the end of the last sound; only this is rated."""

    start_sec: Duration
    """Start, on the clock of the recording."""

    end_sec: Duration
    """End."""


class RecordingReport(StrictModel):
    """What a recording that came without MIDI is like."""

    warnings: tuple[_Text, ...]
    """A sentence for each fault, and for what was cut off around the music."""

    is_cut: Annotated[bool, Field(strict=True)] = False
    """Whether talk, applause or noise around the music was cut off; the first warning says so."""

    piano: Share | None
    """How much it sounds like a piano alone, 0 to 1."""

    a4_hz: Annotated[float, Field(strict=True, gt=0.0, allow_inf_nan=False)] | None
    """Where A4 is tuned; null where it is not clear."""

    not_rated: dict[str, _Text]
    """Dimension that is not rated because of the recording -> why."""


class Inputs(StrictModel):
    """What was assessed."""

    notes: Literal["keys", "transcribed"]
    """Where the notes come from: the keys of an instrument, or a transcriber that listened to the sound."""

    sound: Literal["recorded", "rendered"]
    """Where the sound comes from: a recording, or a synthesiser that played the notes."""

    audio: InputFile
    """The recording."""

    midi: InputFile
    """The performance MIDI."""

    transcriber: _Text | None = None
    """Name and version of what transcribed the recording, or the command; null where MIDI was given."""

    transcription_loss: _Text | None = None
    """Transcriber by which it was found what transcription takes from ratings; null for notes of the keys,
    and in older files."""

    transcription_sha256: _Sha256 | None = None
    """Hash of the MIDI that it made, which lies beside the assessment; null where MIDI was given."""

    score: InputFile | None = None
    """The score; null when none was given or found."""

    score_search: ScoreSearch | None = None
    """How the score was sought; null when none was, and before version 2.2."""

    recording: RecordingReport | None = None
    """What the recording is like; null where MIDI was given, and in older files."""

    music: Music | None = None
    """What of the recording is rated: talk and silence around it are not. Null in files of version 1."""

    synchrony: Synchrony | None = None
    """Null when one of audio and MIDI was derived from the other."""

    @model_validator(mode="after")
    def _is_consistent(self) -> Inputs:
        if (self.transcriber is None) != (self.transcription_sha256 is None):
            raise ValueError("transcriber and transcription_sha256 stand together or not at all")
        if self.transcriber is not None and (self.notes, self.midi.origin) != ("transcribed", "derived"):
            raise ValueError("a transcriber has notes that are transcribed, and MIDI that is derived")
        return self


class BundleIdentity(StrictModel):
    """Which model rated."""

    name: _Text
    """Its name."""

    version: _Text
    """Its version."""

    sha256: _Sha256
    """Hash of the whole bundle."""
