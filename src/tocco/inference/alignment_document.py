"""What `tocco align` says of one performance and its score, as a file that explains itself.

The fields of `AlignmentDocument` are the JSON's keys, and its JSON Schema has the texts below as
descriptions. There is no time stamp: the same inputs give the same bytes.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final, Literal

import numpy as np
from pydantic import Field, ValidationError, model_validator

from tocco.errors import InputError
from tocco.files import write_bytes
from tocco.inference.evidence import AlignmentReport, InputFile, NoteOutcome, Synchrony
from tocco.inference.note_report import alignment_report, tempo_by_bar
from tocco.music.alignment import Alignment
from tocco.music.alignment_findings import SortedNotes, sort_notes
from tocco.music.names import written_name
from tocco.music.performance import Performance
from tocco.music.places import bars_of, name_span, place_of
from tocco.pseudo_labels.observed.evidence import Evidence
from tocco.pseudo_labels.raters.note_errors import absent_notes
from tocco.schema import Duration, Seconds, Share, StrictModel, laid_out, one_line, parse_object

SCHEMA_VERSION: Final = "1.2"
READABLE_VERSIONS: Final = ("1.0", "1.1", SCHEMA_VERSION)
KIND: Final = "alignment"

_Count = Annotated[int, Field(strict=True, ge=0)]
_Text = Annotated[str, Field(strict=True, min_length=1)]
_Bars = tuple[_Text, _Text]
_Beat = Annotated[float, Field(strict=True, ge=0.0, allow_inf_nan=False)]


class AlignedInputs(StrictModel):
    """What was aligned."""

    audio: InputFile | None
    """The recording whose clock the seconds are on; null when they are on the MIDI's own."""

    midi: InputFile
    """The performance MIDI; derived where a recording came without."""

    transcriber: _Text | None = None
    """Name and version of what transcribed the recording, or the command; null where MIDI was given."""

    score: InputFile
    """The score."""

    synchrony: Synchrony | None
    """How the MIDI was brought onto the recording's clock; null without a recording, or a MIDI of its own."""

    @model_validator(mode="after")
    def _is_consistent(self) -> AlignedInputs:
        if (self.transcriber is not None) != (self.midi.origin == "derived"):
            raise ValueError("a transcriber stands beside MIDI that is derived, and only there")
        is_synchronised = self.audio is not None and self.transcriber is None
        if is_synchronised != (self.synchrony is not None):
            raise ValueError("synchrony stands beside audio with MIDI, and only there")
        return self


class NoteCounts(StrictModel):
    """Every note of the performance and every missing note, counted once."""

    right: _Count
    """Played as written."""

    wrong: _Count
    """One key struck in place of another."""

    missing: _Count
    """Written, not played."""

    extra: _Count
    """Played, not written, and neither an ornament nor a try that was given up."""

    ornamental: _Count
    """Added notes that adorn a written one."""

    given_up: _Count
    """Notes of tries that were given up and played again."""


class Mistake(StrictModel):
    """A note that is not as written, ornaments and given-up tries aside."""

    kind: Literal["wrong", "missing", "extra"]
    """What is wrong with it."""

    note: NoteOutcome
    """Which one, and where."""


class Restart(StrictModel):
    """A try that was given up and played again."""

    bars: _Bars
    """Printed numbers of the first and the last bar that are heard twice."""

    where: _Text | None = None
    """The same in words, each stretch of the score for itself: "bars 15–16, then 1–8 (repeat)"."""

    start_sec: Seconds
    """First note that was given up."""

    end_sec: Seconds
    """First note of the new try."""

    n_notes: _Count
    """Notes given up; they are among the insertions."""


class PassedOver(StrictModel):
    """A stretch of the score that was skipped."""

    bars: _Bars
    """Printed numbers of its first and last bar."""

    where: _Text | None = None
    """The same in words, each stretch of the score for itself."""

    at_sec: Seconds
    """The last note before it."""

    n_notes: _Count
    """Written notes in it; they do not count as missing."""


class Adornment(StrictModel):
    """An ornament that was played and is not written out."""

    kind: Literal["trill", "turn", "mordent", "appoggiatura", "other-ornament"]
    """Which one."""

    note: _Text
    """The written note that it adorns, sharps only."""

    bar: _Text
    """Printed number of its bar."""

    beat: _Beat
    """Place of the written note in the bar in quarter notes; the bar line is 1."""

    time_sec: Seconds
    """Its first added note."""

    n_notes: _Count
    """Added notes; they are among the insertions."""


class RolledChordReport(StrictModel):
    """A chord whose keys were struck one after another."""

    bar: _Text
    """Printed number of its bar."""

    beat: _Beat
    """Place in the bar in quarter notes; the bar line is 1."""

    time_sec: Seconds
    """When it sounded."""

    direction: Literal["up", "down"]
    """From low to high, or from high to low."""

    spread_sec: Duration
    """From its first to its last key."""


class AlignmentDocument(StrictModel):
    """A performance against its score, note by note and bar by bar."""

    schema_version: Literal["1.0", "1.1", "1.2"] = SCHEMA_VERSION
    """Version of these fields; 1.1 had no transcriber, and 1.0 no agreement, part and flags."""

    kind: Literal["alignment"] = KIND
    """Tells the file from an assessment."""

    tocco_version: _Text
    """The tocco that wrote it."""

    inputs: AlignedInputs
    """What was aligned."""

    counts: NoteCounts
    """How many notes came to what."""

    confidence: Share
    """How much of the performed stretch and of the performance agree, given-up tries and skips aside."""

    mistakes: tuple[Mistake, ...]
    """Wrong, missing and extra notes, in order of time."""

    restarts: tuple[Restart, ...]
    """Tries that were given up, in order of time."""

    skips: tuple[PassedOver, ...]
    """Stretches that were passed over, in order of time."""

    ornaments: tuple[Adornment, ...]
    """Ornaments beyond the written notes, in order of time."""

    rolled_chords: tuple[RolledChordReport, ...]
    """Arpeggios, in order of the score."""

    tempo: tuple[tuple[_Text, Seconds, Annotated[float, Field(strict=True, gt=0.0)]], ...]
    """[printed number of the bar, second of its bar line, quarter notes a minute] of bars played through."""

    alignment: AlignmentReport
    """Every note; `insertion` holds ornaments and given-up tries as well."""

    match_confidence: tuple[Share, ...]
    """For each note of `alignment.match`, the share of such matches that are right."""

    @model_validator(mode="after")
    def _is_consistent(self) -> AlignmentDocument:
        for kind, n in (
            ("wrong", self.counts.wrong),
            ("missing", self.counts.missing),
            ("extra", self.counts.extra),
        ):
            if sum(mistake.kind == kind for mistake in self.mistakes) != n:
                raise ValueError(f"counts has {n} {kind} notes, mistakes has not")
        if len(self.match_confidence) != len(self.alignment.match):
            raise ValueError("match_confidence is not as long as alignment.match")
        return self


def alignment_document(
    alignment: Alignment, performance: Performance, inputs: AlignedInputs, tocco_version: str
) -> AlignmentDocument:
    """Put an alignment into words and numbers for people.

    Parameters
    ----------
    alignment
    performance : the one that was aligned
    inputs : which files they came from
    tocco_version
    """
    notes = sort_notes(alignment)
    is_heard = performance.origin == "transcribed"
    unheard = absent_notes(Evidence(performance, alignment)).unheard if is_heard else None
    report = alignment_report(alignment, performance, unheard)
    return AlignmentDocument(
        tocco_version=tocco_version,
        inputs=inputs,
        counts=NoteCounts(
            right=len(notes.right),
            wrong=len(notes.wrong),
            missing=len(notes.missing),
            extra=len(notes.extra),
            ornamental=len(notes.ornamental),
            given_up=len(notes.given_up),
        ),
        confidence=alignment.overall_confidence,
        mistakes=_mistakes(alignment, notes, report),
        restarts=_restarts(alignment, notes),
        skips=_skips(alignment),
        ornaments=_ornaments(alignment, performance, notes),
        rolled_chords=_rolled_chords(alignment),
        tempo=tempo_by_bar(alignment),
        alignment=report,
        match_confidence=tuple(float(share) for share in alignment.confidence),
    )


def write_alignment(document: AlignmentDocument, path: Path) -> None:
    """Write the JSON, whole or not at all."""
    write_bytes(path, (laid_out(document.model_dump(mode="json")) + "\n").encode())


def read_alignment(path: Path) -> AlignmentDocument:
    """Read the JSON back.

    Raises
    ------
    InputError
        The file cannot be read, is no alignment, or is of another schema version.
    """
    try:
        fields = parse_object(path.read_text(encoding="utf-8"))
        if fields.get("kind") != KIND:
            raise ValueError("is not the result of an alignment")
        if fields.get("schema_version") not in READABLE_VERSIONS:
            raise InputError(
                path,
                f"has schema_version {fields.get('schema_version')!r}",
                allowed=", ".join(map(repr, READABLE_VERSIONS)),
                next_step="read it with the tocco that wrote it, or align the performance again",
            )
        return AlignmentDocument.model_validate(fields)
    except OSError as error:
        raise InputError(path, f"cannot be read ({error.strerror})", next_step="check the path") from error
    except ValidationError as error:
        raise InputError(path, one_line(error)) from error
    except ValueError as error:
        raise InputError(path, str(error), allowed="an alignment written by tocco") from error


def _mistakes(alignment: Alignment, notes: SortedNotes, report: AlignmentReport) -> tuple[Mistake, ...]:
    # The report lists added notes in this order.
    added = np.setdiff1d(alignment.insertion, notes.wrong[:, 1])
    extra = [report.insertion[k] for k in np.flatnonzero(np.isin(added, notes.extra))]
    found = [Mistake(kind="wrong", note=note) for note in report.substitution]
    found += [Mistake(kind="missing", note=note) for note in report.deletion]
    found += [Mistake(kind="extra", note=note) for note in extra]
    return tuple(sorted(found, key=lambda mistake: mistake.note.time_sec))


def _restarts(alignment: Alignment, notes: SortedNotes) -> tuple[Restart, ...]:
    return tuple(
        Restart(
            bars=bars_of(alignment.score, retry.start_beat, retry.end_beat),
            where=name_span(alignment.score, retry.start_beat, retry.end_beat),
            start_sec=retry.start_sec,
            end_sec=retry.end_sec,
            n_notes=int(((notes.given_up >= retry.first_note) & (notes.given_up <= retry.last_note)).sum()),
        )
        for retry in alignment.retries
    )


def _skips(alignment: Alignment) -> tuple[PassedOver, ...]:
    due_beat = alignment.score.onset_beat[alignment.unplayed]
    return tuple(
        PassedOver(
            bars=bars_of(alignment.score, skip.start_beat, skip.end_beat),
            where=name_span(alignment.score, skip.start_beat, skip.end_beat),
            at_sec=skip.at_sec,
            n_notes=int(((due_beat >= skip.start_beat) & (due_beat <= skip.end_beat)).sum()),
        )
        for skip in alignment.skips
    )


def _ornaments(alignment: Alignment, performance: Performance, notes: SortedNotes) -> tuple[Adornment, ...]:
    score, found = alignment.score, []
    for ornament in alignment.ornaments:
        added = np.intersect1d(ornament.played, notes.ornamental)
        if len(added) == 0:
            continue
        bar, beat = place_of(score, float(score.onset_beat[ornament.written]))
        found.append(
            Adornment(
                kind=ornament.kind,
                note=written_name(score, ornament.written),
                bar=bar,
                beat=beat,
                time_sec=float(performance.onset_sec[added[0]]),
                n_notes=len(added),
            )
        )
    return tuple(sorted(found, key=lambda ornament: ornament.time_sec))


def _rolled_chords(alignment: Alignment) -> tuple[RolledChordReport, ...]:
    found = []
    for chord in alignment.rolled_chords:
        bar, beat = place_of(alignment.score, chord.onset_beat)
        found.append(
            RolledChordReport(
                bar=bar,
                beat=beat,
                time_sec=chord.at_sec,
                direction="up" if chord.is_upward else "down",
                spread_sec=chord.spread_sec,
            )
        )
    return tuple(found)
