import math

import pytest
import torch
from torch.nn import functional

from tocco.models.masked_head import MaskedNoteModel, choose_hidden
from tocco.models.midi_encoder import (
    BAR,
    INSTRUMENT,
    MASK,
    PITCH,
    PREDICTED_COLUMNS,
    TYPE,
    MIDIBertEncoder,
    fold,
    sinusoids,
)

VOCABULARY = (4, 8, 16, 128, 32, 32, 3, 20)


def _encoder(**changes) -> MIDIBertEncoder:
    values = {
        "vocabulary": VOCABULARY,
        "n_note_features": 3,
        "size": 32,
        "layers": 2,
        "heads": 4,
        "dropout": 0.0,
    }
    return MIDIBertEncoder(**(values | changes)).eval()


def _notes(n_items: int, n_notes: int) -> torch.Tensor:
    B, L = n_items, n_notes
    columns = [torch.full((B, L), 2)] + [torch.randint(0, n, (B, L)) for n in VOCABULARY[1:7]]
    return torch.stack([*columns, torch.arange(L).expand(B, L) // 4], dim=-1)


def test_sinusoids_known_values():
    out = sinusoids(torch.tensor([0, 1]), 4, longest=100.0)
    expected = [[0.0, 0.0, 1.0, 1.0], [math.sin(1), math.sin(0.1), math.cos(1), math.cos(0.1)]]
    torch.testing.assert_close(out, torch.tensor(expected))


def test_defaults_are_the_stated_ones():
    encoder = MIDIBertEncoder(vocabulary=VOCABULARY, n_note_features=3)
    assert (encoder.output_size, len(encoder.blocks)) == (256, 6)
    assert encoder(_notes(2, 9), torch.randn(2, 9, 3), torch.ones(2, 9, dtype=torch.bool)).shape == (
        2,
        9,
        256,
    )


def test_padding_changes_nothing_and_reads_zero():
    encoder, tokens, features = _encoder(), _notes(2, 10), torch.randn(2, 10, 3)
    mask = torch.arange(10) < torch.tensor([[6], [10]])
    out = encoder(tokens, features, mask)
    alone = encoder(tokens[:1, :6], features[:1, :6], mask[:1, :6])
    torch.testing.assert_close(out[:1, :6], alone, atol=1e-5, rtol=0)
    assert not out[0, 6:].any()
    other = tokens.clone()
    other[0, 6:] = 1
    assert torch.equal(encoder(other, features, mask), out)


def test_opening_the_mask_changes_the_context():
    encoder, tokens, features = _encoder(), _notes(1, 8), torch.randn(1, 8, 3)
    mask = torch.arange(8)[None] < 8
    full, part = encoder(tokens, features, mask), encoder(tokens, features, mask & (torch.arange(8) != 5))
    assert (full - part)[0, :5].abs().max() > 1e-3


def test_empty_sequence_is_finite():
    encoder = _encoder()
    out = encoder(_notes(1, 4), torch.randn(1, 4, 3), torch.zeros(1, 4, dtype=torch.bool))
    assert torch.equal(out, torch.zeros(1, 4, 32))
    assert encoder(_notes(1, 0), torch.randn(1, 0, 3), torch.zeros(1, 0, dtype=torch.bool)).shape == (
        1,
        0,
        32,
    )


def test_every_column_and_feature_is_heard():
    encoder, tokens, features = _encoder(), _notes(1, 5), torch.randn(1, 5, 3)
    mask = torch.ones(1, 5, dtype=torch.bool)
    out = encoder(tokens, features, mask)
    for column in range(1, 8):
        other = tokens.clone()
        other[0, 2, column] = (other[0, 2, column] + 1) % (10**6 if column == BAR else VOCABULARY[column])
        assert (encoder(other, features, mask) - out)[0, 2].abs().max() > 1e-4, column
    for feature in range(3):
        other = features.clone()
        other[0, 2, feature] = float("nan")
        assert (encoder(tokens, other, mask) - out)[0, 2].abs().max() > 1e-4


def test_bars_have_no_bound():
    encoder, tokens = _encoder(), _notes(1, 3)
    tokens[..., BAR] = torch.tensor([0, 5_000, 1_000_000])
    assert torch.isfinite(encoder(tokens, torch.randn(1, 3, 3), torch.ones(1, 3, dtype=torch.bool))).all()


def test_beats_of_a_long_bar_start_again():
    assert fold(torch.tensor([0, 1, 2, 7, 8, 14]), 8).tolist() == [0, 1, 2, 7, 2, 2]


def test_a_hidden_note_shows_only_its_place():
    encoder, tokens, features = _encoder(), _notes(1, 4), torch.randn(1, 4, 3)
    tokens[0, 1, TYPE] = MASK
    shown = encoder.embed(tokens, features)
    for column in PREDICTED_COLUMNS.values():
        other = tokens.clone()
        other[0, 1, column] = (other[0, 1, column] + 1) % VOCABULARY[column]
        assert torch.equal(encoder.embed(other, features), shown)
    assert torch.equal(encoder.embed(tokens, features.index_fill(1, torch.tensor([1]), 9.0)), shown)
    for column in (BAR, INSTRUMENT):
        other = tokens.clone()
        other[0, 1, column] = 1 - other[0, 1, column]
        assert not torch.equal(encoder.embed(other, features)[0, 1], shown[0, 1])


def test_choose_hidden_takes_the_share_of_real_notes():
    mask = torch.arange(100) < torch.tensor([[100], [40], [1], [0]])
    hidden = choose_hidden(mask, 0.15, torch.Generator().manual_seed(1))
    assert hidden.sum(1).tolist() == [15, 6, 1, 0]
    assert not (hidden & ~mask).any()
    assert torch.equal(hidden, choose_hidden(mask, 0.15, torch.Generator().manual_seed(1)))
    assert not torch.equal(hidden, choose_hidden(mask, 0.15, torch.Generator().manual_seed(2)))


def test_masked_loss_starts_at_chance_and_falls_on_a_repeated_pattern():
    model = MaskedNoteModel(_encoder(size=64))
    pitch = torch.tensor([60, 64, 67, 72]).repeat(8)
    zero, place = torch.zeros(32, dtype=torch.long), torch.arange(32) % 4
    row = torch.stack(
        [zero + 2, place, place * 4, pitch, place + 3, place * 5 + 2, zero, torch.arange(32) // 4], -1
    )
    tokens, features = row.expand(4, -1, -1), torch.zeros(4, 32, 3)
    mask, generator = torch.ones(4, 32, dtype=torch.bool), torch.Generator().manual_seed(0)
    first = model.masked_octuple_loss(tokens, features, mask, generator)
    assert first.single.keys() == {"pitch", "velocity", "duration", "position"}
    assert first.total.item() == pytest.approx(sum(v.item() for v in first.single.values()) / 4, rel=1e-5)
    assert abs(first.single["pitch"].item() - math.log(128)) < 1.0
    optimiser = torch.optim.AdamW(model.parameters(), lr=3e-3)
    for _ in range(60):
        optimiser.zero_grad()
        loss = model.masked_octuple_loss(tokens, features, mask, generator)
        loss.total.backward()
        optimiser.step()
    assert all(value.item() < 0.2 for value in loss.single.values())


def test_masked_loss_reaches_every_parameter():
    model = MaskedNoteModel(_encoder())
    mask = torch.ones(2, 20, dtype=torch.bool)
    model.masked_octuple_loss(
        _notes(2, 20), torch.randn(2, 20, 3), mask, torch.Generator().manual_seed(0)
    ).total.backward()
    assert [n for n, p in model.named_parameters() if p.grad is None or not p.grad.any()] == []


def test_mistakes_are_named():
    with pytest.raises(ValueError, match="eight sizes above 2 are needed"):
        _encoder(vocabulary=VOCABULARY[:7])
    with pytest.raises(ValueError, match="size 30 cannot be split into 4 heads"):
        _encoder(size=30)
    model, tokens = MaskedNoteModel(_encoder()), _notes(1, 4)
    with pytest.raises(ValueError, match="no note to hide"):
        model.masked_octuple_loss(
            tokens, torch.zeros(1, 4, 3), torch.zeros(1, 4, dtype=torch.bool), torch.Generator()
        )
    tokens[0, 0, PITCH] = 128
    with pytest.raises(IndexError):
        _encoder()(tokens, torch.zeros(1, 4, 3), torch.ones(1, 4, dtype=torch.bool))


def test_defaults_and_beginnings_are_the_stated_ones():
    encoder = MIDIBertEncoder(vocabulary=VOCABULARY, n_note_features=3)
    assert encoder.dropout.p == 0.1
    assert {(block.heads, block.dropout) for block in encoder.blocks} == {(8, 0.1)}
    block = encoder.blocks[0]
    assert block.query_key_value.weight.shape == (3 * 256, 256)
    assert (block.widen.out_features, block.narrow.in_features) == (4 * 256, 4 * 256)
    assert [tuple(column.weight.shape) for column in encoder.columns] == [(n, 256) for n in VOCABULARY[:7]]
    # Seven columns side by side have together half the size of one feature.
    spread = torch.cat([column.weight.flatten() for column in encoder.columns]).std().item()
    assert spread == pytest.approx(0.5 / math.sqrt(7), rel=0.02)
    assert encoder.place_scale.item() == pytest.approx(0.1)
    assert encoder.start.std().item() == pytest.approx(0.5, rel=0.15)
    assert encoder.bar.bias is None
    assert encoder.played.weight.shape == (256, 6)
    assert MIDIBertEncoder(vocabulary=VOCABULARY, n_note_features=0).played is None


def test_the_columns_and_types_are_those_of_the_tokens():
    from tocco.music.octuple import COLUMNS

    names = ["type", "beat", "position", "pitch", "duration", "velocity", "instrument", "bar"]
    assert list(COLUMNS) == names
    assert {
        name: names.index(name) for name in ("pitch", "velocity", "duration", "position")
    } == PREDICTED_COLUMNS


def test_a_note_is_the_sum_of_its_columns_its_bar_and_its_features():
    encoder, tokens, features = _encoder(), _notes(1, 3), torch.randn(1, 3, 3)
    with torch.no_grad():
        shown = encoder.embed(tokens, features)
        for n in range(3):
            expected = sum(encoder.columns[c].weight[tokens[0, n, c]] for c in range(7))
            expected = expected + encoder.bar(sinusoids(tokens[0, n, BAR], 32, longest=1_000.0))
            known = torch.cat((features[0, n].clamp(-5, 5), torch.zeros(3)))
            expected = expected + encoder.played(known)
            torch.testing.assert_close(shown[0, n], expected, atol=1e-5, rtol=0)


def test_a_block_is_attention_and_a_step_each_normalised_first():
    encoder = _encoder(layers=1)
    block, x = encoder.blocks[0], torch.randn(1, 4, 32)
    mask = torch.tensor([[True, True, True, False]])
    with torch.no_grad():
        q, k, v = block.query_key_value(block.attention_norm(x))[0].chunk(3, dim=-1)
        heads = []
        for h in range(4):
            part = slice(8 * h, 8 * h + 8)
            logits = q[:, part] @ k[:3, part].T / math.sqrt(8)
            heads.append(logits.softmax(-1) @ v[:3, part])
        middle = x[0] + block.attention_out(torch.cat(heads, dim=-1))
        step = block.narrow(functional.gelu(block.widen(block.step_norm(middle))))
        torch.testing.assert_close(block(x, mask)[0], middle + step, atol=1e-5, rtol=0)


def test_the_sequence_begins_with_the_start_token_and_counts_places():
    encoder = _encoder(layers=0)
    tokens, features, mask = _notes(1, 3), torch.randn(1, 3, 3), torch.ones(1, 3, dtype=torch.bool)
    with torch.no_grad():
        placed = encoder.embed(tokens, features)[0] + 0.1 * sinusoids(torch.arange(3), 32)
        torch.testing.assert_close(encoder(tokens, features, mask)[0], encoder.norm(placed))
    deeper = _encoder(layers=1)
    with torch.no_grad():
        before = deeper(tokens, features, mask)
        deeper.start.neg_()
    assert (deeper(tokens, features, mask) - before).abs().max() > 1e-3


def test_sinusoids_by_default_reach_ten_thousand():
    out = sinusoids(torch.tensor([3.0]), 8)[0]
    rates = [10_000.0 ** (-k / 4) for k in range(4)]
    expected = [math.sin(3 * r) for r in rates] + [math.cos(3 * r) for r in rates]
    assert out.tolist() == pytest.approx(expected, abs=1e-6)


def test_dropout_acts_on_what_is_added():
    encoder = _encoder(layers=1, dropout=1.0).train()
    x, mask = torch.randn(1, 4, 32), torch.ones(1, 4, dtype=torch.bool)
    assert torch.equal(encoder.blocks[0](x, mask), x)
    encoder.eval()
    assert not torch.equal(encoder.blocks[0](x, mask), x)


def test_what_is_hidden_is_asked_for_and_returned():
    model = MaskedNoteModel(_encoder(layers=1))
    tokens, features, mask = _notes(2, 20), torch.zeros(2, 20, 3), torch.ones(2, 20, dtype=torch.bool)
    loss = model.masked_octuple_loss(tokens, features, mask, torch.Generator().manual_seed(4))
    assert loss.hidden.sum(1).tolist() == [3, 3]  # 15 in 100
    question = tokens.clone()
    question[..., TYPE][loss.hidden] = MASK
    heard = model.encoder(question, features, mask)[loss.hidden]
    for name, column in PREDICTED_COLUMNS.items():
        expected = functional.cross_entropy(model.guess[name](heard), tokens[..., column][loss.hidden])
        torch.testing.assert_close(loss.single[name], expected)
    torch.testing.assert_close(loss.total, torch.stack(list(loss.single.values())).mean())
    half = model.masked_octuple_loss(tokens, features, mask, torch.Generator().manual_seed(4), fraction=0.5)
    assert half.hidden.sum(1).tolist() == [10, 10]
