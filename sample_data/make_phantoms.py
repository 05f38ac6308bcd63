"""Write the sample data: a small COCO data set and a 3D scan of synthetic head phantoms.

Run `python sample_data/make_phantoms.py [FOLDER]`; without a folder it writes beside itself.
Everything is seeded: running it again writes the same bytes.
"""

from __future__ import annotations

import gzip
import io
import json
import sys
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
from phantoms import Head, Lesion, Phantom
from PIL import Image
from scipy import ndimage

from napari_unet_seg.io.coco.encode import Encoder

Array = np.ndarray[Any, np.dtype[Any]]

SIZE, PIXEL = 256, 0.85
"""Pixels along each side of a slice, and their size in mm."""

TUMOUR, OEDEMA = 3, 7
"""Category ids of COCO; they are names and no label values, so they need not start from 1."""

Volume = tuple[tuple[int, int, int], tuple[float, float, float]]
"""Voxels and their size in mm, both along (z, y, x)."""

SCAN: Volume = (48, 136, 112), (3.0, 1.5, 1.5)
PATIENT: Volume = (36, 112, 96), (4.0, 1.8, 1.8)
LOWEST = -52.0
"""Height of the lowest slice of a volume in mm."""

SUBJECTS: dict[str, tuple[tuple[Head, tuple[float, ...]], ...]] = {
    "train": (
        (Head(11, (92, 94, 74), (Lesion((24, 8, -36), (18, 20, 16), 4.5, 11),)), (14, 23, 33)),
        (
            Head(12, (88, 90, 72), (Lesion((30, -40, 30), (12, 13, 14), 20, 7),), 0.8, 6),
            (23, 30, 37),
        ),
        (Head(13, (95, 97, 76), (Lesion((6, 36, 42), (13, 17, 12), 3.5, 9),), 1.6, -4), (2, 8, 15)),
        (
            Head(14, (90, 92, 75), (Lesion((50, 10, -48), (14, 13, 11), 20, 0),), 1.1, -9),
            (44, 50, 20),
        ),
        (
            Head(15, (93, 91, 71), (Lesion((18, -34, -28), (15, 17, 15), 4, 12),), 0.7, 3),
            (12, 18, 24),
        ),
        (
            Head(
                16,
                (91, 95, 73),
                (
                    Lesion((34, 36, 26), (11, 10, 11), 3.0, 8),
                    Lesion((34, -22, -30), (7, 7, 8), 9, 4),
                ),
                1.3,
                -2,
            ),
            (29, 34, 40),
        ),
    ),
    "valid": (
        (
            Head(17, (90, 93, 74), (Lesion((28, 24, 34), (16, 17, 15), 4.2, 10),), 1.0, 5),
            (20, 28, 36),
        ),
        (
            Head(18, (94, 92, 72), (Lesion((44, -30, -40), (13, 14, 12), 20, 6),), 1.4, -6),
            (38, 44, 50),
        ),
    ),
}
"""Heads of each split, with the heights in mm of their slices."""

SCAN_HEAD = Head(
    21,
    (92, 95, 75),
    (
        Lesion((28, -8, 34), (21, 23, 18), 5.0, 11),
        Lesion((44, 40, -24), (9, 9, 9), 12, 6),
    ),
    1.1,
    3,
)

PATIENT_HEADS = (
    Head(22, (91, 94, 74), (Lesion((30, 18, -32), (20, 20, 17), 5.0, 13),), 0.9, -4),
    Head(23, (93, 92, 73), (Lesion((24, -20, 34), (18, 22, 17), 4.5, 12),), 1.2, 5),
)

FLAIR = ((0.0, 0.12, 0.24, 0.35, 0.49, 0.72, 0.92), (0.01, 0.05, 0.42, 0.52, 0.40, 0.62, 0.50))
"""Brightness with contrast medium and T1 weighting, and as FLAIR: fluid dark, grey above white."""
FLAIR_OEDEMA = 0.85


def grid(heights: Array, rows: int, columns: int, pixel: float) -> Array:
    """Return the positions (3, Z, Y, X) in mm of a grid whose slices lie at `heights`."""
    y, x = ((np.arange(n) - (n - 1) / 2) * pixel for n in (rows, columns))
    return np.stack(np.meshgrid(heights, y, x, indexing="ij"))


def receive(image: Array, noise: float, seed: int) -> Array:
    """Add the noise of a magnitude image, which is Rician."""
    real, imaginary = np.random.default_rng(seed).normal(scale=noise, size=(2, *image.shape))
    return np.hypot(image + real, imaginary)


def tidy(mask: Array) -> Array:
    """Drop specks that no annotator would draw."""
    parts, count = ndimage.label(mask)
    areas = np.bincount(parts.ravel(), minlength=count + 1)
    return (areas >= 30)[parts] & (parts > 0)


def slices(head: Head, heights: tuple[float, ...]) -> list[tuple[Array, Array, Array]]:
    """Return image, tumour and oedema of each axial slice of a head."""
    phantom, found = Phantom(head), []
    for number, height in enumerate(heights):
        at = grid(np.array([height]), SIZE, SIZE, PIXEL)[:, 0]
        image, tumour, oedema = phantom.look(at)
        image = receive(image, head.noise, 100 * head.seed + number)
        tumour = tidy(tumour)
        found.append(
            (np.clip(image * 235, 0, 255).astype(np.uint8), tumour, tidy(oedema & ~tumour))
        )
    return found


def annotations(tumour: Array, oedema: Array) -> list[dict[str, Any]]:
    """Return one COCO annotation for each part: polygons, and RLE where there is a hole."""
    found = []
    for category, mask in ((TUMOUR, tumour), (OEDEMA, oedema)):
        parts, count = ndimage.label(mask)
        for part in range(1, count + 1):
            shape = Encoder().geometry(parts == part)
            ordered = {key: shape[key] for key in ("bbox", "area", "segmentation")}
            found.append({"category_id": category, **ordered, "iscrowd": 0})
    return found


def write_coco(folder: Path) -> None:
    """Write the slices in the layout of a Roboflow export: one folder with a JSON per split."""
    subject = 0
    for split, heads in SUBJECTS.items():
        (folder / split).mkdir(parents=True, exist_ok=True)
        document = empty_document(split)
        for head, heights in heads:
            subject += 1
            for number, (image, tumour, oedema) in enumerate(slices(head, heights), 1):
                name = f"phantom-{subject:02}_slice-{number}.png"
                Image.fromarray(image).save(folder / split / name, optimize=True)
                add_image(document, name, annotations(tumour, oedema))
        text = json.dumps(document, indent=1)
        (folder / split / "_annotations.coco.json").write_text(text + "\n", encoding="utf-8")


def empty_document(split: str) -> dict[str, Any]:
    """Return a COCO document without images."""
    return {
        "info": {
            "description": f"Synthetic head phantoms with lesions, {split}",
            "version": "1",
            "contributor": "napari-unet-seg",
        },
        "licenses": [
            {"id": 1, "name": "BSD-3-Clause", "url": "https://opensource.org/license/bsd-3-clause"}
        ],
        "categories": [
            {"id": TUMOUR, "name": "tumour", "supercategory": "lesion"},
            {"id": OEDEMA, "name": "oedema", "supercategory": "lesion"},
        ],
        "images": [],
        "annotations": [],
    }


def add_image(document: dict[str, Any], name: str, found: list[dict[str, Any]]) -> None:
    """Add an image and what was annotated on it to a COCO document."""
    image = len(document["images"]) + 1
    document["images"].append(
        {"id": image, "license": 1, "file_name": name, "height": SIZE, "width": SIZE}
    )
    for annotation in found:
        number = len(document["annotations"]) + 1
        document["annotations"].append({"id": number, "image_id": image, **annotation})


def volume(head: Head, size: Volume) -> tuple[Array, Array, Array]:
    """Return the noiseless image, the tumours and the oedema of a volume, of shape (Z, Y, X)."""
    shape, spacing = size
    heights = LOWEST + spacing[0] * np.arange(shape[0])
    return Phantom(head).look(grid(heights, *shape[1:], spacing[1]))


def flair(image: Array, oedema: Array) -> Array:
    """Return a noiseless image as FLAIR shows it: water in tissue is bright."""
    swollen = ndimage.gaussian_filter(oedema.astype(float), (0, 0.6, 0.6))
    return np.interp(image, *FLAIR) * (1 - swollen) + FLAIR_OEDEMA * swollen


def digitise(image: Array, scale: float, noise: float, seed: int) -> Array:
    """Return an image with noise as the whole numbers that a scanner stores."""
    top = 2.5 * scale
    return np.clip(receive(image, noise, seed) * scale, 0, top).astype(np.int16)


def write_nifti(path: Path, data: Array, spacing: tuple[float, float, float]) -> None:
    """Write (z, y, x) data as a scanner's converter would: to the left, to the front, upwards."""
    z, y, x = spacing
    affine = np.diag([-x, y, z, 1.0])
    affine[:3, 3] = (
        x * (data.shape[2] - 1) / 2,
        -y * (data.shape[1] - 1) / 2,
        LOWEST,
    )
    image = nib.Nifti1Image(np.ascontiguousarray(data[:, ::-1].transpose(2, 1, 0)), affine)
    image.set_qform(affine, 1)
    image.set_sform(affine, 1)
    image.header.set_xyzt_units("mm")
    packed = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", fileobj=packed, mtime=0) as file:
        file.write(image.to_bytes())
    path.write_bytes(packed.getvalue())


def write_scan(folder: Path) -> None:
    """Write a scan and the true mask of its tumours."""
    image, tumour, _ = volume(SCAN_HEAD, SCAN)
    image = digitise(image, 600, SCAN_HEAD.noise, SCAN_HEAD.seed)
    write_nifti(folder / "phantom-scan.nii.gz", image, SCAN[1])
    write_nifti(folder / "phantom-scan_truth.nii.gz", tumour.astype(np.uint8), SCAN[1])


def write_patient(head: Head, folder: Path) -> None:
    """Write two sequences of one head: T1 with contrast medium, and FLAIR."""
    folder.mkdir(parents=True, exist_ok=True)
    image, _, oedema = volume(head, PATIENT)
    sequences = {"T1c": image, "FLAIR": flair(image, oedema)}
    for number, (name, weighted) in enumerate(sequences.items()):
        data = digitise(weighted, 200, head.noise, 10 * head.seed + number)
        write_nifti(folder / f"{folder.name}_{name}.nii.gz", data, PATIENT[1])


def main(folder: Path) -> None:
    """Write everything into a folder."""
    write_coco(folder / "coco")
    write_scan(folder)
    for head in PATIENT_HEADS:
        write_patient(head, folder / "patients" / f"phantom-{head.seed}")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
