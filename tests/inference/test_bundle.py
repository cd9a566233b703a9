"""A bundle is what was exported, byte for byte, or it is refused by the name of its broken part."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import pytest
import torch
import yaml
from safetensors.torch import load_file, save_file

from network_alone import write_network_alone
from tocco.errors import BundleError
from tocco.files import sha256_of
from tocco.inference.bundle import (
    CALIBRATION,
    CARD,
    CHECKSUMS,
    CONFIG,
    PARTS,
    WEIGHTS,
    Bundle,
    bundled_path,
    example_path,
    load_bundle,
    save_bundle,
)


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle with a network and nothing else."""
    return write_network_alone(tmp_path_factory.mktemp("alone") / "bundle")


@pytest.fixture(scope="module")
def bundle(alone: Path) -> Bundle:
    return load_bundle(alone)


@pytest.fixture
def folder(alone: Path, tmp_path: Path) -> Path:
    """A copy of a bundle."""
    return Path(shutil.copytree(alone, tmp_path / "bundle"))


def seal(folder: Path) -> None:
    """State the checksums of the parts as they are now."""
    lines = [f"{sha256_of(folder / part)}  {part}\n" for part in PARTS]
    (folder / CHECKSUMS).write_text("".join(lines))


def change_config(folder: Path, **changes: object) -> None:
    config = yaml.safe_load((folder / CONFIG).read_text())
    (folder / CONFIG).write_text(yaml.safe_dump(config | changes, sort_keys=False))
    seal(folder)


def test_the_bundle_of_the_package_is_read_for_rating() -> None:
    bundle = load_bundle()
    assert bundle.config.name == bundled_path().name == "tocco-compact"
    assert bundle.sha256 == sha256_of(bundled_path() / CHECKSUMS)
    assert not bundle.network.training
    assert not any(parameter.requires_grad for parameter in bundle.network.parameters())
    assert bundle.network.dimensions
    assert set(bundle.config.rated) <= set(bundle.network.dimensions)
    assert {p.dtype for p in bundle.network.parameters()} == {torch.float32}
    assert (example_path() / "minuet.mid").is_file()


def test_what_is_written_is_what_is_read(bundle: Bundle, tmp_path: Path) -> None:
    folder = tmp_path / "new" / "bundle"
    sha256 = save_bundle(folder, bundle.config, bundle.calibration, bundle.network, "# Für dich\n")
    assert sorted(path.name for path in folder.iterdir()) == sorted([*PARTS, CHECKSUMS])
    assert sha256 == hashlib.sha256((folder / CHECKSUMS).read_bytes()).hexdigest()
    again = load_bundle(folder)
    assert again.sha256 == sha256
    assert again.config == bundle.config
    assert again.calibration == bundle.calibration
    state = bundle.network.state_dict()
    for name, tensor in again.network.state_dict().items():
        assert torch.equal(tensor, state[name]), name
    assert (folder / CARD).read_text(encoding="utf-8") == "# Für dich\n"
    # As `sha256sum -c` reads it, and the settings in the order in which they are defined.
    assert (folder / CHECKSUMS).read_text().splitlines()[0] == f"{sha256_of(folder / WEIGHTS)}  {WEIGHTS}"
    assert (folder / CONFIG).read_text().startswith("schema_version: 1\nname: tocco-compact\n")


@pytest.mark.parametrize("part", PARTS)
def test_one_changed_byte_is_refused(folder: Path, part: str) -> None:
    content = bytearray((folder / part).read_bytes())
    content[-1] ^= 1
    (folder / part).write_bytes(content)
    with pytest.raises(BundleError, match=f"{part}: is not the file that was exported") as refused:
        load_bundle(folder)
    assert "get the bundle again" in str(refused.value)


def test_missing_parts_are_named(folder: Path) -> None:
    (folder / CARD).unlink()
    (folder / CHECKSUMS).unlink()
    with pytest.raises(BundleError, match=r"lacks MODEL_CARD\.md, SHA256SUMS"):
        load_bundle(folder)
    (checkpoint := folder.parent / "last.ckpt").touch()
    with pytest.raises(BundleError, match=r"last\.ckpt: holds weights alone.* Next: make one of its run"):
        load_bundle(checkpoint)
    with pytest.raises(BundleError, match="is not a folder"):
        load_bundle(folder / WEIGHTS)
    with pytest.raises(BundleError, match="cannot be read"):
        load_bundle(folder / "none")


@pytest.mark.parametrize("sums", ["", "00  model.safetensors\n", "all  parts  are fine\n"])
def test_checksums_that_list_other_files_are_refused(folder: Path, sums: str) -> None:
    (folder / CHECKSUMS).write_text(sums)
    with pytest.raises(BundleError, match="SHA256SUMS: does not list what is there: "):
        load_bundle(folder)


@pytest.mark.parametrize("what", ["statistics", "note_features", "octuple_vocabulary"])
def test_a_model_that_reads_other_inputs_is_refused(folder: Path, bundle: Bundle, what: str) -> None:
    change_config(folder, **{what: list(getattr(bundle.config, what))[:-1], "tocco_version": "0.0.9"})
    with pytest.raises(BundleError, match=f"made by tocco 0.0.9, whose {what} are not those") as refused:
        load_bundle(folder)
    assert "install tocco 0.0.9" in str(refused.value)


def test_settings_that_describe_no_network_are_refused(folder: Path, bundle: Bundle) -> None:
    change_config(folder, network=bundle.config.network | {"audio_encoder": "other"})
    with pytest.raises(BundleError, match="describes no network of this release"):
        load_bundle(folder)
    change_config(folder, network=bundle.config.network | {"unheard_of": 1})
    with pytest.raises(BundleError, match="describes no network of this release"):
        load_bundle(folder)


def test_weights_of_another_network_are_refused(folder: Path) -> None:
    weights = load_file(folder / WEIGHTS)
    name = sorted(weights)[0]
    save_file({k: v for k, v in weights.items() if k != name}, folder / WEIGHTS)
    seal(folder)
    with pytest.raises(BundleError, match=r"model.safetensors: does not fit config.yaml"):
        load_bundle(folder)
    (folder / WEIGHTS).write_bytes(b"no weights at all")
    seal(folder)
    with pytest.raises(BundleError, match=r"model.safetensors: does not fit config.yaml") as refused:
        load_bundle(folder)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("part", [CONFIG, CALIBRATION])
@pytest.mark.parametrize("content", [b"a: [", b"\xff\xfe\xfd"])
def test_a_part_that_cannot_be_parsed_is_refused(folder: Path, part: str, content: bytes) -> None:
    (folder / part).write_bytes(content)
    seal(folder)
    with pytest.raises(BundleError, match=f"{part}: cannot be parsed"):
        load_bundle(folder)


def test_a_setting_of_the_wrong_kind_is_named(folder: Path) -> None:
    change_config(folder, overlap="much")
    with pytest.raises(BundleError, match=r"config.yaml: .*overlap") as refused:
        load_bundle(folder)
    assert "export the bundle with this release" in str(refused.value)
