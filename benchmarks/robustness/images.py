"""An automatic model on what users open: turned, mirrored, inverted, 16-bit, of other sizes.

    python -m benchmarks.robustness.images BRISC [--model bundled] [--every 1]

Every change is made to all held-out slices of BRISC (every n-th with `--every`), the twins of none
of which were trained on. The phantoms of `sample_data/` are measured too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import ndimage
from skimage.transform import resize

from benchmarks.common.brisc_data import brisc_samples
from benchmarks.common.brisc_figures import figures_of, measured
from benchmarks.common.options import given_to, parser_of
from benchmarks.common.paths import SAMPLES
from benchmarks.common.records import model_name, write_record
from benchmarks.common.synthetic import brisc
from napari_unet_seg.config import PredictConfig
from napari_unet_seg.correct.shapes import grow
from napari_unet_seg.engine import predict
from napari_unet_seg.evaluation.metrics import count
from napari_unet_seg.io.coco.raster import rasterise
from napari_unet_seg.io.coco.read import read_coco
from napari_unet_seg.io.read import read_labels, read_scan
from napari_unet_seg.models import checkpoint_path

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from benchmarks.common.brisc_figures import Change
    from napari_unet_seg.arrays import Array
    from napari_unet_seg.data.samples import Sample


def both(change: Callable[[Array], Array]) -> Change:
    """Change image and truth alike."""
    return lambda image, truth: (change(image), change(truth))


def grey(change: Callable[[Array], Array]) -> Change:
    """Change the image's grey values."""
    return lambda image, truth: (change(image), truth)


def scaled(factor: float) -> Change:
    def change(image: Array, truth: Array) -> tuple[Array, Array]:
        size = tuple(round(n * factor) for n in image.shape)
        small = resize(image, size, preserve_range=True, anti_aliasing=factor < 1)
        return small.astype(np.uint8), resize(truth, size, order=0, preserve_range=True)

    return change


def tilted(degrees: float) -> Change:
    def change(image: Array, truth: Array) -> tuple[Array, Array]:
        turned = ndimage.rotate(image, degrees, reshape=False, order=1)
        return turned, ndimage.rotate(truth, degrees, reshape=False, order=0)

    return change


CHANGES: dict[str, Change] = {
    "as they are": lambda image, truth: (image, truth),
    "turned by 90°": both(np.rot90),
    "turned by 180°": both(lambda a: np.rot90(a, 2)),
    "turned by 270°": both(lambda a: np.rot90(a, 3)),
    "mirrored left to right": both(np.fliplr),
    "transposed": both(np.transpose),
    "tilted by 15°": tilted(15),
    "inverted": grey(lambda a: 255 - a),
    "16-bit": grey(lambda a: a.astype(np.uint16) * 157),
    "shifted to a mean of zero": grey(lambda a: (a - a.mean(dtype=np.float32)) / a.std()),
    "darker (gamma 1.5)": grey(lambda a: (255 * (a / 255) ** 1.5).astype(np.uint8)),
    "brighter to one side": grey(lambda a: (a * np.linspace(0.6, 1, a.shape[1])).astype(np.uint8)),
    "128×128": scaled(0.5),
    "512×512": scaled(2),
    "not square": both(lambda a: a[:, 38:-38]),
}


HABITS: dict[str, Change] = {
    "drawn 3 pixels wider": lambda image, truth: (image, grow(truth > 0, 3).astype(truth.dtype)),
}
"""What annotators differ in: the images are as they are, the masks are not."""


def phantoms(model: Path, every: int) -> dict[str, float]:
    """Dice of the synthetic tumours: mean over one slice in so many, and of the volume."""
    how = PredictConfig(precision="float32")
    dice = []
    for file in sorted(SAMPLES.glob("coco/*/_annotations.coco.json")):
        coco = read_coco(file)
        tumour = 1 + [c.name for c in coco.categories].index("tumour")
        for image in coco.images[::every]:
            truth = rasterise(coco, image.id) == tumour
            *_, result = predict(how, model, read_scan(image.path))
            dice.append(count(result.labels, truth, 1).dice)
    *_, result = predict(how, model, read_scan(SAMPLES / "phantom-scan.nii.gz"))
    truth = np.asarray(read_labels(SAMPLES / "phantom-scan_truth.nii.gz").data)
    volume = count(result.labels, truth, 1).dice
    return {"slices": round(float(np.nanmean(dice)), 4), "volume": round(volume, 4)}


def figures(model: Path, samples: list[Sample], changes: int) -> dict[str, Any]:
    """Measure a model on slices after each of the first changes."""
    kept = ("slices", "dice", "missed", "healthy", "false")
    found = {}
    for name in list(CHANGES)[:changes]:
        changed = figures_of(measured(model, samples, CHANGES[name]))
        found[name] = {key: changed[key] for key in kept}
    return found


def main() -> None:
    parser = parser_of(__doc__, "BRISC")
    parser.add_argument("--model", default="bundled", help="name or file of a checkpoint")
    parser.add_argument("--every", type=int, default=1)
    parser.set_defaults(changes=len(CHANGES), phantoms=1)
    with given_to(parser, brisc, every=4, changes=1, phantoms=12) as given:
        model = checkpoint_path(given.model)
        held_out = [s for s in brisc_samples(given.folder).samples if s.split == "valid"]
        changed = figures(model, held_out[:: given.every], given.changes)
        name, dice = model_name(model), phantoms(model, given.phantoms)
        record = {"name": name, "changes": changed, "phantoms": dice}
        write_record("robustness", name, record, keep=not given.smoke)


if __name__ == "__main__":
    main()
