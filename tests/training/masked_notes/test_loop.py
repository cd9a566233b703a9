import numpy as np
import pytest
import torch

from corruption_etude import etude
from tocco.cache import cached_arrays
from tocco.errors import InputError
from tocco.models.masked_head import load_midi_encoder
from tocco.models.midi_encoder import PREDICTED_COLUMNS
from tocco.music.octuple import OCTUPLE_VOCABULARY
from tocco.training.config import ExperimentConfig, TrainingConfig
from tocco.training.epoch_log import read_epochs
from tocco.training.masked_notes.baselines import count, measure_counted
from tocco.training.masked_notes.corpus import Asked
from tocco.training.masked_notes.loop import (
    ENCODER_FILE,
    Pretraining,
    best_model,
    encoder_of,
    learning_rate,
    measure,
)
from tocco.training.masked_notes.questions import ask, choose_notes

SPANS = (1, 3)


def _config(
    dropout: float = 0.1, size: int = 32, max_epochs: int = 3, every_steps: int = 0
) -> ExperimentConfig:
    return ExperimentConfig.model_validate(
        {
            "name": "small",
            "stage": "masked_notes",
            "masking": {"spans": SPANS},
            "data": {"batch_size": 2},
            "model": {"midi_layers": 1, "midi_size": size, "midi_heads": 2, "dropout": dropout},
            "training": {
                "seed": 5,
                "threads": 1,
                "max_epochs": max_epochs,
                "optimizer": {"backbone_lr": 3e-3},
                "scheduler": {"warmup_steps": 2},
            },
            "callbacks": {"checkpoint": {"every_steps": every_steps}},
        }
    )


@pytest.fixture(scope="module")
def asked(tmp_path_factory) -> Asked:
    """Four windows of an etude, each asked twice."""
    performance, _ = etude()
    rng = np.random.default_rng(2)
    windows = [performance.only(np.arange(start, start + 40)) for start in (0, 40, 80, 120)]
    questions = [
        ask(window, None, choose_notes(window.struck_inside, 0.15, span, rng))
        for window in windows
        for span in SPANS
    ]
    ends = np.cumsum([len(q.shown) for q in questions])
    path = tmp_path_factory.mktemp("asked") / "etude.safetensors"
    names = ("shown", "answer", "note_features")
    cached_arrays(path, lambda: {n: np.concatenate([getattr(q, n) for q in questions]) for n in names})
    return Asked("etude", path, np.stack([np.append(0, ends[:-1]), ends], axis=1))


def test_a_resumed_run_equals_an_uninterrupted_one(asked, tmp_path):
    config = _config(every_steps=1)
    folders = [tmp_path / name for name in ("whole", "parts")]
    for folder in folders:
        folder.mkdir()
    Pretraining(config, [asked], [asked], folders[0]).run()
    Pretraining(config, [asked], [asked], folders[1]).run(until_step=3)
    torch.manual_seed(99)
    resumed = Pretraining(config, [asked], [asked], folders[1], resume=True)
    assert (resumed.progress.epoch, resumed.progress.batch, resumed.progress.step) == (1, 1, 3)
    resumed.run()
    assert (folders[0] / ENCODER_FILE).read_bytes() == (folders[1] / ENCODER_FILE).read_bytes()
    whole, parts = (torch.load(each / "last.ckpt", weights_only=True) for each in folders)
    assert whole["progress"] == parts["progress"]
    assert whole["progress"]["step"] == 6
    for name, value in whole["model"].items():
        assert torch.equal(value, parts["model"][name]), name
    assert torch.equal(whole["generator"], parts["generator"])


def test_loss_falls_on_a_handful_below_what_counting_reaches(asked, tmp_path):
    run = Pretraining(_config(0.0, 64, max_epochs=80), [asked], [asked], tmp_path)
    run.run()
    rows = read_epochs(tmp_path)
    assert rows[0]["train_loss"] > 4.0
    assert rows[-1]["train_loss"] < 1.2
    figures = measure(best_model(run.config, tmp_path), run.questions([asked]))
    sizes = {name: OCTUPLE_VOCABULARY[name] for name in PREDICTED_COLUMNS}
    counted = measure_counted(run.questions([asked]), count(run.questions([asked]), sizes))
    for name in PREDICTED_COLUMNS:
        assert figures[name][0] < counted["unigram"][name][0], name
    assert figures["pitch"][1] > 0.5


def test_the_best_encoder_loads_into_a_network(asked, tmp_path):
    run = Pretraining(_config(), [asked], [asked], tmp_path)
    encoder = load_midi_encoder(encoder_of(run.config.model), run.run())
    best = best_model(run.config, tmp_path).encoder.state_dict()
    assert all(torch.equal(value, best[name]) for name, value in encoder.state_dict().items())
    assert float(encoder.standardiser.sd.max()) > 1.0


def test_nothing_to_resume_is_said(asked, tmp_path):
    with pytest.raises(InputError, match="no such checkpoint"):
        Pretraining(_config(), [asked], [asked], tmp_path, resume=True)


def test_learning_rate_rises_then_falls_to_the_least():
    settings = TrainingConfig.model_validate(
        {"optimizer": {"backbone_lr": 1e-3}, "scheduler": {"warmup_steps": 10, "min_lr": 1e-5}}
    )
    assert learning_rate(settings, 0, 100) == pytest.approx(1e-4)
    assert learning_rate(settings, 10, 100) == pytest.approx(1e-3)
    assert learning_rate(settings, 55, 100) == pytest.approx(5.05e-4)
    assert learning_rate(settings, 100, 100) == pytest.approx(1e-5)
    assert learning_rate(settings, 0, 20) == pytest.approx(5e-4)


def test_a_constant_learning_rate_stays():
    settings = TrainingConfig.model_validate(
        {"optimizer": {"backbone_lr": 1e-3}, "scheduler": {"name": "constant", "warmup_steps": 10}}
    )
    assert learning_rate(settings, 90, 100) == 1e-3
