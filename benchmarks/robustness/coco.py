"""The memory and time of COCO files that are far larger than their images.

    python -m benchmarks.robustness.coco [--scale 1] [--only STEP] [--json FILE]

The data are made by the script: 60 000 polygons over a whole image of 64 × 64, one polygon of a
million and one of five million points, 100 000 categories, and a data set of 100 000 polygons. Each
step is done in a process of its own, whose peak of memory (on Linux) is given without what the
imports take.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from benchmarks.common.options import given_to, parser_of
from benchmarks.speed.coco import make

if TYPE_CHECKING:
    from collections.abc import Callable

_SIDE = 64


def _write(
    folder: Path, annotations: list[dict[str, Any]], categories: int = 1, images: int = 1
) -> Path:
    path = folder / "annotations.json"
    random = np.random.default_rng(0)
    for number in range(images):
        pixels = random.integers(0, 255, (_SIDE, _SIDE), np.uint8)
        Image.fromarray(pixels).save(folder / f"{number}.png")
    entries = [
        {"id": i, "file_name": f"{i}.png", "width": _SIDE, "height": _SIDE} for i in range(images)
    ]
    kinds = [{"id": i, "name": f"class {i}"} for i in range(1, categories + 1)]
    document = {"images": entries, "annotations": annotations, "categories": kinds}
    path.write_text(json.dumps(document))
    return path


def _note(number: int, polygon: list[float], **more: Any) -> dict[str, Any]:
    return {"id": number, "image_id": 0, "category_id": 1, "segmentation": [polygon], **more}


def full_polygons(folder: Path, scale: float) -> Path:
    """Many polygons over a whole image."""
    square = [0, 0, _SIDE, 0, _SIDE, _SIDE, 0, _SIDE]
    return _write(folder, [_note(i, square) for i in range(1, int(60_000 * scale) + 1)])


def _points(folder: Path, count: int) -> Path:
    polygon = np.random.default_rng(0).uniform(0, _SIDE, 2 * count).round(2).tolist()
    return _write(folder, [_note(1, polygon)])


def million_points(folder: Path, scale: float) -> Path:
    """One polygon of a million points."""
    return _points(folder, int(1_000_000 * scale))


def five_million_points(folder: Path, scale: float) -> Path:
    """One polygon of five million points."""
    return _points(folder, int(5_000_000 * scale))


def many_categories(folder: Path, scale: float) -> Path:
    """Many categories, in a hundred images."""
    count = int(100_000 * scale)
    notes = [
        _note(i + 1, [9, 9, 30, 9, 30, 30], category_id=i % count + 1, image_id=i % 100)
        for i in range(count)
    ]
    return _write(folder, notes, count, images=100)


def large_set(folder: Path, scale: float) -> Path:
    """Fifty polygons in each of many images, as a data set with an edit in each mask."""
    from napari_unet_seg.io.images.tiff import write_labels
    from napari_unet_seg.io.read import read_labels

    path, count = folder / "annotations.json", max(10, int(2000 * scale))
    make(path, count)
    for number in range(count):
        pixels = np.random.default_rng(number).integers(0, 255, (256, 256), np.uint8)
        Image.fromarray(pixels).save(folder / f"{number}.png")
    write_set(path)
    for mask in (folder / "set").glob("*/masks/*.tif"):
        found = read_labels(mask)
        labels = np.array(found.data)
        labels[100:140, 100:140] = 1
        write_labels(mask, labels, axes="YX", description=found.meta["description"])
    return path


def write_set(path: Path) -> None:
    """Read, check and write a data set, as `import` does."""
    from napari_unet_seg.data.dataset_write import write_dataset
    from napari_unet_seg.io.coco.read import read_coco
    from napari_unet_seg.io.coco.report import inspect, overlaps

    dataset = read_coco(path)
    overlaps(dataset, inspect(dataset).usable)
    for _ in write_dataset([dataset], path.parent / "set"):
        pass


def draw(path: Path) -> None:
    """Read the file and draw its images with a label for each category."""
    from napari_unet_seg.io.coco.raster import rasterise
    from napari_unet_seg.io.coco.read import read_coco

    dataset = read_coco(path)
    for image in dataset.images:
        rasterise(dataset, image.id)


def edit(path: Path) -> None:
    """Erase a pixel, and write the file again."""
    from napari_unet_seg.io.coco.edit import apply_edits
    from napari_unet_seg.io.coco.raster import rasterise
    from napari_unet_seg.io.coco.read import read_coco
    from napari_unet_seg.io.coco.write import save_coco
    from napari_unet_seg.io.coco.write_back import find_edits

    dataset = read_coco(path)
    labels = rasterise(dataset, 0)
    labels[tuple(np.argwhere(labels)[0])] = 0
    document = apply_edits(dataset, find_edits(dataset, {0: labels}).values())
    save_coco(document, path.with_name("out.json"))


def export_set(path: Path) -> None:
    """Write the COCO file of a data set again."""
    from napari_unet_seg.data.dataset_export import export_dataset
    from napari_unet_seg.io.coco.encode import Encoder

    export_dataset(path.parent / "set", path.parent / "out", Encoder())


STEPS: dict[str, tuple[Callable[[Path, float], Path], Callable[[Path], None]]] = {
    "import_full_polygons": (full_polygons, write_set),
    "edit_full_polygons": (full_polygons, edit),
    "draw_million_points": (million_points, draw),
    "draw_five_million_points": (five_million_points, draw),
    "import_many_categories": (many_categories, write_set),
    "export_large_set": (large_set, export_set),
}


def measured(name: str, path: Path) -> dict[str, float]:
    """Do a step; return its processor time, and its memory above that of the imports, in MB."""
    import napari_unet_seg.data.dataset_export
    import napari_unet_seg.data.dataset_write  # noqa: F401

    before, start = _peak(), time.process_time()
    STEPS[name][1](path)
    seconds = time.process_time() - start
    return {"s": round(seconds, 2), "mb": round(_peak() - before), "all_mb": round(_peak())}


def _peak() -> float:
    """Return the peak of this process's memory in MB, without that of its parent as in rusage."""
    status = Path("/proc/self/status").read_text()
    return int(re.findall(r"VmHWM:\s+(\d+)", status)[0]) / 1000


def main() -> None:
    """Print the table."""
    parser = parser_of(__doc__)
    parser.add_argument("--scale", type=float, default=1)
    parser.add_argument("--only", choices=STEPS)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--file", type=Path, help=argparse.SUPPRESS)
    with given_to(parser, scale=0.001) as given:
        if given.file:
            sys.stdout.write(json.dumps(measured(given.only, given.file)))
            return
        rows = {}
        for name, (build, _) in STEPS.items():
            if given.only in (None, name):
                (folder := given.scratch / name).mkdir()
                path = build(folder, given.scale)
                command = [sys.executable, "-m", __spec__.name, "--only", name, "--file", str(path)]
                done = subprocess.run(command, capture_output=True, text=True, timeout=900)
                file = round(path.stat().st_size / 1e6, 1)
                found = json.loads(done.stdout) if not done.returncode else {"rc": done.returncode}
                rows[name] = {"file_mb": file, **found}
                print(f"{name:26}", *(f"{k} {v}" for k, v in rows[name].items()), sep="  ")
        if given.json:
            given.json.write_text(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
