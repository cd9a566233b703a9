"""`tocco ablate`: a folder of experiments, trained alike and compared with one of them."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import typer

from tocco.apps.commands.experiment_config import labels_of
from tocco.apps.commands.experiments import splits_of, started
from tocco.apps.commands.run_parts import prepare
from tocco.apps.progress import progress_bar
from tocco.data.prepared import PreparedRecord
from tocco.errors import InputError, MismatchError, UsageError
from tocco.evaluation.ablations.comparison import FULL, Comparison, Experiment
from tocco.evaluation.ablations.ratings import UNTRAINED, Folds, comparable, held_out, untrained
from tocco.evaluation.ablations.report import PAGE, write_ablations
from tocco.files import sha256_of, writable_folder
from tocco.schema import nearest
from tocco.training.config import ExperimentConfig
from tocco.training.config_file import assignments, load_config
from tocco.training.initialisation import new_parts_of, start_from
from tocco.training.launchers import Launcher
from tocco.training.masked_notes.start import SUFFIX
from tocco.training.members import members
from tocco.training.model_config import CUSTOM
from tocco.training.module_of_config import network_from_config
from tocco.training.run_folder import (
    WEIGHTS_FILE,
    Split,
    assert_is_same,
    assert_may_train,
    describe,
    is_begun,
)
from tocco.training.stages import train_stage
from tocco.training.trainer import check_loggers, check_precision
from tocco.units import FloatArray

_SAME_DATA = ("window_sec", "overlap", "missing_midi", "transcriber", "protocol")
"""Settings that all experiments have in common: they prepare and divide the same records."""


@dataclass(frozen=True)
class AblationOptions:
    """Options of the command; see its help."""

    configs: Path
    labels: Path | None
    runs: Path
    output: Path
    only: tuple[str, ...] = ()
    fold: str = "all"
    epochs: int | None = None
    checkpoint: Path | None = None
    overwrite: bool = False
    jobs: int = 1
    settings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Plan:
    """One experiment to train.

    Attributes
    ----------
    name : of its file and its folder
    config : resolved
    start : checkpoint, if any
    run : its folder
    """

    name: str
    config: ExperimentConfig
    start: Path | None
    run: Path

    @property
    def experiment(self) -> Experiment:
        """What the report has to know of it."""
        ablation = self.config.ablation
        members_ = [folder.name for _, folder in members(self.config, self.run)]
        return Experiment(
            self.name,
            removes=ablation.removes if ablation else None,
            adds=ablation.adds if ablation else None,
            inputs=self.config.model.inputs,
            is_pretrained=self.start is not None or self.config.model.midi_encoder != CUSTOM,
            members=tuple(f"{self.name}, {one}" for one in members_) if len(members_) > 1 else (),
        )


def ablate(options: AblationOptions, launcher: Launcher) -> None:
    """Train what is not trained yet, one experiment after the other; after each, write the report."""
    chosen, later = read_plans(options)
    _assert_can_start(chosen)
    writable_folder(options.output)
    full = chosen[0]
    labels = labels_of(full.config, options.labels, options.configs / f"{FULL}.yaml")
    records = prepare(full.config, labels, options.runs, options.jobs)
    splits = splits_of(full.config, records, options.fold, inner=False)
    folds = Folds(full.config.data.protocol, tuple(int(split.name.removeprefix("fold")) for split in splits))
    _assert_parts(chosen, records, splits, overwrite=options.overwrite)
    trained = [plan for plan in later if _is_trained(plan, records, splits)]
    later = [plan for plan in later if plan not in trained]
    plans = [full, *trained, *chosen[1:]]
    ratings: dict[str, FloatArray] = {}
    for number, plan in enumerate(plans):
        _train(plan, records, splits, launcher, overwrite=options.overwrite and plan in chosen)
        ratings |= _rate(plan, records, folds)
        if plan is full and len(plans) > 1:
            ratings[UNTRAINED] = _rate_untrained(full, records, folds)
        missing = [one.name for one in (*plans[number + 1 :], *later)]
        if number:
            found = _report(plans[: number + 1], records, folds, ratings, labels, options, missing)
            _say(_line(plan, found))
    if len(plans) == 1:
        _say(f"{full.run}: trained; there is nothing to compare it with")
        return
    typer.echo((options.output / PAGE).read_text(encoding="utf-8"))


def read_plans(options: AblationOptions) -> tuple[list[Plan], list[Plan]]:
    """The experiments to train, `full` first, and those that `--only` leaves out.

    Raises
    ------
    InputError
        The folder has no `full.yaml`, or no ablation; or an experiment cannot be used.
    UsageError
        `--only` names none of them.
    """
    files = {path.stem: path for path in sorted(options.configs.glob("*.yaml"))}
    if FULL not in files or len(files) < 2:
        raise InputError(
            options.configs,
            f"has {'no ' + FULL + '.yaml' if FULL not in files else 'no ablation'}",
            allowed=f"{FULL}.yaml, and a file that extends it for each ablation",
            next_step="name such a folder with --configs",
        )
    for name in options.only:
        if name not in files:
            raise UsageError("--only", nearest(name, files), next_step="name a file of the folder")
    full = _plan(files[FULL], options)
    if options.checkpoint is not None and full.config.training.checkpoint is None:
        raise UsageError(
            "--checkpoint",
            f"is given, and {files[FULL]} starts from random weights",
            next_step=f"name it there, as training.checkpoint: {options.checkpoint}",
        )
    others = [name for name in (*options.only, *files) if name != FULL]
    plans = {name: _plan(files[name], options) for name in dict.fromkeys(others)}
    changed = {name: plan for name, plan in plans.items() if _differs(plan, full)}
    for name in plans.keys() - changed.keys():
        _say(f"{name}: left out, since with these settings it is the same as {FULL}")
    wanted = [name for name in changed if not options.only or name in options.only]
    return [full, *(changed[name] for name in wanted)], [
        changed[name] for name in changed if name not in wanted
    ]


def _plan(path: Path, options: AblationOptions) -> Plan:
    config = load_config(path, assignments(options.settings, "KEY=VALUE"))
    if options.epochs is not None:
        training = config.training.model_copy(update={"max_epochs": options.epochs})
        config = config.model_copy(update={"training": training})
    if config.stage != "ratings":
        raise InputError(path, f"is of stage {config.stage}", allowed="ratings")
    if path.stem != FULL and config.ablation is None:
        raise InputError(
            path, "does not say what it changes", next_step="add `ablation:` with `removes:` or `adds:`"
        )
    given = None if config.training.checkpoint is None else options.checkpoint
    if given is not None and given.suffix == SUFFIX and config.model.inputs == "audio":
        _say(f"{path.stem}: reads no notes, and starts from random weights")
        config, given = _without_checkpoint(config), None
    own = config.training.checkpoint
    named = given if given is not None else None if own is None else Path(own)
    if named is not None and not named.is_file():
        raise InputError(
            named,
            "no such checkpoint",
            next_step="name one with --checkpoint, or start from random weights: training.checkpoint=null",
        )
    config, start = started(config, given)
    return Plan(path.stem, config, start, options.runs / path.stem)


def _without_checkpoint(config: ExperimentConfig) -> ExperimentConfig:
    return config.model_copy(update={"training": config.training.model_copy(update={"checkpoint": None})})


def _differs(plan: Plan, full: Plan) -> bool:
    """Whether anything is trained otherwise; parts that start anew count only where others do not."""
    unread = {"name", "ablation"}
    ours, theirs = (one.config.model_dump(exclude=unread) for one in (plan, full))
    if plan.start is None and full.start is None:
        for one in (ours, theirs):
            one["training"].pop("new_parts")
            one["training"].pop("checkpoint")
    return ours != theirs or plan.start != full.start


def _assert_can_start(plans: Sequence[Plan]) -> None:
    """Refuse now what would end the command after hours: devices, loggers, data, weights that do not fit.

    Raises
    ------
    InputError
        The experiments do not read the same data.
    MismatchError
        An experiment changes a part of the network that its checkpoint has, and does not name it.
    UsageError, MissingPartError
        As in `check_precision` and `check_loggers`.
    """
    data = plans[0].config.data
    for plan in plans:
        check_precision(plan.config.training.precision)
        check_loggers(plan.config.logging)
        for key in _SAME_DATA:
            if getattr(plan.config.data, key) != getattr(data, key):
                raise InputError(
                    plan.name, f"has another data.{key} than {FULL}", next_step="train it by `tocco train`"
                )
        if plan.start is not None:
            network = network_from_config(plan.config)
            start_from(network, plan.start, (), new_parts=new_parts_of(plan.config))


def _assert_parts(
    plans: Sequence[Plan], records: Sequence[PreparedRecord], splits: Sequence[Split], *, overwrite: bool
) -> None:
    """Refuse trained parts of other settings or data, before any training."""
    for plan in plans:
        for config, run in members(plan.config, plan.run):
            for split in splits:
                folder = run / split.name
                wanted = describe(config, records, split, plan.start)
                if (folder / WEIGHTS_FILE).is_file() and not overwrite:
                    assert_is_same(folder, wanted)
                else:
                    assert_may_train(
                        run, wanted, resume=is_begun(folder) and not overwrite, overwrite=overwrite
                    )


def _is_trained(plan: Plan, records: Sequence[PreparedRecord], splits: Sequence[Split]) -> bool:
    """Whether all parts of an experiment are trained, with these settings and data."""
    for config, run in members(plan.config, plan.run):
        for split in splits:
            folder = run / split.name
            if not (folder / WEIGHTS_FILE).is_file():
                return False
            try:
                assert_is_same(folder, describe(config, records, split, plan.start))
            except MismatchError:
                return False
    return True


def _train(
    plan: Plan,
    records: Sequence[PreparedRecord],
    splits: Sequence[Split],
    launcher: Launcher,
    *,
    overwrite: bool,
) -> None:
    for config, run in members(plan.config, plan.run):
        for split in splits:
            folder = run / split.name
            if (folder / WEIGHTS_FILE).is_file() and not overwrite:
                _say(f"{folder}: trained already")
                continue
            weights = train_stage(
                config,
                records,
                split,
                run,
                validate=split.is_validated,
                resume=is_begun(folder) and not overwrite,
                overwrite=overwrite,
                progress=sys.stderr.isatty(),
                start=plan.start,
                launcher=launcher,
                say=_say,
            )
            _say(f"{weights}: trained on {len(split.train)} records, {len(split.held_out)} held out")


def _rate(plan: Plan, records: Sequence[PreparedRecord], folds: Folds) -> dict[str, FloatArray]:
    """Ratings of an experiment; of an ensemble the mean, and those of its members."""
    with progress_bar(f"rating, {plan.name}", at_once=False) as advance:
        each = [
            held_out(config, records, run, folds, advance) for config, run in members(plan.config, plan.run)
        ]
    mean = sum(each[1:], each[0]) / len(each)
    return {plan.name: mean, **dict(zip(plan.experiment.members, each, strict=False))}


def _rate_untrained(full: Plan, records: Sequence[PreparedRecord], folds: Folds) -> FloatArray:
    """Ratings of the full network before its first step; of an ensemble, of its first member."""
    config, run = members(full.config, full.run)[0]
    with progress_bar(f"rating, {UNTRAINED}", at_once=False) as advance:
        return untrained(config, records, run, folds, full.start, advance)


def _report(
    plans: Sequence[Plan],
    records: Sequence[PreparedRecord],
    folds: Folds,
    ratings: dict[str, FloatArray],
    labels: Path,
    options: AblationOptions,
    missing: Sequence[str],
) -> Comparison:
    experiments = [plan.experiment for plan in plans]
    result = comparable(records, folds, ratings)
    provenance = _provenance(plans, records, folds, labels, options)
    return write_ablations(result, experiments, options.output, provenance, missing)


def _provenance(
    plans: Sequence[Plan],
    records: Sequence[PreparedRecord],
    folds: Folds,
    labels: Path,
    options: AblationOptions,
) -> dict[str, str]:
    full = plans[0]
    training = full.config.training
    numbers = ", ".join(map(str, folds.numbers))
    weights = (
        "random weights" if full.start is None else f"{full.start.name}, sha256 {sha256_of(full.start)[:16]}"
    )
    return {
        "command": f"tocco ablate {' '.join([*_fold_words(options), *options.settings])}".strip(),
        "labels": f"{len(records)} excerpts, sha256 {sha256_of(labels)[:16]}",
        "protocol": f"{folds.protocol}, held out: fold{'s' if len(folds.numbers) > 1 else ''} {numbers};"
        " trained without looking at them",
        "training": f"{training.max_epochs} epoch{'s' if training.max_epochs > 1 else ''} of"
        f" {full.config.data.records_per_epoch or 'all'} training records, from {weights},"
        f" seed {training.seed}",
    }


def _fold_words(options: AblationOptions) -> list[str]:
    return [] if options.fold == "all" else [f"--fold {options.fold}"]


def _line(plan: Plan, found: Comparison) -> str:
    low, high = found.interval(plan.name)
    difference = found.mean_r2(plan.name) - found.mean_r2(FULL)
    return (
        f"{plan.name}: mean R2 {found.mean_r2(plan.name):.3f}, {difference:+.3f} [{low:+.3f}, {high:+.3f}]"
        f" to {FULL}: {found.verdict(plan.experiment)}"
    )


def _say(line: str) -> None:
    typer.echo(line, err=True)
