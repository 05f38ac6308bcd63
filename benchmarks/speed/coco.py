"""The time and memory of COCO in and out, without a window.

    python -m benchmarks.speed.coco [--repeats 5] [--json FILE]

The data are made by the script. Each step is done in a new process, the steps in turn, and medians
are given: reading 100 000 polygons of 2000 images and drawing them, as categories and as objects;
writing 155 slices of 240 × 240 with lesions of three categories; and putting one edit back into the
large file.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from benchmarks.common.options import given_to, parser_of

_IMAGES, _EACH, _SIDE = 2000, 50, 256


def make(path: Path, count: int) -> None:
    """Write a COCO file of some images, each with 50 polygons of 24 corners."""
    random = np.random.default_rng(0)
    angles = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    annotations = []
    for image in range(count):
        for _ in range(_EACH):
            (x, y), radius = random.uniform(15, _SIDE - 15, 2), random.uniform(3, 14)
            ring = np.stack([x + radius * np.cos(angles), y + radius * np.sin(angles)], 1)
            left, top = ring.min(axis=0)
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": image,
                    "category_id": int(random.integers(1, 4)),
                    "segmentation": [ring.round(2).ravel().tolist()],
                    "area": round(float(np.pi * radius**2), 2),
                    "bbox": [round(float(v), 2) for v in (left, top, 2 * radius, 2 * radius)],
                    "iscrowd": 0,
                }
            )
    images = [
        {"id": i, "file_name": f"{i}.png", "width": _SIDE, "height": _SIDE} for i in range(count)
    ]
    categories = [{"id": i, "name": f"class {i}", "supercategory": ""} for i in (1, 2, 3)]
    document = {"images": images, "annotations": annotations, "categories": categories}
    path.write_text(json.dumps(document))


def read_and_draw(path: Path) -> None:
    """Read the file and draw it with a label for each category."""
    from napari_unet_seg.io.coco.raster import rasterise
    from napari_unet_seg.io.coco.read import read_coco

    dataset = read_coco(path)
    for image in dataset.images:
        rasterise(dataset, image.id)


def read_and_draw_objects(path: Path) -> None:
    """Read the file and draw it with a label for each annotation."""
    from napari_unet_seg.io.coco.instances import draw_instances, instance_dtype
    from napari_unet_seg.io.coco.read import read_coco

    dataset = read_coco(path)
    dtype = instance_dtype(dataset, dataset.images)
    stack = np.zeros((len(dataset.images), _SIDE, _SIDE), dtype)
    draw_instances(dataset, dataset.images, stack)


def edit_one(path: Path) -> None:
    """Read the file, erase a pixel in one image, and write the file again."""
    from napari_unet_seg.io.coco.edit import apply_edits
    from napari_unet_seg.io.coco.raster import rasterise
    from napari_unet_seg.io.coco.read import read_coco
    from napari_unet_seg.io.coco.write import save_coco
    from napari_unet_seg.io.coco.write_back import find_edits

    dataset = read_coco(path)
    labels = rasterise(dataset, 7)
    labels[tuple(np.argwhere(labels)[0])] = 0
    document = apply_edits(dataset, find_edits(dataset, {7: labels}).values())
    save_coco(document, path.with_name("out.json"), style=dataset.style)


def export(path: Path) -> None:
    """Write 155 slices of 240 × 240."""
    from napari_unet_seg.config import Category
    from napari_unet_seg.io.coco.write import labels_to_coco, save_coco

    y, x = np.mgrid[:240, :240]
    ripples = np.sin(x / 9) + np.cos(y / 7)
    slices = []
    for number, radius in enumerate(np.linspace(5, 110, 155)):
        away = np.hypot(y - 120, x - 118) + 6 * ripples
        labels = np.digitize(away, [radius / 3, radius / 1.5, radius])
        slices.append((f"{number}.png", (3 - labels).astype(np.uint8)))
    categories = [Category(id=i, name=f"class {i}") for i in (1, 2, 3)]
    save_coco(labels_to_coco(slices, categories), path.with_name("slices.json"))


STEPS = {step.__name__: step for step in (read_and_draw, read_and_draw_objects, edit_one, export)}


def main() -> None:
    """Print the table."""
    parser = parser_of(__doc__)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--step", choices=STEPS, help=argparse.SUPPRESS)
    parser.add_argument("--file", type=Path, help=argparse.SUPPRESS)
    parser.set_defaults(images=_IMAGES)
    with given_to(parser, repeats=1, images=10) as given:
        if given.step:
            start = time.perf_counter()
            STEPS[given.step](given.file)
            seconds = time.perf_counter() - start
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
            print(json.dumps({"s": seconds, "mb": peak}))
            return
        found: dict[str, list[dict[str, Any]]] = {name: [] for name in STEPS}
        path = given.scratch / "large.json"
        make(path, given.images)
        for _ in range(given.repeats):
            for name in STEPS:
                command = [sys.executable, "-m", __spec__.name, "--step", name, "--file", str(path)]
                done = subprocess.run(command, capture_output=True, text=True, check=True)
                found[name].append(json.loads(done.stdout))
        rows = {
            name: {
                "median_s": round(median(f["s"] for f in runs), 2),
                "worst_s": round(max(f["s"] for f in runs), 2),
                "memory_mb": round(max(f["mb"] for f in runs)),
            }
            for name, runs in found.items()
        }
        for name, row in rows.items():
            print(f"{name:24}", *(f"{key} {value}" for key, value in row.items()), sep="  ")
        if given.json:
            given.json.write_text(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
