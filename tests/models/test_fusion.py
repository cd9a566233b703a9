import pytest
import torch

from tocco.models.fusion import N_TIME_FEATURES, CrossAttentionFusion, TimeBias, time_features, with_null


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
    on_frames = fusion.onto_frames(notes, laid, torch.ones(1, 3, dtype=torch.bool))
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
