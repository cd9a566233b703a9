"""The scales that ship, and what is said of a file that is none."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import pytest

from pseudo_example import made_up_scale
from tocco.errors import InputError
from tocco.music.transcriber_noise import TranscriberNoise
from tocco.pseudo_labels.scale.files import Scales, load_scale, load_scales, read_scale, reference_scale
from tocco.pseudo_labels.scale.model import ReferenceScale
from tocco.schema import laid_out


@pytest.fixture(scope="module")
def scale() -> ReferenceScale:
    return made_up_scale()


def test_a_scale_of_other_components_is_refused(scale: ReferenceScale) -> None:
    fields = scale.model_dump()
    fields["dimensions"]["tone_quality"]["components"].pop("voicing_lead")
    with pytest.raises(InputError, match="other components of tone_quality"):
        read_scale(json.dumps(fields), "scale.json")
    with pytest.raises(InputError, match="not valid JSON"):
        read_scale("{", "scale.json")
    with pytest.raises(InputError, match=r"has the format 2 \(allowed: 3\)"):
        read_scale(json.dumps({**scale.model_dump(), "format": 2}), "scale.json")
    with pytest.raises(InputError, match="'poool' is unknown"):
        read_scale(json.dumps({"poool": 1}), "scale.json")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        load_scale(tmp_path / "none.json")


def test_what_is_no_scale_is_reported_with_the_command_that_makes_one(tmp_path: Path) -> None:
    path = tmp_path / "scale.json"
    path.write_bytes(bytes(range(128, 256)))
    with pytest.raises(InputError, match=r"scale\.json: is not a text file\. Next: fit the .*scale`"):
        load_scale(path)
    path.write_text('{"pool": [1]}')
    with pytest.raises(InputError, match=r"pool: has to be a JSON object \(got \[1\]\)"):
        load_scale(path)
    path.write_text(" " * 1_000_001)
    with pytest.raises(
        InputError, match=r"has 1,000,001 bytes .*up to 1,000,000;.* Next: fit .* --transcribed`"
    ):
        load_scale(path, "transcribed")


def test_the_pool_of_the_shipped_scale_is_reported() -> None:
    pool = reference_scale().pool
    assert sum(pool.corpora.values()) == pool.n_performances >= 150
    assert len(pool.pieces) == len(set(pool.pieces)) > 50
    assert pool.segment_sec == 10.0


def test_keys_and_transcriptions_have_scales_of_the_same_performances() -> None:
    keys, transcribed = reference_scale().pool, reference_scale("transcribed").pool
    assert keys.noise is None
    assert transcribed.noise == asdict(TranscriberNoise())
    assert (transcribed.pieces, transcribed.labels_sha256) == (keys.pieces, keys.labels_sha256)
    assert transcribed.content_sha256 == keys.content_sha256


def test_a_scale_of_the_other_kind_is_refused(scale: ReferenceScale, tmp_path: Path) -> None:
    keys, heard = tmp_path / "keys.json", tmp_path / "heard.json"
    noise = {"noise": asdict(TranscriberNoise.none())}
    keys.write_text(laid_out(scale.model_dump(exclude_none=True)))
    heard.write_text(laid_out(scale.model_dump() | {"pool": scale.pool.model_dump() | noise}))
    with pytest.raises(InputError, match=r"keys\.json: is a scale for recorded MIDI .*scale --transcribed`"):
        load_scales(None, keys)
    with pytest.raises(InputError, match=r"heard\.json: is a scale for transcriptions .*fit-scale`"):
        load_scales(heard, None)
    scales = load_scales(keys, heard, with_transcribed=False)
    assert scales.of("keys") == scale
    assert scales.of("transcribed").pool.noise == noise["noise"]
    assert scales.pieces == 2 * scale.pool.pieces


def test_the_scale_for_transcriptions_is_read_where_something_was_transcribed() -> None:
    assert load_scales() == Scales(reference_scale(), reference_scale("transcribed"))
    alone = load_scales(with_transcribed=False)
    assert alone == Scales(reference_scale(), None)
    assert alone.pieces == reference_scale().pool.pieces
    with pytest.raises(ValueError, match="no scale for transcriptions"):
        alone.of("transcribed")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"velocity_sd": -5.0}, r"velocity_sd: is -5 \(allowed: 0 or more\)\. Next"),
        ({"velocity_sd": float("nan")}, "finite number"),
        ({"velocity_sd": "loud"}, "number"),
        ({"velocty_sd": 1.0}, "other parameters than TranscriberNoise: velocty_sd"),
    ],
)
def test_a_noise_that_no_transcriber_has_is_refused(change: dict[str, object], said: str) -> None:
    reported = reference_scale("transcribed").model_dump(mode="json")
    reported["pool"]["noise"] |= change
    with pytest.raises(InputError, match=said) as caught:
        read_scale(json.dumps(reported), "scale.json", "transcribed")
    assert "\n" not in str(caught.value)
    reported["pool"]["noise"] = {}
    with pytest.raises(InputError, match="other parameters than TranscriberNoise: cut_offset_share"):
        read_scale(json.dumps(reported), "scale.json", "transcribed")
