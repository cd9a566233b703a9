"""Pairs of what was played and what a transcriber hears in a recording of it.

An excerpt is played by a sampled piano, recorded by a chain (`chains.CHAINS`), and transcribed.
Note errors are planted in some, so that it is known what there is to find.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final, Literal

from tocco.audio.render_cache import RendererPool
from tocco.audio.render_setting import RenderChoice
from tocco.audio.rendering import instruments_of, write_flac
from tocco.audio.transcription import Transcriber
from tocco.cache import json_key
from tocco.data.pseudo_labelling import generator_of
from tocco.data.records import LabelRecord
from tocco.errors import ToccoError
from tocco.evaluation.transcription.chains import CHAINS, recorded
from tocco.evaluation.validity.excerpts import excerpt_of
from tocco.files import file_name, writable_folder
from tocco.music.corruption import NoteEdit, corrupt
from tocco.music.midi import save_midi
from tocco.music.performance import Performance
from tocco.schema import StrictModel

PLANTED_SHARE: Final = 0.03
"""Share of the notes that are planted errors, in a recording that has some."""

Planted = Literal["none", "wrong_notes", "missing_notes", "extra_notes"]
_PLANTED: Final[tuple[Planted, ...]] = ("none", "wrong_notes", "none", "missing_notes", "none", "extra_notes")

PAIRS_FILE: Final = "pairs.jsonl"


class PlantedError(StrictModel):
    """One note error that was planted."""

    kind: Literal["wrong", "missing", "extra"]
    """What it is."""

    time_sec: float
    """When, on the clock of the recording."""

    pitch: int | None
    """The key that was played; null for a missing note."""

    written_pitch: int | None
    """The key that is written; null for an extra note."""

    velocity: int
    """Of the played note; for a missing one, as it would have been played."""


class Pair(StrictModel):
    """One recording with its keys and its transcription; files are named by `id`."""

    id: str
    """`<segment>.<chain>`."""

    source: str
    """Corpus."""

    piece_id: str
    """The piece."""

    chain: str
    """How it was recorded."""

    instrument: str
    """Which sampled piano."""

    score: Path
    """Its score."""

    transcriber: str
    """Name and version of what heard it."""

    planted: Planted
    """Kind of errors that were planted."""

    errors: tuple[PlantedError, ...]
    """The errors that were planted."""

    key: str
    """Hash of everything that determines the files."""

    def keys_midi(self, folder: Path) -> Path:
        """What was played."""
        return folder / f"{self.id}.keys.mid"

    def heard_midi(self, folder: Path) -> Path:
        """What was heard."""
        return folder / f"{self.id}.heard.mid"

    def clean_midi(self, folder: Path) -> Path:
        """What was played before errors were planted."""
        return folder / f"{self.id}.clean.mid"

    def audio(self, folder: Path) -> Path:
        """The recording."""
        return folder / f"{self.id}.flac"


@dataclass(frozen=True)
class PairTask:
    """What determines the pairs of a label file.

    Attributes
    ----------
    seconds : length of the excerpts
    seed
    """

    seconds: float = 30.0
    seed: int = 20261201


def chosen_records(
    records: Sequence[LabelRecord], pieces: Sequence[str] | None, n: int, seed: int
) -> list[LabelRecord]:
    """So many takes: one of every piece in random order, then a second one of each, and so on.

    Parameters
    ----------
    records
    pieces : that may be used; None for all
    n
    seed
    """
    allowed = None if pieces is None else {file_name(piece) for piece in pieces}
    of_piece: dict[str, list[LabelRecord]] = {}
    for record in sorted(records, key=lambda one: one.segment_id):
        is_allowed = allowed is None or file_name(record.piece_id) in allowed
        is_usable = record.midi_path and record.score_path and not record.is_transcribed
        if is_allowed and is_usable and not record.is_score_rendering:
            of_piece.setdefault(record.cluster_id or record.piece_id, []).append(record)
    orders = []
    for name in generator_of("pieces", seed).permutation(sorted(of_piece)):
        takes = of_piece[str(name)]
        orders.append([takes[i] for i in generator_of(str(name), seed).permutation(len(takes))])
    rounds = (
        takes[turn]
        for turn in range(max(map(len, orders), default=0))
        for takes in orders
        if turn < len(takes)
    )
    return list(islice(rounds, n))


def make_pairs(
    records: Sequence[LabelRecord], folder: Path, transcriber: Transcriber, task: PairTask
) -> Iterator[Pair | ToccoError]:
    """Make the pairs, or read those that an earlier run made; an excerpt that cannot be used is an error.

    Raises
    ------
    OutputError
        The folder cannot be written.
    """
    writable_folder(folder)
    earlier = {pair.id: pair for pair in read_pairs(folder)}
    chains, planted = tuple(CHAINS), _PLANTED
    plans = [
        _Plan(record, chains[k % len(chains)], planted[k % len(planted)], task)
        for k, record in enumerate(records)
    ]
    with RendererPool() as pianos:
        for plan in plans:
            key = plan.key(transcriber)
            known = earlier.get(plan.name)
            if known is not None and known.key == key:
                yield known
                continue
            try:
                pair = _made(plan, key, folder, transcriber, pianos)
            except ToccoError as error:
                yield error
                continue
            with (folder / PAIRS_FILE).open("a", encoding="utf-8") as file:
                file.write(pair.model_dump_json() + "\n")
            yield pair


@dataclass(frozen=True)
class _Plan:
    record: LabelRecord
    chain: str
    planted: Planted
    task: PairTask

    @property
    def name(self) -> str:
        return f"{file_name(self.record.segment_id)}.{self.chain}"

    def key(self, transcriber: Transcriber) -> str:
        """Hash of everything that determines the pair."""
        task = self.task
        settings = [self.record.segment_id, self.chain, self.planted, task.seconds, task.seed]
        return json_key([*settings, transcriber.version])


def read_pairs(folder: Path) -> tuple[Pair, ...]:
    """The pairs of a folder; of one name, the latest."""
    path = folder / PAIRS_FILE
    if not path.is_file():
        return ()
    pairs = [Pair.model_validate_json(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return tuple({pair.id: pair for pair in pairs}.values())


def _made(plan: _Plan, key: str, folder: Path, transcriber: Transcriber, pianos: RendererPool) -> Pair:
    record, task = plan.record, plan.task
    score = Path(str(record.score_path))
    found = excerpt_of(Path(str(record.midi_path)), score, record.segment_id, task.seconds, task.seed)
    rng = generator_of(plan.name, task.seed)
    clean = played = found.performance
    errors: tuple[PlantedError, ...] = ()
    if plan.planted != "none":
        made = corrupt(clean, plan.planted, PLANTED_SHARE, rng, alignment=found.alignment)
        played = made.performance
        edits = (_error(clean, played, edit) for edit in made.edits)
        errors = tuple(error for error in edits if error is not None)
    setting = RenderChoice(instruments=instruments_of("any"), seed=task.seed).draw(played)
    sound = recorded(pianos.renderer(setting).render(played), plan.chain, rng)
    heard = transcriber.transcribe([sound], record.segment_id)
    pair = Pair(
        id=plan.name,
        source=record.source,
        piece_id=record.piece_id,
        chain=plan.chain,
        instrument=setting.instrument.name,
        score=score.absolute(),
        transcriber=transcriber.version,
        planted=plan.planted,
        errors=errors,
        key=key,
    )
    save_midi(clean, pair.clean_midi(folder))
    save_midi(played, pair.keys_midi(folder))
    save_midi(heard, pair.heard_midi(folder))
    write_flac(pair.audio(folder), sound)
    return pair


def _error(clean: Performance, played: Performance, edit: NoteEdit) -> PlantedError | None:
    """An edit in terms of the recording; None for one that is no note error."""
    if edit.kind not in ("wrong", "missing", "extra"):
        return None
    is_played, is_written = edit.kind != "missing", edit.kind != "extra"
    velocity = played.velocity[edit.new_note] if is_played else clean.velocity[edit.old_note]
    return PlantedError(
        kind=edit.kind,
        time_sec=float(edit.new_sec),
        pitch=int(played.pitch[edit.new_note]) if is_played else None,
        written_pitch=int(clean.pitch[edit.old_note]) if is_written else None,
        velocity=int(velocity),
    )
