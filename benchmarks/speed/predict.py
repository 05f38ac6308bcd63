"""Time of a prediction against other ways to run the same weights on the same pixels.

    python -m benchmarks.speed.predict --name "two cores, AMX bfloat16" [--only volume] [--rounds 7]

A slice of 256×256, one of 640×640 and a volume of 155×240×240 go through the bundled net at their
own size, and the window around a click on a slice of 256×256 through the prompt network: by this
package; as the published project predicts (eager, float32, channels first, with
gradients on, slice by slice); by MONAI's `SliceInferer` or `sliding_window_inference` (eager,
float32, without gradients); and by OpenVINO in float32 and in the precision it chooses. Each way
runs in a process of its own, in turns with the others; medians are compared, and the labels with
the published way's. The first time, with all that has to be loaded and converted for it, is told
apart; the volume's mask is not carried. MONAI and OpenVINO are no part of the package: `pip install
monai openvino`.
`ONEDNN_MAX_CPU_ISA=AVX2` shows a processor without bfloat16 (to PyTorch; OpenVINO looks itself).
"""

from __future__ import annotations

import argparse
import functools
import importlib.util
import sys
import tempfile
import time
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
from napari_unet_seg.data.prompts.marks import POSITIVE, PREVIOUS, click, no_prompts
from napari_unet_seg.engine import predict, refine
from napari_unet_seg.inference.prompted.window import marks, window_around
from napari_unet_seg.io.common.scan import Scan
from napari_unet_seg.io.common.window import scan_window, to_uint8
from napari_unet_seg.io.read import read_scan
from napari_unet_seg.models import BUNDLED, PROMPT_NETWORK
from napari_unet_seg.nn.checkpoint import load_net, save_checkpoint
from napari_unet_seg.process.engine_process import KEEP_MEMORY

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_unet_seg.arrays import Array
    from napari_unet_seg.models.header import CheckpointInfo

Way = "Callable[[Array], Array]"

SCAN = SAMPLES / "phantom-scan.nii.gz"
CASES = {"256²": (1, 256), "640²": (1, 640), "volume": (155, 240), "click": (1, 256)}
"""Slices and pixels a side of what is segmented."""
CLICK = (128, 128)
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


def model_of(case: str) -> Path:
    """The checkpoint that segments a case."""
    return PROMPT_NETWORK if case == "click" else BUNDLED


def seen(case: str, plane: Array) -> torch.Tensor:
    """What the network sees of a slice: floats (1, C, Y, X)."""
    image = torch.from_numpy(plane)[None, None].float() / 255
    if case != "click":
        return image
    prompts = click_map(plane)
    sides, size = window_around(prompts.any(0), header_of(PROMPT_NETWORK))
    given = marks(prompts[(slice(None), *sides)], size)[None]
    window = image[(..., *sides)]
    return torch.cat([window, given, torch.zeros_like(window)], 1)


@functools.cache
def header_of(model: Path) -> CheckpointInfo:
    """What a checkpoint tells of itself, read once."""
    return load_net(model)[0]


def click_map(plane: Array) -> Array:
    """Maps of a click inside, in the order of the network's channels without the mask so far."""
    maps = no_prompts(plane.shape)
    click(maps, POSITIVE, np.array(CLICK))
    return maps[:PREVIOUS]


def ours(case: str, folder: Path) -> Callable[[Array], Array]:
    """Segment as the program does, from the scan to the labels."""
    return ours_clicked if case == "click" else ours_automatic(case, folder)


def ours_clicked(slices: Array) -> Array:
    """Follow a click as the program does."""
    image = Scan(slices[0], "YX")
    *_, refined = refine(
        PredictConfig(), PROMPT_NETWORK, image, click_map(slices[0]), window=(0.0, 255.0)
    )
    return refined.mask[None]


def ours_automatic(case: str, folder: Path) -> Callable[[Array], Array]:
    """Segment slices of a case's size."""
    info, net = load_net(BUNDLED)
    # The window is done already; and the net runs at the pixels' own size, as the others do.
    whole = info.normalise.replace(window="range", low=0, high=100)
    path = folder / f"{CASES[case][1]}.safetensors"
    save_checkpoint(path, net, info.replace(image_size=CASES[case][1], normalise=whole))

    def run(slices: Array) -> Array:
        *_, result = predict(PredictConfig(carry="never"), path, Scan(slices, "ZYX"))
        return result.labels

    return run


def published(case: str, folder: Path) -> Callable[[Array], Array]:
    """The published way: slice by slice, and nothing said about gradients."""
    net = load_net(model_of(case))[1].eval()

    def run(slices: Array) -> Array:
        masks = [(net(seen(case, plane)).sigmoid() > 0.5)[0, 0].numpy() for plane in slices]
        return np.stack(masks)

    return run


def monai(case: str, folder: Path) -> Callable[[Array], Array]:
    """MONAI's inferers, as their documentation uses them."""
    from monai.inferers import SliceInferer, sliding_window_inference

    net = load_net(model_of(case))[1].eval()
    size = CASES[case][1]
    by_slice = SliceInferer(roi_size=(size, size), spatial_dim=0, sw_batch_size=MONAI_BATCH)

    @torch.no_grad()
    def run(slices: Array) -> Array:
        if len(slices) > 1:
            logits = by_slice(torch.from_numpy(slices)[None, None].float() / 255, net)[0, 0]
        else:
            image = seen(case, slices[0])
            sides = image.shape[2:]
            logits = sliding_window_inference(image, sides, MONAI_BATCH, net)[0]
        return (logits.sigmoid() > 0.5).numpy()

    return run


def openvino(case: str, folder: Path, precision: str = "") -> Callable[[Array], Array]:
    """OpenVINO, in the precision that it chooses or in a given one."""
    import openvino as ov

    net = load_net(model_of(case))[1].eval()
    example = seen(case, pixels(case)[0])
    model = ov.convert_model(net, example_input=example)
    model.reshape(list(example.shape))
    how = {"PERFORMANCE_HINT": "LATENCY"}
    if precision:
        how["INFERENCE_PRECISION_HINT"] = precision
    compiled = ov.Core().compile_model(model, "CPU", how)

    def run(slices: Array) -> Array:
        masks = []
        for plane in slices:
            logits = compiled(seen(case, plane).numpy())[0]
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
    start = time.perf_counter()
    run = WAYS[way](case, folder)
    run(slices)
    first = round(1000 * (time.perf_counter() - start))

    def step() -> None:
        np.save(folder / f"{way}.npy", run(slices) != 0)

    serve(step, {"threads": torch.get_num_threads(), "first_ms": first})


def compare(case: str, rounds: int) -> dict[str, Any]:
    """Time all ways that are installed on a case."""
    there = [way for way in WAYS if not NEEDS.get(way) or importlib.util.find_spec(NEEDS[way])]
    with tempfile.TemporaryDirectory() as folder:
        arguments = ["--name", "-", "--only", case, "--folder", folder, "--way"]
        children = {
            way: Child(__spec__.name, [*arguments, way], KEEP_MEMORY if way == "ours" else {})
            for way in there
        }
        described = {way: child.described for way, child in children.items()}
        answers = go_round(children, rounds)
        masks = {way: np.load(Path(folder) / f"{way}.npy") for way in there}
    figures: dict[str, Any] = {"threads": described["ours"]["threads"]}
    for way, found in answers.items():
        figures[way] = {
            "ms": round(1000 * median(answer["seconds"] for answer in found), 1),
            "first_ms": described[way]["first_ms"],
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
