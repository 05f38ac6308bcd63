"""A file that fails for whatever reason is one sentence, and the others are processed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import tifffile
from PIL import Image

from napari_unet_seg import log
from napari_unet_seg.cli import main
from napari_unet_seg.cli.commands.predict import segmenter
from napari_unet_seg.config import Category, NormaliseConfig
from napari_unet_seg.data import cache, dataset_write
from napari_unet_seg.data.dataset import open_dataset
from napari_unet_seg.errors import DataError
from napari_unet_seg.evaluation import mask_sources
from napari_unet_seg.io.coco.write import labels_to_coco, save_coco

if TYPE_CHECKING:
    from pathlib import Path

QUICK = ("--set", "threads=1", "--set", "precision=float32", "--device", "cpu")
ERRORS = [ValueError("nobody foresaw this"), MemoryError(), RecursionError("too deep")]


@pytest.fixture
def images(tmp_path: Path) -> Path:
    """A folder of three slices."""
    folder = tmp_path / "images"
    folder.mkdir()
    random = np.random.default_rng(0)
    for name in "abc":
        Image.fromarray(random.integers(1, 255, (32, 32), np.uint8)).save(folder / f"{name}.png")
    return folder


@pytest.fixture
def masks(tmp_path: Path) -> Path:
    """A folder of the masks of three slices."""
    folder = tmp_path / "masks"
    folder.mkdir()
    mask = np.zeros((32, 32), np.uint8)
    mask[4:20, 4:20] = 1
    for name in "abc":
        Image.fromarray(mask).save(folder / f"{name}.png")
    return folder


def failing(function, name: str, error: Exception):
    """Wrap a function so that it fails for the file of a name."""

    def call(*arguments, **options):
        if name in str(arguments[0]):
            raise error
        return function(*arguments, **options)

    return call


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> list[str]:
    """Run the program, which must end with exit code 2; return the lines of its problems."""
    assert main([str(a) for a in arguments]) == 2
    return capsys.readouterr().err.splitlines()


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_predict_names_the_file_logs_the_trace_and_does_the_others(
    images, tmp_path, monkeypatch, capsys, error
):
    monkeypatch.setattr(segmenter, "read_scan", failing(segmenter.read_scan, "b.png", error))
    before = log.path().stat().st_size if log.path().exists() else 0
    (line,) = run(capsys, "predict", images, "--out", tmp_path / "out", *QUICK)
    assert line.startswith(str(images / "b.png"))
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["a.tif", "c.tif"]
    assert f"{type(error).__name__}" in log.path().read_bytes()[before:].decode()


def test_predict_refuses_axes_that_no_tiff_can_store_and_does_the_others(images, tmp_path, capsys):
    tifffile.imwrite(
        images / "five.tif",
        np.ones((2, 3, 4, 16, 16), np.uint8),
        ome=True,
        metadata={"axes": "ZTQYX"},
    )
    (line,) = run(capsys, "predict", images, "--out", tmp_path / "out", *QUICK)
    assert "five.tif" in line and "ZTNYX" in line
    assert len(list((tmp_path / "out").iterdir())) == 3


def test_evaluate_and_export_name_the_mask_and_do_the_others(masks, tmp_path, monkeypatch, capsys):
    read = failing(mask_sources.read_labels, "a.png", ERRORS[0])
    monkeypatch.setattr(mask_sources, "read_labels", read)
    (line,) = run(capsys, "evaluate", "--pred", masks, "--truth", masks)
    assert line.startswith("a failed (ValueError: nobody foresaw this)")
    (line,) = run(capsys, "export", masks, "--out", tmp_path / "coco.json")
    assert line.startswith("a failed (ValueError: nobody foresaw this)")
    assert '"b.tif"' in (tmp_path / "coco.json").read_text()


def test_import_names_the_image_and_does_the_others(images, tmp_path, monkeypatch, capsys):
    mask = np.zeros((32, 32), np.uint8)
    mask[4:20, 4:20] = 1
    document = labels_to_coco(((f"{n}.png", mask) for n in "abc"), [Category(id=1, name="tumour")])
    save_coco(document, images / "coco.json")
    read = failing(dataset_write.read_image, "b.png", ERRORS[1])
    monkeypatch.setattr(dataset_write, "read_image", read)
    (line,) = run(capsys, "import", images / "coco.json", "--out", tmp_path / "dataset")
    assert "b.png does not fit into memory" in line
    written = (tmp_path / "dataset").rglob("images/*.png")
    assert sorted(p.name for p in written) == ["a.png", "c.png"]


def test_training_names_every_sample_that_cannot_be_read(
    images, masks, tmp_path, monkeypatch, capsys
):
    def fails_for_two(sample, *_):
        raise ValueError("nobody foresaw this") if sample.name in "ab" else MemoryError

    monkeypatch.setattr(cache, "read_and_report", fails_for_two)
    samples = open_dataset(tmp_path).samples
    with pytest.raises(DataError) as refused:
        list(cache.build_cache(samples, 32, 1, 1, NormaliseConfig()))
    for name in "abc":
        assert f"{images / name}.png" in str(refused.value)


def test_an_error_outside_of_any_file_is_one_line_too(monkeypatch, capsys, masks):
    monkeypatch.setattr(mask_sources, "open_masks", failing(open, "", ERRORS[0]))
    monkeypatch.setattr("napari_unet_seg.evaluation.evaluate.open_masks", mask_sources.open_masks)
    (line,) = run(capsys, "evaluate", "--pred", masks, "--truth", masks)
    assert line.startswith("napari-unet-seg: evaluate failed (ValueError: nobody foresaw this)")
