"""The brain model's card, written from its scores."""

from __future__ import annotations

from typing import Any

from benchmarks.common.cards import model_facts
from benchmarks.common.records import read_records

CARD = """\
# The brain model

**Not for clinical use.** It outlines the brain on head MRI of any contrast: as a mask of its own,
and for the option *Inside brain* of other models.

| property | value |
|---|---|
| network | U-Net, width {width}, depth {depth}, {parameters:,} weights, half precision |
| input | one grey slice in any direction, scaled so that its longer side is {image_size} pixels; \
percentiles {low:g} and {high:g} become black and white |
| output | one category, `brain`: all that lies within the skull, tissue, lesions, ventricles and \
the fluid around the brain, as far as it is seen |
| training data | synthetic heads drawn from 17 label maps in random contrasts, with lesions, \
with the skull and stripped, in three directions (label maps of SynthSeg, Billot et al. 2023, \
Apache-2.0) |
| training | {steps:,} steps of 8 slices from nothing; Adam at 0.002, falling at the end; a \
moving average of the weights |
| held out | {slices} slices of three heads that were never drawn from |
| train it again | `python -m benchmarks.prompts.cache DATA CACHE`, `python -m \
benchmarks.bundled.train_brain train CACHE`, then `measure CACHE` |

## On held-out synthetic heads

| {slices} slices with a brain | score |
|---|---|
| Dice per slice, mean | **{dice:.3f}** |
| Dice of all slices of a drawing together, mean | {heads:.3f} |
| Dice per slice, median | {median:.3f} |
| Dice of the worst tenth, at most | {worst:.3f} |
{groups}
| slices without a brain that have a mask | {false} of {empty} |

## On real scans

{real}
"""

REAL = """\
There are no masks of real brains to measure it by. Its answers, on the sheets of `python -m
benchmarks.sheets.brain`, were looked at.

- T1 with contrast, axial (BRISC, 32 slices): the brain is covered on 31 and the scalp left out; on
  five at the height of the eyes the orbits are brain too. On one with a large tumour at its edge
  tissue beside the tumour is left out.
- Coronal (32): the brain is covered; on a third the mask goes on into the neck or the orbits, or
  has specks at the shoulders and the lower edge of the picture.
- **Sagittal (32): the brain is covered, but on 22 the tongue, the jaw, the nose or the neck is
  taken for brain too.** Label maps hold the face as large even parts, unlike real ones.
- TumorSeg (32, of all directions, transposed): the brain is covered but for one with wide
  ventricles; face or neck are marked at the edge of the picture on half, and eyes on some.
- FLAIR (LGG, 24 patients), and T1 before and after contrast (two others): from the skull base
  upwards the brain is covered, tumours and cysts with it; now and then a temporal lobe is left out
  at the skull base. Below, one or two slices of a scan, neck muscles and jaw are taken for brain;
  on the last ones at the top the scalp, parts of it, or nothing.
- A stripped head (BraTS, FLAIR and T1 with contrast) across each axis: the brain is covered with
  its cavity; bright meninges around it are in part left out.
- T1 without contrast at the skull base (a DICOM series of 24 slices): brain stem and cerebellum are
  covered on all, the temporal lobes left out, wholly or in part, on most.
"""

INSIDE = """\
As *Inside brain* it raises the bundled model's Dice of FLAIR of twelve patients, without *Carry*,
from {without:.3f} to {dice:.3f},
and the slices without a lesion that have a mask are {marked} instead of {before} of {empty}.
"""


def render(info: Any, parameters: int, figures: dict[str, Any]) -> str:
    """Fill in the card."""
    groups = "\n".join(f"| Dice, {kind} | {d:.3f} |" for kind, d in figures["groups"].items())
    return CARD.format(
        **model_facts(info, parameters),
        steps=info.epoch,
        slices=figures["slices"],
        dice=figures["dice"],
        heads=figures["heads"],
        median=figures["median"],
        worst=figures["worst tenth"],
        groups=groups,
        false=figures["false"],
        empty=figures["empty"],
        real=f"{REAL}\n{_inside()}".strip(),
    )


def _inside() -> str:
    """What the option is worth, as `accuracy.volumes` has measured it last."""
    record = next(r for r in read_records("volumes") if r["name"] == "bundled")
    ways = record["sets"]["LGG FLAIR"]
    before, inside = ways["small parts removed"], ways["and inside the brain"]
    return INSIDE.format(
        without=before["dice"],
        dice=inside["dice"],
        marked=inside["marked"],
        before=before["marked"],
        empty=inside["slices without"],
    )
