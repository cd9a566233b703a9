import pytest
import torch

from tocco.errors import InputError, MismatchError
from tocco.models.masked_head import MaskedNoteModel, load_midi_encoder, save_midi_encoder
from tocco.models.midi_encoder import MASK, PITCH, TYPE, MIDIBertEncoder

VOCABULARY = (4, 8, 16, 128, 32, 32, 4, 20)


def _encoder(layers: int = 1, seed: int = 0) -> MIDIBertEncoder:
    torch.manual_seed(seed)
    return MIDIBertEncoder(vocabulary=VOCABULARY, n_note_features=3, size=16, layers=layers, heads=2).eval()


def test_weights_come_back_with_the_scales(tmp_path):
    encoder = _encoder()
    encoder.standardiser.fit(torch.randn(50, 3) * 7.0 + 3.0)
    save_midi_encoder(encoder, tmp_path / "e.safetensors")
    loaded = load_midi_encoder(_encoder(seed=1), tmp_path / "e.safetensors")
    assert all(torch.equal(value, loaded.state_dict()[name]) for name, value in encoder.state_dict().items())


def test_weights_of_another_shape_name_the_first_that_differs(tmp_path):
    save_midi_encoder(_encoder(layers=2), tmp_path / "e.safetensors")
    with pytest.raises(MismatchError, match=r"holds blocks\.1\.\S+ of shape \(16,\), the encoder has None"):
        load_midi_encoder(_encoder(), tmp_path / "e.safetensors")


def test_missing_and_damaged_files_are_named(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        load_midi_encoder(_encoder(), tmp_path / "absent.safetensors")
    (tmp_path / "e.safetensors").write_bytes(b"no weights")
    with pytest.raises(InputError, match="is not safetensors"):
        load_midi_encoder(_encoder(), tmp_path / "e.safetensors")


def test_a_question_is_answered_for_its_hidden_notes_alone():
    model = MaskedNoteModel(_encoder())
    answer = torch.randint(2, 4, (2, 5, 8))
    question = answer.clone()
    question[0, 1, TYPE] = question[1, 3, TYPE] = MASK
    mask, features = torch.ones(2, 5, dtype=torch.bool), torch.randn(2, 5, 3)
    guesses = model.guesses(question, features, mask)
    assert {name: tuple(each.shape) for name, each in guesses.items()} == {
        "pitch": (2, 128),
        "velocity": (2, 32),
        "duration": (2, 32),
        "position": (2, 16),
    }
    loss = model.loss(question, features, mask, answer)
    expected = torch.nn.functional.cross_entropy(guesses["pitch"], answer[[0, 1], [1, 3], PITCH])
    torch.testing.assert_close(loss.single["pitch"], expected)
    torch.testing.assert_close(loss.total, torch.stack(list(loss.single.values())).mean())
    assert loss.hidden.nonzero().tolist() == [[0, 1], [1, 3]]
