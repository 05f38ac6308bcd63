"""Kills in what writes masks: prediction of a folder, export, import, saving over a file."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.common.paths import ROOT
from benchmarks.reliability import inputs
from benchmarks.reliability.work.work import Found, Work, hidden_files

if TYPE_CHECKING:
    from pathlib import Path

_MASKS = ("mask.tif", "mask.nii.gz", "mask.zarr", "mask.dcm")
_VERSIONS = 4
_SCANS = 6


def _prepare_predict(folder: Path, tell: Any) -> None:
    folder.mkdir()
    inputs.scans(folder / "scans", _SCANS)
    inputs.model(folder / "model.safetensors")
    _predict_here(folder, "calm", tell)


def _predict_here(folder: Path, out: str, tell: Any) -> None:
    """Segment the scans as a worker does."""
    from napari_unet_seg.cli._folders import make_folder
    from napari_unet_seg.cli._inputs import list_inputs
    from napari_unet_seg.cli.commands.predict.mask_files import MaskFiles
    from napari_unet_seg.cli.commands.predict.segmenter import Task
    from napari_unet_seg.config import PredictConfig

    make_folder(folder / out)
    net = folder / "model.safetensors"
    task = Task(
        config=PredictConfig(device="cpu", uncertainty=True),
        checkpoint=net,
        model={"path": net.name},
        categories=inputs.CATEGORIES,
        series=None,
        channel="",
        finish=MaskFiles(folder / out, ".tif"),
        out=folder / out,
    )
    for item in list_inputs([folder / "scans"])[0]:
        task(item)
        tell(item.name)


def _predict(folder: Path, tell: Any) -> None:
    _predict_here(folder, "out", tell)


def _main(tell: Any, *arguments: Any) -> bool:
    """Run the program; return whether it succeeded, else tell its exit code."""
    from napari_unet_seg.cli import main

    code = main([str(argument) for argument in arguments])
    if code:
        tell(f"exit {code}")
    return not code


def _program(folder: Path, tell: Any, *options: str) -> None:
    places = [folder / name for name in ("scans", "out", "model.safetensors")]
    named = ["--out", places[1], "--model", places[2], "--uncertainty", *options]
    if _main(tell, "predict", places[0], *named):
        tell("all")


def _with_workers(folder: Path, tell: Any) -> None:
    _program(folder, tell, "--workers", "2")


def _check_predicted(folder: Path, told: list[Any], tell: Any) -> None:
    _check_predictions(folder, told, _predict_here, tell)


def _check_program(folder: Path, told: list[Any], tell: Any) -> None:
    _check_predictions(folder, told, lambda f, _, t: _program(f, t), tell)


def _check_predictions(folder: Path, told: list[Any], again: Any, tell: Any) -> None:
    found = Found()
    for name in (word for word in told if not word.startswith("exit")):
        is_there = len(list((folder / "out").glob("s?.tif"))) == _SCANS
        if name != "all":
            is_there = (folder / "out" / f"{name}.tif").exists()
        found.expect(is_there, f"the mask of {name} is missing")
    _compare_with_calm(folder, found)
    again(folder, "out", lambda _: None)
    whole = {p.relative_to(folder / "calm") for p in (folder / "calm").rglob("*.tif")}
    there = {p.relative_to(folder / "out") for p in (folder / "out").rglob("[!.]*.tif")}
    found.expect(there >= whole, "done again, it is not complete")
    _compare_with_calm(folder, found)
    found.litter = hidden_files(folder)
    tell(found)


def _compare_with_calm(folder: Path, found: Found) -> None:
    from napari_unet_seg.io.images.tiff import read_tiff

    for path in (folder / "out").rglob("[!.]*.tif"):
        name = path.relative_to(folder / "out").as_posix().replace(".bak.", ".")
        one, other = (np.asarray(read_tiff(p).data) for p in (path, folder / "calm" / name))
        found.expect(np.allclose(one, other, atol=1e-3), f"{path.name} is not what was predicted")


def _prepare_export(folder: Path, tell: Any) -> None:
    """Two versions of masks, and their COCO files."""
    folder.mkdir()
    inputs.pairs(folder / "even", 3)
    inputs.pairs(folder / "odd", 4)
    for name in ("even", "odd"):
        _main(tell, "export", folder / name / "masks", "--out", folder / f"{name}.json")


def _export(folder: Path, tell: Any) -> None:
    for version in range(1, _VERSIONS):
        masks = folder / ("even", "odd")[version % 2] / "masks"
        whole = _main(tell, "export", masks, "--out", folder / "all.json")
        binary = ["--out", folder / "binary", "--format", "binary"]
        if _main(tell, "export", masks, *binary) and whole:
            tell(version)


def _check_export(folder: Path, told: list[Any], tell: Any) -> None:
    found = Found()
    last = max((word for word in told if isinstance(word, int)), default=0)
    if (folder / "all.json").exists() or last:
        document = _content(folder / "all.json")
        allowed = [_content(folder / f"{name}.json") for name in ("even", "odd")]
        found.expect(document in allowed, "the COCO file is none that was written")
        late = document in (allowed[last % 2], allowed[(last + 1) % 2])
        found.expect(late, "the COCO file is not the last")
    for path in (folder / "binary").rglob("[!.]*.tif"):
        from napari_unet_seg.io.images.tiff import read_tiff

        values = set(np.unique(np.asarray(read_tiff(path).data)).tolist())
        found.expect(values <= {0, 255}, f"{path.name} is damaged")
    _export(folder, lambda word: found.expect(isinstance(word, int), "done again, it fails"))
    found.litter = hidden_files(folder)
    tell(found)


def _content(path: Path) -> Any:
    document = json.loads(path.read_text(encoding="utf-8"))
    return [document[name] for name in ("images", "annotations", "categories")]


def _import(folder: Path, tell: Any) -> None:
    images = ["--images", folder / "even" / "images"]
    if _main(tell, "import", folder / "even.json", *images, "--out", folder / "set"):
        tell("imported")


def _check_import(folder: Path, told: list[Any], tell: Any) -> None:
    from napari_unet_seg.data.dataset import open_dataset

    found = Found()
    if not (folder / "set").exists():
        found.expect("imported" not in told, "the data set is missing")
        _import(folder, lambda word: found.expect(word == "imported", "done again, it fails"))
    whole = len(open_dataset(folder / "set").samples) == 3
    found.expect(whole, "part of a data set counts as a data set")
    found.litter = hidden_files(folder)
    tell(found)


def _prepare_masks(folder: Path, tell: Any) -> None:
    sys.path.insert(0, str(ROOT / "tests" / "helpers" / "files"))
    from dicom_files import write_series

    folder.mkdir()
    write_series(folder / "scan", [0, 2, 4, 6], shape=inputs.SHAPE[-2:])
    _write_masks(folder, 0)


def _write_masks(folder: Path, version: int) -> None:
    from napari_unet_seg.io.read import read_scan
    from napari_unet_seg.io.write import write_mask

    scan = read_scan(folder / "scan")
    mask = inputs.labels()
    mask[:, 0] = 0
    for plane in mask:
        inputs.set_version(plane, version)
    known = {"categories": [c.model_dump() for c in inputs.CATEGORIES]}
    for name in _MASKS:
        write_mask(folder / name, mask, scan, known)


def _masks(folder: Path, tell: Any) -> None:
    for version in range(1, _VERSIONS):
        _write_masks(folder, version)
        tell(version)


def _check_masks(folder: Path, told: list[Any], tell: Any) -> None:
    found = Found()
    _check_versions(folder, max(told, default=0), found)
    _write_masks(folder, 9)
    _check_versions(folder, 9, found)
    found.litter = hidden_files(folder)
    tell(found)


def _check_versions(folder: Path, last: int, found: Found) -> None:
    from napari_unet_seg.io.read import read_labels

    for name in _MASKS:
        try:
            mask = np.asarray(read_labels(folder / name).data).reshape(inputs.SHAPE)
        except Exception as error:
            found.expect(False, f"{name}: {error}")
            continue
        versions = {inputs.version_of(plane) for plane in mask}
        allowed = ({last}, {last + 1})
        found.expect(versions in allowed, f"{name}: {versions}, and {last} was saved")


WORKS = (
    Work("prediction: a worker", 80, _prepare_predict, _predict, _check_predicted),
    Work("prediction: the engine's process alone", 25, _prepare_predict, _program,
         _check_program, "child"),
    Work("prediction: the program with its engine", 25, _prepare_predict, _program,
         _check_program),
    Work("prediction: the program with two workers", 10, _prepare_predict, _with_workers,
         _check_program),
    Work("export", 100, _prepare_export, _export, _check_export),
    Work("import", 60, _prepare_export, _import, _check_import),
    Work("masks saved over masks", 100, _prepare_masks, _masks, _check_masks),
)  # fmt: skip
