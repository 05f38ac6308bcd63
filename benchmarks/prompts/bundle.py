"""Put a trained prompt network into the package, and write its card.

    python -m benchmarks.prompts.bundle weights runs/lesions/best.safetensors [--average bundled]
    python -m benchmarks.prompts.measure DATA --name bundled --count 120 --carry
    python -m benchmarks.bundled.store_answers
    python -m benchmarks.prompts.bundle card

The weights are kept in half precision; with `--average` they are the mean of the checkpoint and
another one, or the one that is in the package. The card is made of the figures that were measured
last.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from benchmarks.common.cards import model_facts
from benchmarks.common.options import given_to, parser_of
from benchmarks.common.records import read_records
from benchmarks.common.soup import averaged
from benchmarks.page.prompts import carried_of, sets_of
from benchmarks.prompts.measure import untrained
from napari_unet_seg.models import OWN, PROMPT_NETWORK
from napari_unet_seg.models.header import read_header
from napari_unet_seg.nn.build import build_net
from napari_unet_seg.nn.checkpoint import save_checkpoint

CARD = """\
# The prompt network

**Not for clinical use.** It outlines what a person points at on a slice of brain MRI: a click or a
stroke inside, one outside, a box, a loose line around it. *Point* and *Carry* in the window ask it,
`napari-unet-seg refine`, and programs by `engine.refine`.

| property | value |
|---|---|
| network | U-Net, width {width}, depth {depth}, {parameters:,} weights, half precision |
| input | a window of at most {image_size}×{image_size} pixels around the prompts; percentiles \
{low:g} and {high:g} of the scan become black and white; four maps beside it: inside, outside, \
box, the mask so far |
| output | the mask of the one object that is meant |
| training data | slices of BRISC 2025 (Fateh et al., CC BY 4.0), its training part; synthetic \
heads drawn from label maps in random contrasts with grown lesions; on all of them also \
superpixels, so that it follows prompts for anything |
| training | 3,500 steps of 16 windows of 160×160 from the bundled model's weights with many \
superpixels and parts of lesions as targets, then 3,000 with whole lesions, also ones with cores, \
cysts and patches, Adam at 0.001, falling to nothing over the last third; then {steps:,} on real \
slices alone (`--lesions --rate 0.0007`), so that a click means the whole lesion, and the mean of \
the weights before and after these; a moving average of the weights (0.998); one to three \
simulated prompts, then up to three rounds in which its own answer is corrected |
| held out | a fixed fifth of BRISC; heads that were never drawn from; all of LGG and BraTS |
| train it again | `python -m benchmarks.prompts.cache DATA`, `python -m benchmarks.prompts.train \
runs/prompts-cache`, again with `--start` and `--lesions`, then `python -m \
benchmarks.prompts.bundle` |

## How well it is understood

Mean Dice on held-out slices after clicks into the middle of the largest error, each off by a normal
deviate of two pixels; after one box with careless sides; the clicks to a Dice of 0.90, ten where
ten do not suffice; the share of clicks that lower the Dice by more than 0.005.

{sets}
One prompt on the largest slice, or three on three, carried through whole scans, Dice of the volume:

{carried}
## The worst slices

The twenty slices of each set with the lowest Dice after one click, by `python -m
benchmarks.prompts.worst`, show:

- BRISC: tumours as dark as the fluid around them, and cavities below the skull; labels of several
  parts, of which a click takes one.
- LGG FLAIR: mottled lesions with a cyst or a faint rim, of which the click takes one part; at the
  ends of a stack a few pixels of lesion, for which it takes the gyrus around them.
- BraTS: one patient with a cavity. A click into the cavity takes the cavity, one into the rim the
  rim.
- Heads, structures: mostly the cortex or the white matter of a hemisphere, of which one click takes
  a gyrus; nothing in a single click says that all of it is meant.
- Heads, lesions: specks of a few pixels beside a structure of the same grey, which is taken
  instead.

## Known failures

- Of a large or mottled lesion the first click may take a part only: a click into a cyst takes the
  cyst, not the bright rim around it. A box takes all of it.
- Thin, winding and very faint structures need more prompts than round ones.
- Carried through a volume it stops early where a lesion changes its grey from slice to slice.
- It sees one slice of one sequence at a time.
- Of the data sets only BRISC and LGG name many people; the BraTS figures are of one patient.
"""


def put(checkpoint: Path, other: Path | None, target: Path) -> None:
    """Write a checkpoint's weights, or their mean with another one's, in half precision."""
    info, net = averaged(checkpoint, other)
    save_checkpoint(target, net, info, dtype=torch.float16)


def card(model: Path, record: dict[str, Any]) -> str:
    """The card, of the file's header and the measured figures."""
    info = read_header(model)
    parameters = sum(p.numel() for p in build_net(info.model).parameters())
    return CARD.format(
        **model_facts(info, parameters),
        steps=info.epoch,
        sets=sets_of(record),
        carried=carried_of(record),
    )


EMPTY = {"sets": {}, "carried": {}}


def main() -> None:
    parser = parser_of(__doc__, "CHECKPOINT", ["weights", "card"])
    parser.add_argument("--average", help="checkpoint to average with, or bundled")
    with given_to(parser) as given:
        if given.smoke:
            put(untrained(given.scratch), None, given.scratch / "half.safetensors")
            card(given.scratch / "half.safetensors", EMPTY)
        elif given.action == "weights":
            other = PROMPT_NETWORK if given.average == "bundled" else given.average
            put(given.folder, other and Path(other), PROMPT_NETWORK)
        else:
            record = next(r for r in read_records("prompts") if r["name"] == "bundled")
            OWN["prompts"].card.write_text(card(PROMPT_NETWORK, record), encoding="utf-8")


if __name__ == "__main__":
    main()
