"""Files of masks and maps."""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_unet_seg.cli._folders import make_folder
from napari_unet_seg.cli._names import planes
from napari_unet_seg.cli.commands.predict.segmenter import pixels, sequence_files
from napari_unet_seg.errors import DataError, SegmentationError
from napari_unet_seg.io.common.grids.placement import shown_affine
from napari_unet_seg.io.common.planes import Planes
from napari_unet_seg.io.common.scan import Scan
from napari_unet_seg.io.disk.files import split_suffix
from napari_unet_seg.io.read import read_labels
from napari_unet_seg.io.zarr.read import SUFFIX, is_zarr

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from napari_unet_seg.arrays import Array
    from napari_unet_seg.cli._console import Failure
    from napari_unet_seg.cli._inputs import Input
    from napari_unet_seg.cli.commands.predict.segmenter import Segmented, Segmenter
    from napari_unet_seg.process.pending_items import Attempt

Report = dict[str, Any]

MAPS = ("probabilities", "uncertainty", "disagreement")
"""Maps of a prediction, and their folders."""


@dataclass(frozen=True, slots=True)
class MaskFiles:
    """Writes one mask file per scan.

    Parameters
    ----------
    out : Path
        Folder of the masks.
    suffix : str
        Suffix of the masks; empty chooses NIfTI for NIfTI and DICOM scans, OME-Zarr for OME-Zarr,
        else TIFF.
    identified : bool
        Whether a DICOM SEG names the patient.
    """

    out: Path
    suffix: str
    identified: bool = True

    def __call__(self, segmented: Segmented) -> Report:
        """Write mask and maps of a scan; return a report.

        Raises
        ------
        DataError
            If a file cannot be written.
        """
        from napari_unet_seg.io.provenance import check_ours
        from napari_unet_seg.io.write import write_mask

        item = segmented.input
        path = self._path(item)
        check_not_scan(path, item.path)
        if not is_zarr(item.path):  # a mask goes among the labels of such a scan
            check_ours(path)
        labels: Any = segmented.result.labels
        if path.suffix == ".tif":
            labels = Planes(labels)
        write_mask(
            path,
            labels,
            segmented.scan,
            segmented.provenance,
            identified=self.identified,
            keep=not _holds(path, segmented.result.labels),
        )
        return _result(segmented, path, _write_maps(segmented, self.out))

    def _path(self, item: Input) -> Path:
        suffix = self.suffix or _suffix(item.path)
        beside = item.path.resolve().parent == self.out.resolve()
        if suffix == item.path.suffix == SUFFIX and beside and is_zarr(item.path):
            return item.path  # the mask goes among its labels; its name may end with .ome.zarr
        return self.out / f"{item.name}{suffix}"


@dataclass(frozen=True, slots=True)
class CocoSlices:
    """Writes the maps of a scan, and returns the slices of its mask with their COCO file names."""

    out: Path
    names: dict[Path, str]

    def __call__(self, segmented: Segmented) -> tuple[Report, list[tuple[str, Array]]]:
        """Return the report and the slices."""
        scan, labels = segmented.scan, segmented.result.labels
        mask = Scan(labels, scan.grid_axes, scan.spacing, scan.unit, names=scan.names)
        result = _result(segmented, self.out, _write_maps(segmented, self.out.parent))
        return result, list(planes(self.names[segmented.input.path], mask))


def write_files(
    segmenter: Segmenter, items: Sequence[Input], write: MaskFiles
) -> tuple[list[Report], list[Failure]]:
    """Write one mask file per scan.

    Returns
    -------
    list of dict
        A report per mask.
    list of Failure
        Scans that failed.

    Raises
    ------
    WriteError
        If the folder cannot be written to.
    """
    results, failed = [], []
    for attempt in segmenter.run(items, write):
        if attempt.problem:
            failed.append(_failure(attempt))
        else:
            results.append(attempt.value)
    return results, failed


def write_coco(
    segmenter: Segmenter, items: Sequence[Input], out: Path
) -> tuple[list[Report], list[Failure]]:
    """Write all masks into `annotations.json`, each slice of a volume as an image.

    Returns
    -------
    list of dict
        A report per mask.
    list of Failure
        Scans that failed.
    """
    from napari_unet_seg.io.coco.write import labels_to_coco, save_coco
    from napari_unet_seg.io.provenance import check_ours

    path = out / "annotations.json"
    check_ours(path)
    names = _file_names([item.path for item in items])
    results: list[Report] = []
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
        model = segmenter.model
        document["info"]["model"] = model | {"path": PurePath(model["path"]).name}
        save_coco(document, path)
    return results, failed


def _failure(attempt: Attempt) -> Failure:
    return str(attempt.item.path), attempt.problem


def _result(segmented: Segmented, mask: Path, maps: dict[str, Path]) -> Report:
    result = segmented.result
    channels = segmented.input.channels
    return {
        "input": segmented.input.path,
        **({"sequences": sequence_files(segmented.input)} if channels else {}),
        "mask": mask,
        **maps,
        "pixels": pixels(segmented),
        "left_out": asdict(result.left_out),
        "outside": asdict(result.outside),
        "carried": result.carried,
        "predicted_dice": np.round(result.dice, 3).tolist(),
        "device": result.device,
        "seconds": round(result.seconds, 3),
    }


def _suffix(scan: Path) -> str:
    if is_zarr(scan):
        return SUFFIX
    medical = scan.is_dir() or split_suffix(scan)[1].lower() in (".nii", ".nii.gz", ".dcm", "")
    return ".nii.gz" if medical else ".tif"


def _holds(path: Path, labels: Any) -> bool:
    """Whether a mask holds the labels already, as after a batch or worker that was killed.

    A mask of other labels was predicted otherwise or corrected, and is kept as a backup.
    """
    if not path.exists() or not isinstance(labels, np.ndarray):
        return False
    try:
        return np.array_equal(read_labels(path).data, labels)
    except SegmentationError:
        return False


def check_not_scan(mask: Path, scan: Path) -> None:
    """Check that a mask does not replace its scan, but is among the labels of an OME-Zarr."""
    if mask.exists() and mask.resolve() == scan.resolve() and not is_zarr(scan):
        raise DataError(f"The mask would replace the scan {scan} itself; choose another --out.")


def _write_maps(segmented: Segmented, out: Path) -> dict[str, Path]:
    """Write the requested maps as float32 TIFF, with categories along a channel axis."""
    from napari_unet_seg.io.images.tiff import write_array

    scan, written = segmented.scan, {}
    for name in MAPS:
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
            affine=shown_affine(scan),
            description=segmented.provenance,
        )
    return written


def _file_names(paths: Sequence[Path]) -> dict[Path, str]:
    """Return the paths relative to the common folder of all scans."""
    root = Path(os.path.commonpath([p.absolute().parent for p in paths]))
    return {p: p.absolute().relative_to(root).as_posix() for p in paths}
