"""Files of other versions of the package: settings, data sets, models; see also tests/session."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import safetensors.torch
import yaml
from PIL import Image

from napari_unet_seg.cli import main
from napari_unet_seg.config import Category, Config, Stored, TrainConfig, Version
from napari_unet_seg.data.dataset import open_dataset
from napari_unet_seg.data.description import read_description, write_description
from napari_unet_seg.errors import (
    CheckpointError,
    ConfigError,
    DataError,
    NewerVersionError,
    NewerVersionWarning,
)
from napari_unet_seg.models.header import HEADER_KEY, CheckpointInfo, read_header
from napari_unet_seg.nn.checkpoint import load_net, load_tensors, save_checkpoint

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


class Page(Config):
    number: int


class Book(Stored):
    format: Version = "2.1"
    title: str
    pages: tuple[Page, ...] = ()


BOOK = {"format": "2.2", "title": "T", "colour": "red", "pages": [{"number": 1, "torn": True}]}


@pytest.mark.parametrize("stated", ["2.2", 2.2, "2.10"])
def test_unknown_keys_of_a_newer_minor_version_are_written_back(stated: Any) -> None:
    book = Book.parse({**BOOK, "format": stated}, "b.json")
    changed = book.model_copy(update={"title": "U"})
    assert changed.content() == {**BOOK, "format": stated, "title": "U"}


@pytest.mark.parametrize("stated", ["2.1", "2.0", 2, 1, None])
@pytest.mark.parametrize(
    ("change", "key"),
    [({"colour": "red"}, "colour"), ({"pages": [{"number": 1, "torn": True}]}, "pages.0.torn")],
)
def test_an_unknown_key_of_a_known_version_is_a_mistake(
    stated: Any, change: dict[str, Any], key: str
) -> None:
    values = {"title": "T", **change} | ({} if stated is None else {"format": stated})
    with pytest.raises(ConfigError, match=f"b.json: {re.escape(key)}: there is no such setting"):
        Book.parse(values, "b.json")


def test_what_was_kept_is_not_written_into_files_of_the_known_version() -> None:
    page = Book.parse(BOOK, "b.json").pages[0]
    book = Book(title="new", pages=(page,))
    assert book.content() == {"format": "2.1", "title": "new", "pages": [{"number": 1}]}


@pytest.mark.parametrize("stated", [3, "3.0", "10.1"])
def test_a_newer_major_version_is_refused(stated: Any) -> None:
    with pytest.raises(NewerVersionError, match=r"b\.json was written .*; update napari-unet-seg"):
        Book.parse({**BOOK, "format": stated}, "b.json")


@pytest.mark.parametrize("stated", ["new", "", [], float("inf"), True, "9" * 5000])
def test_what_is_no_version_is_refused(stated: Any) -> None:
    with pytest.raises(ConfigError, match=r"b\.json: .* is no version"):
        Book.parse({**BOOK, "format": stated}, "b.json")


def settings_file(folder: Path, **values: Any) -> Path:
    path = folder / "settings.yaml"
    path.write_text(yaml.safe_dump({"epochs": 3, **values}))
    return path


def test_unknown_settings_of_a_newer_minor_version_are_left_out(tmp_path: Path) -> None:
    path = settings_file(tmp_path, format="1.1", dream=1, augment={"flip": True, "melt": 2})
    with pytest.warns(NewerVersionWarning, match=r"settings\.yaml.*dream, augment\.melt") as told:
        read = TrainConfig.from_file(path)
    assert len(told) == 1
    assert (read.epochs, read.augment.flip) == (3, True)
    assert read.replace(epochs=4) == TrainConfig(epochs=4, augment=read.augment.replace(flip=True))


def test_settings_state_their_version_and_are_strict_about_it(tmp_path: Path) -> None:
    TrainConfig().to_file(tmp_path / "own.yaml")
    assert yaml.safe_load((tmp_path / "own.yaml").read_text())["format"] == 1
    assert TrainConfig.from_file(tmp_path / "own.yaml") == TrainConfig()
    for stated in ({}, {"format": 1}, {"format": "1.0"}):
        with pytest.raises(ConfigError, match=r"settings\.yaml: epoch: there is no such setting"):
            TrainConfig.from_file(settings_file(tmp_path, epoch=5, **stated))
    with pytest.raises(NewerVersionError, match=r"settings\.yaml was written .*; update"):
        TrainConfig.from_file(settings_file(tmp_path, format=2))


@pytest.mark.filterwarnings("always::napari_unet_seg.errors.NewerVersionWarning")
def test_the_program_tells_of_settings_left_out_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = settings_file(tmp_path, format="1.5", dream=1)
    nothing = tmp_path / "nothing"
    assert main(["train", str(nothing), "--out", str(tmp_path / "r"), "--config", str(path)]) == 2
    told, refused = capsys.readouterr().err.splitlines()
    assert told.startswith(f"napari-unet-seg: {path} was written by a newer version")
    assert str(nothing) in refused


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    for part in ("images", "masks"):
        (tmp_path / "train" / part).mkdir(parents=True)
    Image.fromarray(np.zeros((8, 12), np.uint8)).save(tmp_path / "train" / "images" / "a.png")
    Image.fromarray(np.ones((8, 12), np.uint8)).save(tmp_path / "train" / "masks" / "a.png")
    sample = {"name": "a", "split": "train", "group": "a", "magnet": "3 T"}
    sample |= {"image": "train/images/a.png", "mask": "train/masks/a.png"}
    category = {"id": 1, "name": "lesion", "hue": 20}
    described = {"version": "1.1", "categories": [category], "samples": [sample], "licence": "CC"}
    (tmp_path / "dataset.json").write_text(json.dumps(described))
    return tmp_path


def test_a_data_set_of_a_newer_minor_version_is_read_and_written_back(dataset: Path) -> None:
    samples = open_dataset(dataset)
    assert [sample.name for sample in samples.samples] == ["a"]
    before = json.loads((dataset / "dataset.json").read_text())
    write_description(dataset, read_description(dataset))
    after = json.loads((dataset / "dataset.json").read_text())
    category, sample = after["categories"][0], after["samples"][0]
    assert (category.pop("supercategory"), after.pop("sources"), after.pop("skipped")) == (
        "",
        [],
        [],
    )
    assert (after.pop("note"), sample["magnet"]) == ("", "3 T")
    assert after == before


def test_a_data_set_of_a_newer_major_version_is_refused(dataset: Path) -> None:
    path = dataset / "dataset.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "version": 2}))
    with pytest.raises(DataError, match=r"dataset\.json was written .*; update") as caught:
        open_dataset(dataset)
    assert "write the data set again" not in str(caught.value)


def restate(path: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """Change what a model's header says."""
    info, tensors = load_tensors(path)
    header = info.model_dump(mode="json")
    change(header)
    safetensors.torch.save_file(tensors, path, {HEADER_KEY: json.dumps(header)})


def novelties(header: dict[str, Any]) -> None:
    header.update(format="1.3", licence="CC")
    header["model"]["halo"] = "none"
    header["categories"][0]["hue"] = 20


def test_a_model_of_a_newer_minor_version_is_read_and_written_back(
    make_checkpoint: Callable[..., Path], tmp_path: Path
) -> None:
    path = make_checkpoint()
    restate(path, novelties)
    info, net = load_net(path)
    save_checkpoint(tmp_path / "copy.safetensors", net, info)
    copied = read_header(tmp_path / "copy.safetensors").content()
    assert copied == info.content()
    assert (copied["licence"], copied["model"]["halo"]) == ("CC", "none")


def test_a_model_made_from_one_of_a_newer_version_is_of_this_version(
    make_checkpoint: Callable[..., Path], tmp_path: Path
) -> None:
    path = make_checkpoint()
    restate(path, novelties)
    base, net = load_net(path)
    config = TrainConfig(image_size=64).replace(model=base.model)
    config.to_file(tmp_path / "config.yaml")
    made = CheckpointInfo(
        version="0",
        model=config.model,
        categories=base.categories,
        normalise=base.normalise,
        image_size=64,
    )
    save_checkpoint(tmp_path / "tuned.safetensors", net, made)
    again = read_header(tmp_path / "tuned.safetensors")
    assert (again.format, again.model.model_extra) == ("1.2", None)
    assert again.categories[0] == Category(id=1, name="c0")
    assert TrainConfig.from_file(tmp_path / "config.yaml").model == again.model


def test_a_model_from_before_sequences_had_names_is_read(
    make_checkpoint: Callable[..., Path],
) -> None:
    path = make_checkpoint(in_channels=4)

    def as_before(header: dict[str, Any]) -> None:
        header.update(format=1)
        del header["sequences"], header["normalise"]["per_channel"]

    restate(path, as_before)
    info = load_net(path)[0]
    assert (info.sequences, info.normalise.per_channel, info.bears_missing) == ((), False, False)


def test_a_model_of_another_version_is_refused_by_its_name(
    make_checkpoint: Callable[..., Path],
) -> None:
    path = make_checkpoint()
    restate(path, lambda header: header.update(licence="CC"))
    with pytest.raises(CheckpointError, match="is not a model of this plugin"):
        read_header(path)
    restate(make_checkpoint(), lambda header: None)
    path = make_checkpoint()
    restate(path, lambda header: header.update(format=2))
    with pytest.raises(CheckpointError, match=rf"{path.name} was written by a newer .*; update"):
        read_header(path)
