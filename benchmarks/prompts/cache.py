"""Write what the network of prompts is trained on into a folder of uint8 arrays.

    python -m benchmarks.prompts.cache DATA CACHE [--renditions 500]

DATA holds `brisc-256` and `head-labels`. Of BRISC each split is one file, image and truth of every
slice; of the heads each drawing is one, image, labels, and the labels of a slice nearby: `heads` in
random contrasts, `usual` as usual sequences show tissues and lesions. Run again, it draws what is
not there yet. 500 drawings take 25 minutes of one core and 2 GB.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.common.brisc_data import brisc_samples
from benchmarks.common.options import given_to, parser_of
from benchmarks.prompts.head_labels import heads, load_head
from benchmarks.prompts.rendering import rendition
from benchmarks.prompts.synthetic import data
from napari_unet_seg.config import NormaliseConfig
from napari_unet_seg.data.cache import read_sample
from napari_unet_seg.io.disk.files import atomic

if TYPE_CHECKING:
    from napari_unet_seg.arrays import Array

HELD_OUT_RENDITIONS = 18
_HELD_OUT_SEED = 90_000
_USUAL_SEED = 50_000


def write_brisc(folder: Path, cache: Path) -> None:
    """Write image and truth of every slice, (N, 2, Y, X) a split."""
    samples = brisc_samples(folder).samples
    for split in ("train", "valid"):
        rows = []
        for sample in (s for s in samples if s.split == split):
            image, truth = read_sample(sample, 1, NormaliseConfig())
            rows.append(np.stack([image[..., 0], truth]))
        _write(cache / f"brisc-{split}.npy", np.stack(rows))


def write_heads(
    folder: Path, cache: Path, seed: int, count: int, held_out: bool = False, usual: bool = False
) -> None:
    """Write drawings of one side's heads, (SLICES, 3, Y, X) each, one file for each seed."""
    cache.mkdir(parents=True, exist_ok=True)
    codes = [load_head(path) for path in heads(folder, held_out)]
    for number in range(seed, seed + count):
        target = cache / f"{number:05}.npy"
        if not target.is_file():
            drawn = rendition(codes[number % len(codes)], np.random.default_rng(number), usual)
            _write(target, drawn)


def _write(path: Path, array: Array) -> None:
    with atomic(path) as temporary, temporary.open("wb") as file:
        np.save(file, array)
    sys.stdout.write(f"{path}\n")
    sys.stdout.flush()


def write_cache(folder: Path, cache: Path, renditions: int, usual: int, held_out: int) -> None:
    """Write all of it."""
    cache.mkdir(parents=True, exist_ok=True)
    write_brisc(folder / "brisc-256", cache)
    maps = folder / "head-labels"
    write_heads(maps, cache / "held_out", _HELD_OUT_SEED, held_out, held_out=True)
    write_heads(maps, cache / "usual", _USUAL_SEED, usual, usual=True)
    write_heads(maps, cache / "heads", 0, renditions)


def smoke_cache(folder: Path) -> Path:
    """A cache of phantoms."""
    write_cache(data(folder), folder / "cache", 1, 1, 1)
    return folder / "cache"


def main() -> None:
    parser = parser_of(__doc__, "DATA")
    parser.add_argument("cache", type=Path, nargs="?", default=Path("runs/prompts-cache"))
    parser.add_argument("--renditions", type=int, default=500)
    parser.add_argument("--usual", type=int, default=150, help="drawings of usual sequences")
    parser.set_defaults(held_out=HELD_OUT_RENDITIONS)
    with given_to(parser, data, renditions=2, usual=1, held_out=1) as given:
        cache = given.scratch / "cache" if given.smoke else given.cache
        write_cache(given.folder, cache, given.renditions, given.usual, given.held_out)


if __name__ == "__main__":
    main()
