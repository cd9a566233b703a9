"""The command line: `tocco COMMAND`.

Commands import what they need when they run, so that `tocco --help` stays quick.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal, NoReturn

import typer
from typer.core import TyperGroup

from tocco.errors import ToccoError

EXIT_CODES = (
    "Exit codes: 0 done; 1 some rows of a manifest failed; 2 wrong usage; 3 an input cannot be used; "
    "4 inputs do not belong together; 5 a part of this machine is missing; 6 the bundle cannot be used; "
    "7 the result cannot be written; 130 interrupted."
)

INTERRUPTED = 130

app = typer.Typer(
    name="tocco",
    help="Rate a piano performance on ten dimensions, each with an interval that can be trusted.",
    epilog=EXIT_CODES,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
data_app = typer.Typer(help="Import corpora and render MIDI.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(data_app, name="data")
benchmark_app = typer.Typer(
    help="Yardsticks that a network is held against.", no_args_is_help=True, rich_markup_mode=None
)
app.add_typer(benchmark_app, name="benchmark")


class _OrLabel(TyperGroup):
    """`tocco pseudo-label MANIFEST` is `tocco pseudo-label label MANIFEST`."""

    # The context is click's or typer's own copy of it, by the release of typer.
    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if args and args[0] not in self.commands and args[0] not in ctx.help_option_names:
            meant = get_close_matches(args[0], self.commands, n=1)
            if meant and not Path(args[0]).exists():
                ctx.fail(f"No such command or manifest '{args[0]}'. Did you mean '{meant[0]}'?")
            args = ["label", *args]
        return super().parse_args(ctx, args)


pseudo_label_app = typer.Typer(
    cls=_OrLabel,
    help="Ratings by rule, from audio, MIDI and score: `pseudo-label MANIFEST -o FILE` labels a manifest.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
app.add_typer(pseudo_label_app, name="pseudo-label")

_EngineName = Annotated[
    Literal["local", "ray"], typer.Option(help="'local': processes of this machine; 'ray': a cluster.")
]
_Jobs = Annotated[
    int | None,
    typer.Option(min=1, help="Files at once on this machine, 1 if not given; a cluster uses all its cores."),
]
_Address = Annotated[
    str | None,
    typer.Option(metavar="HOST:PORT", help="Of a running Ray cluster; else Ray starts on this machine."),
]
_Scale = Annotated[
    Path | None, typer.Option(help="Scale for what keys sent; the one that ships if not given.")
]
_TranscribedScale = Annotated[
    Path | None, typer.Option(help="Scale for what was transcribed; the one that ships if not given.")
]


def _version(value: bool) -> None:
    if value:
        from importlib.metadata import version

        typer.echo(f"tocco {version('tocco')}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    pass


@app.command()
def assess(
    audio: Annotated[
        list[Path] | None, typer.Argument(metavar="AUDIO...", help="Recordings.", show_default=False)
    ] = None,
    midi: Annotated[
        Path | None, typer.Option(help="Performance MIDI of the recording; alone, it is rendered.")
    ] = None,
    score: Annotated[Path | None, typer.Option(help="Score: MusicXML, .mxl or score MIDI.")] = None,
    manifest: Annotated[
        Path | None, typer.Option(help="CSV with the columns id,audio,midi,score: assess every row.")
    ] = None,
    bundle: Annotated[
        Path | None, typer.Option(help="Model bundle; the one inside the package if not given.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Folder for the JSON and the picture.")
    ] = None,
    jobs: Annotated[int, typer.Option(min=1, help="Rows of a manifest at once.")] = 1,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace assessments of other inputs under the same name.")
    ] = False,
) -> None:
    """Rate performances: a table here, and with -o the assessment as JSON and its curve as PNG."""
    from tocco.apps.commands import assess as command

    if manifest is not None:
        if audio or midi or score:
            _usage("--manifest names the inputs: give no AUDIO, --midi or --score beside it")
        if output is None:
            _usage("--manifest needs -o DIR")
        if overwrite:
            _usage("--manifest keeps what it has assessed; remove what is to be assessed again")
        raise typer.Exit(command.assess_manifest(manifest, bundle, output, jobs=jobs))
    if not audio and midi is None:
        _usage("give a recording, or --midi, or --manifest")
    if audio and len(audio) > 1 and (midi or score):
        _usage("--midi and --score belong to one recording; for several, use --manifest")
    for recording in audio or [None]:
        command.assess_one(recording, midi, score, bundle, output, overwrite=overwrite)


@app.command()
def align(
    played: Annotated[Path, typer.Argument(metavar="AUDIO|MIDI", help="What was played.")],
    score: Annotated[Path, typer.Argument(metavar="SCORE", help="MusicXML, .mxl or score MIDI.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder for match file, JSON, picture.")],
    midi: Annotated[Path | None, typer.Option(help="Performance MIDI of the recording.")] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace what other inputs left under the same name.")
    ] = False,
) -> None:
    """Lay a performance against its score: match file, JSON, and a picture of mistakes and tempo."""
    from tocco.apps.commands import align as command

    command.align(played, score, output, midi=midi, overwrite=overwrite)


@data_app.command("percepiano")
def data_percepiano(
    source: Annotated[Path, typer.Argument(metavar="SRC", help="The PercePiano data pack.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder for labels, MIDI, scores, audio.")],
    render: Annotated[
        bool, typer.Option("--render/--no-render", help="Render the audio of every excerpt.")
    ] = True,
    soundfont: Annotated[Path | None, typer.Option(help="Soundfont; else TOCCO_SOUNDFONT or system.")] = None,
    labels: Annotated[
        Literal["raw", "debiased"],
        typer.Option(
            help="'debiased' also writes means without the raters' leniency, labels_debiased.jsonl."
        ),
    ] = "raw",
) -> None:
    """Import PercePiano into the shared label schema and render its audio (resumable)."""
    from tocco.apps.commands import percepiano as corpora

    corpora.import_percepiano(source, output, render=render, soundfont=soundfont, labels=labels)


@data_app.command("asap")
def data_asap(
    source: Annotated[Path, typer.Argument(metavar="SRC", help="Folder of the data set, or its .tar.xz.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder for manifest, MIDI, scores, beats.")],
    check_scores: Annotated[
        bool, typer.Option("--check-scores", help="Read every MusicXML as music; else its first lines.")
    ] = False,
) -> None:
    """Import ASAP: performances, scores, and where the beats fall in both."""
    from tocco.apps.commands import importers

    importers.import_asap(source, output, check_scores=check_scores)


@data_app.command("maestro")
def data_maestro(
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder of the corpus.")] = Path(
        "data/maestro"
    ),
    subset: Annotated[
        int | None,
        typer.Option(
            metavar="N", min=1, help="That many recordings, balanced over composer and year; else all 1,276."
        ),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Chooses among equals; more with the same seed adds.")] = 0,
    source: Annotated[
        str | None,
        typer.Option(help="Address of a mirror, a folder, or a .zip; the publisher's if not given."),
    ] = None,
    jobs: Annotated[int, typer.Option(min=1, help="Files, or checks, at once.")] = 4,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be fetched, and its size.")
    ] = False,
    verify: Annotated[
        bool,
        typer.Option(
            "--verify", help="Check what is here: bytes, length, audio against MIDI; fetch nothing."
        ),
    ] = False,
) -> None:
    """Fetch MAESTRO v3.0.0 (CC BY-NC-SA 4.0) or a balanced part of it, resumable; or check it."""
    from tocco.apps.commands import maestro as command

    if verify:
        if subset is not None or source is not None or dry_run:
            _usage(
                "--verify checks all that is in --output: give no --subset, --source or --dry-run beside it"
            )
        raise typer.Exit(command.verify(output, jobs=jobs))
    command.maestro(output, subset=subset, seed=seed, source=source, jobs=jobs, dry_run=dry_run)


@data_app.command("vienna")
def data_vienna(
    source: Annotated[
        Path, typer.Argument(metavar="SRC", help="Folder with match/, midi/, musicxml/; or .tar.")
    ],
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder for manifest, MIDI, scores, truth.")],
    check_scores: Annotated[
        bool, typer.Option("--check-scores", help="Read every MusicXML as music; else its first lines.")
    ] = False,
) -> None:
    """Import Vienna 4x22: performances, scores, and which key stroke is which written note."""
    from tocco.apps.commands import importers

    importers.import_vienna(source, output, check_scores=check_scores)


@data_app.command("folder")
def data_folder(
    source: Annotated[
        Path, typer.Argument(metavar="SRC|CSV", help="Folder in which names pair the files, or a CSV.")
    ],
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder for manifest and copies.")],
    name: Annotated[str | None, typer.Option(help="Name of the corpus; SRC's own if not given.")] = None,
    licence: Annotated[str, typer.Option(help="Under which the files may be used.")] = "not stated",
    check_scores: Annotated[
        bool, typer.Option("--check-scores", help="Read every score as music; else its first lines.")
    ] = False,
) -> None:
    """Import recordings, MIDI and scores of your own: take.wav, take.mid and take.musicxml are one take.

    A CSV has the columns id,audio,midi,score and, as wanted, piece, performer and any dimension (0 to 100).
    """
    from tocco.apps.commands import importers

    importers.import_folder(source, output, name=name, licence=licence, check_scores=check_scores)


@data_app.command("render")
def data_render(
    output: Annotated[Path, typer.Option("-o", "--output", help="A .flac file for one MIDI, else a folder.")],
    midi: Annotated[
        list[Path] | None,
        typer.Argument(metavar="MIDI...", help="Performance MIDI files.", show_default=False),
    ] = None,
    labels: Annotated[
        Path | None,
        typer.Option(help="Render the MIDI of a label file, JSONL, and write it anew."),
    ] = None,
    soundfont: Annotated[
        str | None, typer.Option(help="A piano (musescore, timgm6mb:bright, ...), a file, or 'any'.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Draws piano, level and room, by what is played.")] = 0,
    level_db: Annotated[
        tuple[float, float], typer.Option(metavar="LOW HIGH", help="Level, in dB around -23 LUFS.")
    ] = (0.0, 0.0),
    room: Annotated[str, typer.Option(help="'none', 'any', or a room such as concert_hall.")] = "none",
    pedal: Annotated[str, typer.Option(help="'half': continuous; 'on-off': down from 64 on.")] = "half",
    engine: _EngineName = "local",
    jobs: _Jobs = None,
    address: _Address = None,
    cache: Annotated[Path | None, typer.Option(help="Folder of renderings to share between runs.")] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace files that are no renderings.")
    ] = False,
) -> None:
    """Render performance MIDI to FLAC, 24 kHz; what is there already is kept."""
    from tocco.apps.commands import render as command
    from tocco.engines import engine_of

    if (labels is None) == (not midi):
        _usage("give MIDI files, or --labels")
    machines = engine_of(engine, jobs=jobs, address=address)
    options = command.RenderOptions(soundfont, seed, level_db, room, pedal, machines, cache, overwrite)
    if labels is not None:
        raise typer.Exit(command.render_labels(labels, output, options))
    raise typer.Exit(command.render_midi(midi or [], output, options))


@data_app.command("prepare")
def data_prepare(
    labels: Annotated[Path, typer.Option(help="Label file, JSONL, of performances with audio and MIDI.")],
    output: Annotated[
        Path,
        typer.Option("-o", "--output", help="Folder of kept files; `train -o RUNS/NAME`: RUNS/prepared."),
    ],
    config: Annotated[
        Path | None, typer.Option(help="Experiment whose windows are wanted; the default's if not given.")
    ] = None,
    engine: _EngineName = "local",
    jobs: _Jobs = None,
    address: _Address = None,
) -> None:
    """Read, align and measure what is to be learned from, once; what is kept already is not made again."""
    from tocco.apps.commands import prepare as command
    from tocco.engines import engine_of

    machines = engine_of(engine, jobs=jobs, address=address)
    raise typer.Exit(command.prepare(labels, config, output, machines))


@app.command()
def train(
    config: Annotated[Path, typer.Option(help="Experiment, a YAML file.")],
    labels: Annotated[Path, typer.Option(help="Label file, JSONL.")],
    run: Annotated[Path, typer.Option("-o", "--run", help="Folder of the run.")],
    fold: Annotated[
        str, typer.Option(help="A fold to hold out, 'all' for each in turn, 'none' to learn from everything.")
    ] = "none",
    inner: Annotated[
        bool, typer.Option("--inner", help="Report on a part of the training data; for choosing settings.")
    ] = False,
    set_: Annotated[
        list[str] | None, typer.Option("--set", metavar="BLOCK.KEY=VALUE", help="Override a setting.")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the last checkpoint.")] = False,
    jobs: Annotated[int, typer.Option(min=1, help="Processes that prepare inputs.")] = 2,
) -> None:
    """Train a network; checkpoints, config and split go to the run's folder."""
    from tocco.apps.commands import experiments

    experiments.train(
        config, labels, run, fold=fold, inner=inner, overrides=set_ or [], resume=resume, jobs=jobs
    )


@app.command()
def evaluate(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="Folder of a run with all folds trained.")],
    labels: Annotated[Path, typer.Option(help="Label file that the run was trained on.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder for tables and figures.")],
    jobs: Annotated[int, typer.Option(min=1, help="Processes that prepare inputs.")] = 2,
) -> None:
    """Cross-validated figures of a run beside the baselines, and the calibration of its intervals."""
    from tocco.apps.commands import experiments

    experiments.evaluate(run, labels, output, jobs=jobs)


@app.command()
def export(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="Folder of a trained and evaluated run.")],
    evaluation: Annotated[Path, typer.Option(help="Folder that `tocco evaluate` wrote.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder of the new bundle.")],
    labels: Annotated[Path, typer.Option(help="Label file that the run was trained on.")],
) -> None:
    """Write the bundle of a run: weights, config, calibration, model card."""
    from tocco.apps.commands import experiments

    experiments.export(run, evaluation, labels, output)


@benchmark_app.command("trees")
def benchmark_trees(
    labels: Annotated[Path, typer.Option(help="Label file, JSONL.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder for tables and figures.")],
    protocol: Annotated[
        str, typer.Option(help="cv4_cluster: new music; cv4_performer: new pianists; leave_one_work_out.")
    ] = "cv4_cluster",
    as_published: Annotated[
        bool,
        typer.Option(
            "--as-published",
            help="Test score renderings as well, leaks and all: to compare with others' figures.",
        ),
    ] = False,
    jobs: Annotated[int, typer.Option(min=1, help="Processes that measure and learn.")] = 2,
) -> None:
    """Boosted trees on statistics of whole excerpts, cross-validated beside the baselines."""
    from tocco.apps.commands import shallow_models as yardsticks

    yardsticks.benchmark_trees(labels, output, protocol=protocol, as_published=as_published, jobs=jobs)


@benchmark_app.command("pseudo-labels")
def benchmark_pseudo_labels(
    performances: Annotated[
        Path,
        typer.Option(
            help="Performances with MIDI and score, JSONL; pieces of the scale's pool are left out."
        ),
    ],
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder for report, tables and figures.")],
    percepiano: Annotated[
        Path | None, typer.Option(help="Label file of PercePiano: ratings by people to compare with.")
    ] = None,
    leave_out: Annotated[
        Path | None,
        typer.Option(help="Pieces that development or an earlier proof has seen, one piece_id a line."),
    ] = None,
    pieces: Annotated[int, typer.Option(min=2, help="Held-out pieces to corrupt.")] = 24,
    takes: Annotated[int, typer.Option(min=0, help="Performances of one piece at most, to compare.")] = 5,
    rendered: Annotated[
        int, typer.Option(min=0, help="Of the corrupted pieces, rated with their sound as well.")
    ] = 8,
    transcribed: Annotated[
        int, typer.Option(min=0, help="Of the corrupted pieces, rated through a transcriber as well.")
    ] = 8,
    transcriber: Annotated[
        str | None,
        typer.Option(
            metavar="COMMAND",
            help="Hears the rendering, as in 'transkun {audio} {midi}'; without one, its noise is simulated.",
        ),
    ] = None,
    excerpt_sec: Annotated[float, typer.Option(min=20.0, help="Length of the corrupted excerpts.")] = 60.0,
    transcribed_sec: Annotated[
        float, typer.Option(min=20.0, help="Length of the excerpts that go through a transcriber.")
    ] = 60.0,
    seed: Annotated[int, typer.Option(min=0, help="Of the choice of pieces and of every corruption.")] = 0,
    kinds: Annotated[
        list[str] | None,
        typer.Option(
            "--kind",
            help="A corruption to make, more than once for several; all if not given. (d) and (e) do not "
            "hang on it: `--takes 0` spares (d).",
        ),
    ] = None,
    scale: _Scale = None,
    transcribed_scale: _TranscribedScale = None,
    engine: _EngineName = "local",
    jobs: _Jobs = None,
    address: _Address = None,
) -> None:
    """Prove the pseudo-labels: they move when, and only when, the playing in that respect changes."""
    from tocco.apps.commands import validate_pseudo_labels as command
    from tocco.engines import engine_of
    from tocco.music.corruption import CORRUPTIONS

    if transcriber is not None and not transcribed:
        raise typer.BadParameter(
            "a transcriber has nothing to hear with --transcribed 0.", param_hint="'--transcriber'"
        )
    options = command.ProofOptions(
        scale=scale,
        transcribed_scale=transcribed_scale,
        leave_out=leave_out,
        n_pieces=pieces,
        n_takes=takes,
        n_rendered=rendered,
        n_transcribed=transcribed,
        transcriber=transcriber,
        excerpt_sec=excerpt_sec,
        transcribed_sec=transcribed_sec,
        seed=seed,
        engine=engine_of(engine, jobs=jobs, address=address),
        kinds=_kinds_of(kinds, CORRUPTIONS),
    )
    command.prove(performances, output, percepiano, options)


def _kinds_of(given: list[str] | None, known: Iterable[str]) -> tuple[str, ...]:
    """The kinds asked for, in the order of those known; all of them if none is given."""
    names = tuple(known)
    for kind in given or names:
        if kind not in names:
            raise typer.BadParameter(f"{kind!r} is none of {', '.join(names)}.", param_hint="'--kind'")
    return tuple(name for name in names if not given or name in given)


@pseudo_label_app.command("label")
def pseudo_label_label(
    manifest: Annotated[Path, typer.Argument(metavar="MANIFEST", help="Performances with MIDI, JSONL.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="The labels, a .jsonl file.")],
    corrupted: Annotated[
        int,
        typer.Option(
            "--corrupt", metavar="N", min=0, help="Add N versions of each performance made worse on purpose."
        ),
    ] = 0,
    kinds: Annotated[
        list[str] | None,
        typer.Option("--kind", help="A corruption to draw from; repeat it; all if not given."),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the corruptions and the spot check.")] = 0,
    printed_scores: Annotated[
        bool,
        typer.Option(
            "--printed-scores/--given-scores",
            help="Take the MusicXML beside a score MIDI: it has the signs that MIDI lacks.",
        ),
    ] = True,
    peers: Annotated[
        bool,
        typer.Option("--peers/--alone", help="Compare pianists of one piece with each other, or rate alone."),
    ] = True,
    transcribed: Annotated[
        bool,
        typer.Option(
            "--transcribed",
            help="The MIDI was read off recordings by a transcriber: rate only what can be heard.",
        ),
    ] = False,
    spot_checks: Annotated[int, typer.Option(min=0, help="Segments to listen to on the summary page.")] = 20,
    scale: _Scale = None,
    transcribed_scale: _TranscribedScale = None,
    soundfont: Annotated[Path | None, typer.Option(help="Soundfont; else TOCCO_SOUNDFONT or system.")] = None,
    engine: _EngineName = "local",
    jobs: _Jobs = None,
    address: _Address = None,
) -> None:
    """Rate every 10 s segment of the performances of a manifest by rule; resumable, with a summary page."""
    from tocco.apps.commands import pseudo_label as command
    from tocco.data.pseudo_labelling import CorruptionPlan
    from tocco.engines import engine_of
    from tocco.music.corruption import CORRUPTIONS

    options = command.PseudoLabelOptions(
        scale=scale,
        transcribed_scale=transcribed_scale,
        plan=CorruptionPlan(corrupted, _kinds_of(kinds, CORRUPTIONS), seed),
        printed_scores=printed_scores,
        peers=peers,
        spot_checks=spot_checks,
        is_transcribed=transcribed,
        soundfont=soundfont,
        engine=engine_of(engine, jobs=jobs, address=address),
    )
    raise typer.Exit(command.generate(manifest, output, options))


_PoolPieces = Annotated[
    Path | None,
    typer.Option("--pieces", help="Names of the pool's pieces, one a line, in place of a share of all."),
]


@pseudo_label_app.command("fit-scale")
def pseudo_label_fit_scale(
    labels: Annotated[
        Path, typer.Argument(metavar="LABELS", help="Performances with MIDI and score, JSONL.")
    ],
    output: Annotated[Path, typer.Option("-o", "--output", help="The scale, a JSON file.")],
    share: Annotated[
        float, typer.Option(help="Share of every composer's pieces; the rest is for proofs.")
    ] = 0.5,
    takes: Annotated[int, typer.Option(min=1, help="Performances of one piece at most.")] = 3,
    rendered: Annotated[int, typer.Option(min=0, help="Performances to render and listen to.")] = 24,
    seed: Annotated[
        int, typer.Option(min=0, help="Of the choice of pieces and takes, and of a transcriber's errors.")
    ] = 0,
    jobs: Annotated[int, typer.Option(min=1, help="Processes that align and measure.")] = 1,
    soundfont: Annotated[Path | None, typer.Option(help="Soundfont; else TOCCO_SOUNDFONT or system.")] = None,
    pieces: _PoolPieces = None,
    transcribed: Annotated[
        bool,
        typer.Option(
            "--transcribed",
            help="The scale for transcriptions: measure the performances through a transcriber's noise.",
        ),
    ] = False,
) -> None:
    """Fit the scale that turns measured components into ratings to competent performances."""
    from tocco.apps.commands import fit_scale as pseudo_scale

    pseudo_scale.fit_reference_scale(
        labels,
        output,
        share=share,
        takes=takes,
        rendered=rendered,
        seed=seed,
        jobs=jobs,
        soundfont=soundfont,
        pieces=pieces,
        is_transcribed=transcribed,
    )


@pseudo_label_app.command("fit-norms")
def pseudo_label_fit_norms(
    labels: Annotated[
        Path, typer.Argument(metavar="LABELS", help="Performances with MIDI and score, JSONL.")
    ],
    output: Annotated[Path, typer.Option("-o", "--output", help="The norms, a JSON file.")],
    share: Annotated[float, typer.Option(help="Share of every composer's pieces, as of fit-scale.")] = 0.5,
    takes: Annotated[int, typer.Option(min=1, help="Performances of one piece at most.")] = 3,
    seed: Annotated[int, typer.Option(min=0, help="Of the choice of pieces and takes.")] = 0,
    jobs: Annotated[int, typer.Option(min=1, help="Processes that align and read.")] = 1,
    pieces: _PoolPieces = None,
) -> None:
    """Fit the norms of touch and level that the raters hold a performance against."""
    from tocco.apps.commands import fit_norms as pseudo_norms

    pseudo_norms.fit_reference_norms(
        labels, output, share=share, takes=takes, seed=seed, jobs=jobs, pieces=pieces
    )


@app.command()
def doctor() -> None:
    """Say what this machine can do: audio formats, rendering, training, the bundled model."""
    from tocco.apps.commands.doctor import report

    raise typer.Exit(report())


def _usage(message: str) -> NoReturn:
    raise typer.BadParameter(message)


def main() -> None:
    """Run a command; an error that a user can act on is one line and the class's exit code."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # an old terminal may lack a sign; the ratings come through
    try:
        app()
    except ToccoError as error:
        typer.echo(f"tocco: {error}", err=True)
        sys.exit(error.exit_code)
    except SystemExit as end:
        if end.code == INTERRUPTED:
            typer.echo("tocco: interrupted; a second run goes on where this one stopped", err=True)
        raise


def door(*command: str) -> None:
    """Run one command under a script's own name: `python train.py ...` is `tocco train ...`."""
    sys.argv[1:1] = command
    main()
