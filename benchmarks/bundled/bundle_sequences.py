"""Write the any-sequence model into the package, with its card.

    python -m benchmarks.bundled.bundle_sequences DATA --run runs/sequences [--cache CACHE]

Its weights are the mean of the bundled model's and of those that `train_sequences` made of them.
DATA and CACHE are those of `benchmarks.accuracy.sequences`, which measures both models. The record
on BRISC is the one that `benchmarks.accuracy.brisc measure DATA/brisc-256 --model any-sequence`
makes. What the card says of the worst slices is of the sheets of `benchmarks.sheets.worst`: look at
them anew.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from benchmarks.accuracy.sequences import figures
from benchmarks.bundled.any_sequence_card import render
from benchmarks.bundled.train_bundled import put
from benchmarks.common.options import given_to, parser_of
from benchmarks.common.records import write_record
from benchmarks.common.soup import averaged
from benchmarks.prompts.cache import smoke_cache
from napari_unet_seg.models import ANY_SEQUENCE, BUNDLED, own_name


def bundle(
    folder: Path, weights: Path, cache: Path, model: Path, every: int, real: bool
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Write weights averaged with the bundled model's, and the card; return what was measured.

    Returns
    -------
    found, on_brisc : dict
        The records of `accuracy.sequences` and of `accuracy.brisc`.
    """
    info, net = averaged(weights, BUNDLED)
    info, on_brisc = put(model, info, net, folder / "brisc-256")
    found = figures(model, folder, cache, every, real)
    before = figures(BUNDLED, folder, cache, every, real)
    parameters = sum(p.numel() for p in net.parameters())
    card = render(info, parameters, on_brisc, before, found)
    model.with_suffix(".md").write_text(card, encoding="utf-8")
    network = {"width": info.model.width, "image_size": info.image_size}
    return found, network | on_brisc


def main() -> None:
    parser = parser_of(__doc__, "DATA")
    parser.add_argument("--run", type=Path, default=Path("runs/sequences"))
    parser.add_argument("--cache", type=Path, default=Path("runs/prompts-cache"))
    parser.add_argument("--threads", type=int, default=0)
    with given_to(parser, smoke_cache, every=8) as given:
        if given.threads:
            torch.set_num_threads(given.threads)
        model, weights = ANY_SEQUENCE, given.run / "best.safetensors"
        if given.smoke:
            given.folder, given.cache = given.folder.parent, given.folder
            model, weights = given.scratch / "any_sequence.safetensors", BUNDLED
        every = given.every if given.smoke else 1
        name, keep = own_name(ANY_SEQUENCE), not given.smoke
        found, on_brisc = bundle(given.folder, weights, given.cache, model, every, keep)
        write_record("sequences", name, {"name": name, **found}, keep=keep)
        write_record("brisc", name, {"name": name, **on_brisc}, keep=keep)


if __name__ == "__main__":
    main()
