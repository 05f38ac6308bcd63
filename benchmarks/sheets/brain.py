"""Pictures of what the brain model makes of real scans, of which no masks of the brain are known.

    python -m benchmarks.sheets.brain DATA [--model brain] [--out runs/brain-sheets]

DATA holds what there is of `brisc-256` (some slices of each direction), `tumorseg` (some),
`lgg-flair` (a row a patient), `lgg-folders` (a row a sequence), `nifti` (FLAIR and T1 with
contrast, rows of slices across each axis) and `dicom` (the series). Every scan is segmented as
users do, volumes as volumes. The sheets show the data, so they belong into an ignored folder.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from benchmarks.common.lgg_data import patients
from benchmarks.common.options import given_to, parser_of
from benchmarks.common.synthetic import brisc_and_lgg
from benchmarks.sheets.sheet import RED, Tile, sheet
from napari_unet_seg.config import NormaliseConfig, PredictConfig
from napari_unet_seg.engine import predict
from napari_unet_seg.io.common.scan import Scan
from napari_unet_seg.io.common.window import scan_window, to_uint8
from napari_unet_seg.io.read import read_scan
from napari_unet_seg.models import checkpoint_path

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Sheets = Iterator[tuple[str, list[Tile]]]

COLUMNS = 8
SIDE = 192
ROWS = 4
_SEED = 0


def answered(model: Path, scan: Scan, name: str, shown: int) -> list[Tile]:
    """Some slices of a scan, evenly spaced, with the outline of what was found."""
    *_, result = predict(PredictConfig(precision="float32"), model, scan)
    found = np.asarray(result.labels > 0)
    grey = np.asarray(scan.data)
    grey = to_uint8(grey, scan_window(grey, NormaliseConfig()))
    if grey.ndim == 2:
        return [Tile(grey, [(found, RED)], name)]
    chosen = np.linspace(0, len(grey) - 1, shown).round().astype(int)
    return [Tile(grey[i], [(found[i], RED)], f"{name} {i}") for i in chosen]


def of_files(model: Path, files: list[Path], rows: int) -> list[Tile]:
    """Some slices that are scans of their own."""
    drawn = np.random.default_rng(_SEED).permutation(len(files))[: rows * COLUMNS]
    names = [files[i].stem.removeprefix("brisc2025_train_")[:12] for i in drawn]
    grey = [_grey(read_scan(files[i])) for i in drawn]
    pairs = zip(grey, names, strict=True)
    return [tile for scan, name in pairs for tile in answered(model, scan, name, 1)]


def _grey(scan: Scan, channel: int = 0) -> Scan:
    """One channel of a scan."""
    data = np.asarray(scan.data)
    if scan.axes.endswith("C"):
        data = data[..., channel]
    return Scan(np.ascontiguousarray(data), scan.grid_axes)


def brisc(model: Path, folder: Path, rows: int) -> Sheets:
    """Slices with a tumour and healthy ones, a sheet a direction."""
    for plane in ("ax", "co", "sa"):
        files = sorted(folder.glob(f"images/*_{plane}*.jpg"))
        files += sorted(folder.glob(f"no_tumor/*_{plane}*.jpg"))
        yield f"brisc, {plane}", of_files(model, files, rows)


def tumorseg(model: Path, folder: Path, rows: int) -> Sheets:
    """Transposed slices with contrast."""
    yield "tumorseg", of_files(model, sorted((folder / "valid").glob("*.jpg")), rows)


def lgg_flair(model: Path, folder: Path, _: int) -> Sheets:
    """FLAIR, a row a patient."""
    for side in ("tune", "test"):
        rows = []
        for number, (scan, _truth) in enumerate(patients(folder / side)):
            rows += answered(model, scan, f"patient {number},", COLUMNS)
        yield f"lgg-flair, {side}", rows


def lgg_folders(model: Path, folder: Path, _: int) -> Sheets:
    """Two patients, a row each before contrast, on FLAIR and after contrast."""
    rows = []
    for patient in sorted(path for path in folder.iterdir() if path.is_dir()):
        scan = read_scan(patient)
        for channel, name in enumerate(("before", "FLAIR", "after")):
            rows += answered(model, _grey(scan, channel), name, COLUMNS)
    yield "lgg-folders", rows


def nifti(model: Path, folder: Path, _: int) -> Sheets:
    """A stripped head, segmented across each axis in turn."""
    rows = []
    for file in sorted(folder.glob("*/*_subtrMeanDivStd.nii.gz")):
        data = np.asarray(read_scan(file).data)
        for axis in range(3):
            across = Scan(np.ascontiguousarray(np.moveaxis(data, axis, 0)), "ZYX")
            rows += answered(model, across, f"{file.stem.split('_')[0]} {'ZYX'[axis]}", COLUMNS)
    yield "nifti", rows


def dicom(model: Path, folder: Path, _: int) -> Sheets:
    """All slices of the series."""
    scan = _grey(read_scan(folder))
    yield "dicom", answered(model, scan, "", len(scan.data))


KINDS: dict[str, Callable[[Path, Path, int], Sheets]] = {
    "brisc-256": brisc,
    "tumorseg": tumorseg,
    "lgg-flair": lgg_flair,
    "lgg-folders": lgg_folders,
    "nifti": nifti,
    "dicom": dicom,
}


def main() -> None:
    parser = parser_of(__doc__, "DATA")
    parser.add_argument("--model", default="brain", help="name or file of a checkpoint")
    parser.add_argument("--out", type=Path, default=Path("runs/brain-sheets"))
    parser.add_argument("--kinds", nargs="*", default=list(KINDS), choices=list(KINDS))
    parser.add_argument("--rows", type=int, default=ROWS, help="of single slices, a sheet")
    parser.add_argument("--threads", type=int, default=0)
    with given_to(parser, brisc_and_lgg, rows=1) as given:
        if given.threads:
            torch.set_num_threads(given.threads)
        model, out = checkpoint_path(given.model), given.scratch if given.smoke else given.out
        out.mkdir(parents=True, exist_ok=True)
        for kind in given.kinds:
            if (given.folder / kind).is_dir():
                for name, tiles in KINDS[kind](model, given.folder / kind, given.rows):
                    sheet(tiles, COLUMNS, SIDE).save(out / f"{name}.png")


if __name__ == "__main__":
    main()
