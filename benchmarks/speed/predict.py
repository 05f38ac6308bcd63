"""Time of a prediction against other ways to run the same weights on the same pixels.

    python -m benchmarks.speed.predict --name "two cores, AMX bfloat16" [--only volume] [--rounds 7]

A slice of 256×256, one of 640×640 and a volume of 155×240×240 go through the bundled net at their
own size: by this package; as the published project predicts (eager, float32, channels first, with
gradients on, slice by slice); by MONAI's `SliceInferer` or `sliding_window_inference` (eager,
float32, without gradients); and by OpenVINO in float32 and in the precision it chooses. Each way
runs in a process of its own, in turns with the others; medians are compared, and the labels with
the published way's. MONAI and OpenVINO are no part of the package: `pip install monai openvino`.
`ONEDNN_MAX_CPU_ISA=AVX2` shows a processor without bfloat16 (to PyTorch; OpenVINO looks itself).
"""

from __future__ import annotations

import argparse
import importlib.util
import sys
import tempfile
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from skimage.transform import resize

from benchmarks.common.interleaved import Child, go_round, serve
from benchmarks.common.options import given_to, parser_of
from benchmarks.common.paths import SAMPLES
from benchmarks.common.records import write_record
from napari_unet_seg.config import PredictConfig
from napari_unet_seg.engine import predict
from napari_unet_seg.io.common.scan import Scan
from napari_unet_seg.io.common.window import scan_window, to_uint8
from napari_unet_seg.io.read import read_scan
from napari_unet_seg.models import BUNDLED
from napari_unet_seg.nn.checkpoint import load_net, save_checkpoint
from napari_unet_seg.process.engine_process import KEEP_MEMORY

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_unet_seg.arrays import Array

Way = "Callable[[Array], Array]"

SCAN = SAMPLES / "phantom-scan.nii.gz"
CASES = {"256²": (1, 256), "640²": (1, 640), "volume": (155, 240)}
MONAI_BATCH = 4


def pixels(case: str) -> Array:
    """The synthetic head as uint8 slices of a case's size, (Z, Y, X), in its window already."""
    slices, size = CASES[case]
    scan = read_scan(SCAN)
    voxels = np.asarray(scan.data)
    if slices == 1:
        voxels = voxels[[len(voxels) // 2]]
    grey = to_uint8(voxels, scan_window(voxels, load_net(BUNDLED)[0].normalise))
    return resize(grey, (slices, size, size), preserve_range=True).astype(np.uint8)


def ours(case: str, folder: Path) -> Callable[[Array], Array]:
    """Segment as the program does, from the scan to the labels."""
    info, net = load_net(BUNDLED)
    # The window is done already; and the net runs at the pixels' own size, as the others do.
    whole = info.normalise.replace(window="range", low=0, high=100)
    path = folder / f"{CASES[case][1]}.safetensors"
    save_checkpoint(path, net, info.replace(image_size=CASES[case][1], normalise=whole))

    def run(slices: Array) -> Array:
        *_, result = predict(PredictConfig(), path, Scan(slices, "ZYX"))
        return result.labels

    return run


def published(case: str, folder: Path) -> Callable[[Array], Array]:
    """The published way: slice by slice, and nothing said about gradients."""
    net = load_net(BUNDLED)[1].eval()

    def run(slices: Array) -> Array:
        masks = []
        for plane in slices:
            image = torch.from_numpy(plane)[None, None].float() / 255
            masks.append((net(image).sigmoid() > 0.5)[0, 0].numpy())
        return np.stack(masks)

    return run


def monai(case: str, folder: Path) -> Callable[[Array], Array]:
    """MONAI's inferers, as their documentation uses them."""
    from monai.inferers import SliceInferer, sliding_window_inference

    net = load_net(BUNDLED)[1].eval()
    size = CASES[case][1]
    by_slice = SliceInferer(roi_size=(size, size), spatial_dim=0, sw_batch_size=MONAI_BATCH)

    @torch.no_grad()
    def run(slices: Array) -> Array:
        image = torch.from_numpy(slices)[None, None].float() / 255
        if len(slices) > 1:
            logits = by_slice(image, net)
        else:
            logits = sliding_window_inference(image[:, :, 0], (size, size), MONAI_BATCH, net)
        return (logits.sigmoid() > 0.5).reshape(slices.shape).numpy()

    return run


def openvino(case: str, folder: Path, precision: str = "") -> Callable[[Array], Array]:
    """OpenVINO, in the precision that it chooses or in a given one."""
    import openvino as ov

    net = load_net(BUNDLED)[1].eval()
    size = CASES[case][1]
    model = ov.convert_model(net, example_input=torch.zeros(1, 1, size, size))
    model.reshape([1, 1, size, size])
    how = {"PERFORMANCE_HINT": "LATENCY"}
    if precision:
        how["INFERENCE_PRECISION_HINT"] = precision
    compiled = ov.Core().compile_model(model, "CPU", how)

    def run(slices: Array) -> Array:
        masks = []
        for plane in slices:
            logits = compiled(plane[None, None].astype(np.float32) / 255)[0]
            masks.append(logits[0, 0] > 0)
        return np.stack(masks)

    return run


def openvino_float32(case: str, folder: Path) -> Callable[[Array], Array]:
    """OpenVINO in float32."""
    return openvino(case, folder, "f32")


WAYS = {
    "ours": ours,
    "published": published,
    "monai": monai,
    "openvino_float32": openvino_float32,
    "openvino": openvino,
}
NEEDS = {"monai": "monai", "openvino_float32": "openvino", "openvino": "openvino"}


def work(way: str, case: str, folder: Path) -> None:
    """In a child: run the case whenever the parent asks."""
    slices = pixels(case)
    run = WAYS[way](case, folder)

    def step() -> None:
        np.save(folder / f"{way}.npy", run(slices) != 0)

    serve(step, {"threads": torch.get_num_threads()})


def compare(case: str, rounds: int) -> dict[str, Any]:
    """Time all ways that are installed on a case."""
    there = [way for way in WAYS if not NEEDS.get(way) or importlib.util.find_spec(NEEDS[way])]
    with tempfile.TemporaryDirectory() as folder:
        arguments = ["--name", "-", "--only", case, "--folder", folder, "--way"]
        children = {
            way: Child(__spec__.name, [*arguments, way], KEEP_MEMORY if way == "ours" else {})
            for way in there
        }
        threads = children["ours"].described
        answers = go_round(children, rounds)
        masks = {way: np.load(Path(folder) / f"{way}.npy") for way in there}
    figures: dict[str, Any] = dict(threads)
    for way, found in answers.items():
        figures[way] = {
            "ms": round(1000 * median(answer["seconds"] for answer in found), 1),
            "peak_mib": max(answer["peak_mib"] for answer in found),
            "other_pixels": int(np.count_nonzero(masks[way] != masks["published"])),
        }
    return figures


def main() -> None:
    parser = parser_of(__doc__)
    parser.add_argument("--name", required=True, help="of the machine")
    parser.add_argument("--only", nargs="*", choices=CASES, default=list(CASES))
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--way", choices=WAYS, help=argparse.SUPPRESS)
    with given_to(parser, only=["256²"], rounds=1) as given:
        if given.way:
            work(given.way, given.only[0], given.folder)
            return
        cases = {case: compare(case, given.rounds) for case in given.only}
        write_record(
            "predict",
            given.name.replace(",", ""),
            {"name": given.name, "cases": cases},
            keep=not given.smoke,
        )


if __name__ == "__main__":
    sys.exit(main())
