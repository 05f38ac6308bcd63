"""Masks and maps to files."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_unet_seg.cli._segment import pixels
from napari_unet_seg.cli._slices import planes
from napari_unet_seg.cli._work import make_folder
from napari_unet_seg.errors import DataError
from napari_unet_seg.io.common.files import split_suffix
from napari_unet_seg.io.common.planes import Planes
from napari_unet_seg.io.common.scan import Scan
from napari_unet_seg.io.zarr.read import SUFFIX, is_zarr

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from napari_unet_seg.cli._inputs import Input
    from napari_unet_seg.cli._segment import Segmented, Segmenter
    from napari_unet_seg.cli._work import Failure
    from napari_unet_seg.process.cluster import Attempt

Array = np.ndarray[Any, np.dtype[Any]]
Result = dict[str, Any]

_MAPS = ("probabilities", "uncertainty", "disagreement")


@dataclass(frozen=True, slots=True)
class MaskFiles:
    """Writes a mask a scan; without a suffix NIfTI for NIfTI and DICOM, else TIFF."""

    out: Path
    suffix: str

    def __call__(self, segmented: Segmented) -> Result:
        """Write mask and maps.

        Raises
        ------
        DataError
            If a file cannot be written.
        """
        from napari_unet_seg.io.write import write_mask

        item = segmented.input
        path = self.out / f"{item.name}{self.suffix or _suffix(item.path)}"
        _check_apart(path, item.path)
        labels: Any = segmented.result.labels
        if path.suffix == ".tif":
            labels = Planes(labels)
        write_mask(path, labels, segmented.scan, segmented.provenance)
        return _result(segmented, path, _write_maps(segmented, self.out))


@dataclass(frozen=True, slots=True)
class CocoSlices:
    """Names the slices of a scan's mask as a COCO file has them; writes only the maps."""

    out: Path
    names: dict[Path, str]

    def __call__(self, segmented: Segmented) -> tuple[Result, list[tuple[str, Array]]]:
        """Return the result and the slices."""
        scan, labels = segmented.scan, segmented.result.labels
        mask = Scan(labels, scan.grid_axes, scan.spacing, scan.unit, names=scan.names)
        result = _result(segmented, self.out, _write_maps(segmented, self.out.parent))
        return result, list(planes(self.names[segmented.input.path], mask))


def write_files(
    segmenter: Segmenter, items: Sequence[Input], out: Path, suffix: str
) -> tuple[list[Result], list[Failure]]:
    """Write a mask a scan; return what is written, and the scans that failed.

    Raises
    ------
    DataError
        If the folder cannot be written to.
    """
    results, failed = [], []
    for attempt in segmenter.run(items, MaskFiles(out, suffix)):
        if attempt.problem:
            failed.append(_failure(attempt))
        else:
            results.append(attempt.value)
    return results, failed


def write_coco(
    segmenter: Segmenter, items: Sequence[Input], out: Path
) -> tuple[list[Result], list[Failure]]:
    """Write all masks into `annotations.json`, a volume as one image a slice.

    Returns what is written, and the scans that failed.
    """
    from napari_unet_seg.io.coco.write import labels_to_coco, save_coco

    path = out / "annotations.json"
    names = _file_names([item.path for item in items])
    results: list[Result] = []
    failed: list[Failure] = []

    def slices() -> Iterator[tuple[str, Array]]:
        for attempt in segmenter.run(items, CocoSlices(path, names)):
            if attempt.problem:
                failed.append(_failure(attempt))
                continue
            result, found = attempt.value
            yield from found
            results.append(result)

    document = labels_to_coco(slices(), segmenter.info.categories)
    if results:
        document["info"]["model"] = segmenter.model
        save_coco(document, path)
    return results, failed


def _failure(attempt: Attempt) -> Failure:
    return str(attempt.item.path), attempt.problem


def _result(segmented: Segmented, mask: Path, maps: dict[str, Path]) -> Result:
    result = segmented.result
    return {
        "input": segmented.input.path,
        "mask": mask,
        **maps,
        "pixels": pixels(segmented),
        "predicted_dice": np.round(result.dice, 3).tolist(),
        "device": result.device,
        "seconds": round(result.seconds, 3),
    }


def _suffix(scan: Path) -> str:
    if is_zarr(scan):
        return SUFFIX
    medical = scan.is_dir() or split_suffix(scan)[1].lower() in (".nii", ".nii.gz", ".dcm", "")
    return ".nii.gz" if medical else ".tif"


def _check_apart(mask: Path, scan: Path) -> None:
    # The mask of an OME-Zarr goes into it, among its labels.
    if mask.exists() and mask.resolve() == scan.resolve() and not is_zarr(scan):
        raise DataError(f"The mask would replace the scan {scan} itself; choose another --out.")


def _write_maps(segmented: Segmented, out: Path) -> dict[str, Path]:
    """Write the maps that were asked for as float32 TIFF; categories along a channel axis."""
    from napari_unet_seg.io.images.tiff import write_array

    scan, written = segmented.scan, {}
    for name in _MAPS:
        values, axes = getattr(segmented.result, name), scan.grid_axes
        if values is None:
            continue
        order = list(range(values.ndim))
        if name == "probabilities":
            categories = order.pop(0)
            if values.shape[0] > 1:
                order.append(categories)
                axes += "C"
        written[name] = out / name / f"{segmented.input.name}.tif"
        make_folder(out / name)
        write_array(
            written[name],
            Planes(values, order, np.float32),
            axes=axes,
            spacing=scan.spacing,
            unit=scan.unit,
            affine=scan.meta.get("display_affine", scan.affine),
            description=segmented.provenance,
        )
    return written


def _file_names(paths: Sequence[Path]) -> dict[Path, str]:
    """Names relative to the folder that all scans are in."""
    root = Path(os.path.commonpath([p.absolute().parent for p in paths]))
    return {p: p.absolute().relative_to(root).as_posix() for p in paths}
