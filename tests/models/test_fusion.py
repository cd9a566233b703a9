import math

import pytest
import torch

from tocco.models.fusion import (
    N_TIME_FEATURES,
    CrossAttentionFusion,
    TimeBias,
    notes_at_frames,
    time_features,
    with_null,
)


def _fusion(**changes) -> CrossAttentionFusion:
    values = {"audio_size": 32, "midi_size": 16, "output_size": 24, "heads": 4}
    return CrossAttentionFusion(**(values | changes)).eval()


def _inputs(n_frames: int = 20, n_notes: int = 7) -> dict[str, torch.Tensor]:
    B, T, L = 2, n_frames, n_notes
    onset_sec = torch.rand(B, L).sort(dim=1).values * 2.0
    return {
        "audio": torch.randn(B, T, 32),
        "midi": torch.randn(B, L, 16),
        "audio_mask": torch.ones(B, T, dtype=torch.bool),
        "midi_mask": torch.ones(B, L, dtype=torch.bool),
        "frame_sec": (torch.arange(T) * 0.1).expand(B, -1),
        "note_sec": torch.stack((onset_sec, onset_sec + 0.3), dim=-1),
    }


def test_time_features_known_answer():
    features = time_features(torch.tensor([[1.0, 2.0, 2.4, 30.0]]), torch.tensor([[[2.0, 2.4]]]))[0, :, 0]
    assert features.shape == (4, N_TIME_FEATURES)
    before, after, inside = features[:, 0], features[:, 1], features[:, -1]
    torch.testing.assert_close(before, torch.tensor([1.0, 0.0, 0.0, 0.0]))
    torch.testing.assert_close(after, torch.tensor([0.0, 0.0, 0.4, 10.0]))
    torch.testing.assert_close(inside, torch.tensor([0.0, 1.0, 0.0, 0.0]))
    torch.testing.assert_close(features[2, 2:5], torch.exp(-0.4 / torch.tensor([0.05, 0.2, 0.8])))
    torch.testing.assert_close(features[0, 5:8], torch.exp(-1.0 / torch.tensor([0.05, 0.2, 0.8])))


def test_bias_starts_with_a_preference_for_the_near():
    bias = TimeBias(8)(
        time_features(torch.tensor([[0.0]]), torch.tensor([[[0.5, 1.0], [1.0, 2.0], [4.0, 5.0]]]))
    )
    near, farther, far = bias[0, 0, :, 0].T
    assert (near > farther).all()
    assert (farther > far).all()
    torch.testing.assert_close(near[[0, -1]], torch.tensor([-0.125, -4.0]))


def test_null_place_and_closed_keys():
    bias = torch.tensor([1.0, 2.0]).view(1, 1, 1, 2)
    mask = torch.tensor([[True, False]])
    assert with_null(bias, mask)[0, 0, 0].tolist() == [0.0, 1.0, float("-inf")]
    assert with_null(bias, mask, torch.full((1, 1, 1, 3), 5.0))[0, 0, 0].tolist() == [5.0, 6.0, float("-inf")]


def test_stated_sizes():
    fused = CrossAttentionFusion().eval()(
        torch.randn(2, 30, 768),
        torch.randn(2, 11, 256),
        **{k: v for k, v in _inputs(30, 11).items() if k not in ("audio", "midi")},
    )
    assert fused.shape == (2, 30, 1024)


def test_only_time_differences_count():
    fusion, inputs = _fusion(), _inputs()
    out = fusion(**inputs)
    both = fusion(**inputs | {"frame_sec": inputs["frame_sec"] + 2.0, "note_sec": inputs["note_sec"] + 2.0})
    torch.testing.assert_close(both, out, atol=1e-5, rtol=0)
    midi = fusion(**inputs | {"note_sec": inputs["note_sec"] + 2.0})
    assert (midi - out).abs().amax(-1).min() > 1e-4
    assert (midi - out).abs().mean() > 1e-2 * out.abs().mean()


def test_release_counts_as_well_as_onset():
    fusion, inputs = _fusion(), _inputs()
    longer = inputs["note_sec"] + torch.tensor([0.0, 0.5])
    assert (fusion(**inputs | {"note_sec": longer}) - fusion(**inputs)).abs().max() > 1e-4


def test_order_of_the_notes_does_not_count():
    fusion, inputs = _fusion(), _inputs()
    order = torch.randperm(7)
    shuffled = {k: inputs[k][:, order] for k in ("midi", "note_sec", "midi_mask")}
    torch.testing.assert_close(fusion(**inputs | shuffled), fusion(**inputs), atol=1e-5, rtol=0)


def test_notes_lie_on_the_frames_of_their_time():
    fusion = _fusion()
    with torch.no_grad():
        fusion.time_bias.weight.zero_()
        fusion.time_bias.weight[:, :, -1] = 50.0
    notes = torch.randn(1, 3, 16)
    note_sec = torch.tensor([[[0.0, 1.0], [1.0, 2.0], [2.0, 3.0]]])
    features = time_features(torch.tensor([[0.5, 1.5, 2.5]]), note_sec)
    laid = fusion.time_bias(features)[2]
    on_frames = notes_at_frames(notes, fusion.no_note, laid, torch.ones(1, 3, dtype=torch.bool))
    torch.testing.assert_close(on_frames, notes)


@pytest.mark.parametrize("side", ["audio", "midi"])
def test_masked_contents_never_count(side: str):
    fusion, inputs = _fusion(), _inputs()
    mask = inputs[f"{side}_mask"].clone()
    mask[0, 4:] = False
    closed = inputs | {f"{side}_mask": mask}
    out = fusion(**closed)
    rubbish = inputs[side].clone()
    rubbish[0, 4:] = 1e3
    time = {"audio": "frame_sec", "midi": "note_sec"}[side]
    moved = inputs[time].clone()
    moved[0, 4:] = 77.0
    torch.testing.assert_close(fusion(**closed | {side: rubbish, time: moved}), out)
    opened = fusion(**inputs)
    assert (opened[0, :4] - out[0, :4]).abs().max() > 1e-4
    torch.testing.assert_close(opened[1], out[1])


def test_padding_equals_absence():
    fusion, inputs = _fusion(), _inputs()
    audio_mask, midi_mask = inputs["audio_mask"].clone(), inputs["midi_mask"].clone()
    audio_mask[0, 12:], midi_mask[0, 5:] = False, False
    padded = fusion(**inputs | {"audio_mask": audio_mask, "midi_mask": midi_mask})
    cut = {
        k: v[:1, :12] if k in ("audio", "audio_mask", "frame_sec") else v[:1, :5] for k, v in inputs.items()
    }
    torch.testing.assert_close(padded[:1, :12], fusion(**cut), atol=1e-5, rtol=0)
    assert not padded[0, 12:].any()


def test_a_window_without_notes_is_finite_and_its_own():
    fusion, inputs = _fusion(), _inputs()
    mask = inputs["midi_mask"].clone()
    mask[1] = False
    out = fusion(**inputs | {"midi_mask": mask})
    assert torch.isfinite(out).all()
    none = fusion(
        **inputs
        | {"midi": inputs["midi"][:, :0], "note_sec": inputs["note_sec"][:, :0], "midi_mask": mask[:, :0]}
    )
    torch.testing.assert_close(out[1], none[1], atol=1e-5, rtol=0)


def test_sizes_that_do_not_fit_are_named():
    with pytest.raises(ValueError, match="midi_size 18 cannot be split into 4 heads"):
        _fusion(midi_size=18)


def test_time_features_are_the_stated_decays():
    features = time_features(torch.tensor([[1.0, 1.9, 2.3, 40.0]]), torch.tensor([[[2.0, 2.4]]]))[0, :, 0]
    after = [[0.0] * 3, [0.0] * 3, [math.exp(-0.3 / d) for d in (0.05, 0.2, 0.8)], [0.0] * 3]
    before = [[math.exp(-s / d) for d in (0.05, 0.2, 0.8)] for s in (1.0, 0.1)] + [[0.0] * 3] * 2
    torch.testing.assert_close(features[:, 2:5], torch.tensor(after), atol=1e-5, rtol=0)
    torch.testing.assert_close(features[:, 5:8], torch.tensor(before), atol=1e-5, rtol=0)
    assert features[:, 8].tolist() == [0.0, 0.0, 1.0, 0.0]
    assert features[:, :2].tolist() == [
        pytest.approx([1.0, 0.0]),
        pytest.approx([0.1, 0.0]),
        pytest.approx([0.0, 0.3]),
        [0.0, 10.0],
    ]


def test_a_key_is_down_from_its_onset_until_just_before_its_release():
    features = time_features(torch.tensor([[1.999, 2.0, 2.499, 2.5]]), torch.tensor([[[2.0, 2.5]]]))
    assert features[0, :, 0, -1].tolist() == [0.0, 1.0, 1.0, 0.0]
    early = time_features(torch.tensor([[0.0]]), torch.tensor([[[50.0, 51.0]]]))
    assert early[0, 0, 0, :2].tolist() == [10.0, 0.0]


def test_each_use_begins_with_slopes_from_a_quarter_to_eight():
    weight = TimeBias(6, uses=2).weight
    assert weight.shape == (2, 6, 9)
    slope = [0.25 * 32 ** (k / 5) for k in range(6)]
    for use in weight:
        assert (-use[:, 0]).tolist() == pytest.approx(slope, rel=1e-5)
        assert (-use[:, 1]).tolist() == pytest.approx(slope, rel=1e-5)
        assert not use[:, 2:8].any()
        assert use[:, 8].tolist() == [1.0] * 6


def test_timed_attention_written_out():
    """One head over the null place and the open notes, with the bias added to scaled products."""
    fusion, inputs = _fusion(heads=1), _inputs(3, 2)
    attention = fusion.frames_ask_notes
    with torch.no_grad():
        attention.null_key.normal_()
        bias = torch.tensor([[[[0.5, -1.0], [2.0, 0.0], [0.0, 0.0]]]] * 2)
        mask = torch.tensor([[True, True], [True, False]])
        got = attention(inputs["audio"], inputs["midi"], bias, mask)
        for item in range(2):
            key = torch.cat((attention.null_key[None], attention.key(inputs["midi"][item])))
            value = torch.cat((attention.null_value[None], attention.value(inputs["midi"][item])))
            logits = attention.query(inputs["audio"][item]) @ key.T / math.sqrt(32)
            logits[:, 1:] += bias[item, 0]
            n = 3 if item == 0 else 2
            expected = attention.out(logits[:, :n].softmax(-1) @ value[:n])
            torch.testing.assert_close(got[item], expected, atol=1e-5, rtol=0)


def test_defaults_and_beginnings_are_the_stated_ones():
    fusion = CrossAttentionFusion()
    assert (fusion.output_size, fusion.heads) == (1024, 8)
    assert fusion.audio_norm.normalized_shape == (768,)
    assert fusion.midi_norm.normalized_shape == (256,)
    assert fusion.join.weight.shape == (1024, 768 + 256)
    assert fusion.frames_ask_notes.dropout.p == fusion.notes_ask_frames.dropout.p == 0.1
    assert not fusion.frames_ask_notes.null_key.any()
    assert fusion.frames_ask_notes.null_value.std().item() == pytest.approx(0.02, rel=0.15)
    assert fusion.no_note.std().item() == pytest.approx(0.02, rel=0.15)


def test_both_streams_keep_what_they_are():
    """What attention finds is added to a stream, and the join reads both, normalised."""
    fusion, inputs = _fusion(), _inputs()
    with torch.no_grad():
        for attention in (fusion.frames_ask_notes, fusion.notes_ask_frames):
            attention.out.weight.zero_()
            attention.out.bias.fill_(0.25)
        out = fusion(**inputs)
        features = time_features(inputs["frame_sec"], inputs["note_sec"])
        laid = notes_at_frames(
            inputs["midi"] + 0.25, fusion.no_note, fusion.time_bias(features)[2], inputs["midi_mask"]
        )
        joined = torch.cat((inputs["audio"] + 0.25, laid), dim=-1)
        torch.testing.assert_close(out, fusion.join(fusion.joined_norm(joined)), atol=1e-5, rtol=0)
