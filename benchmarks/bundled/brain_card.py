"""The brain model's card, written from its scores."""

from __future__ import annotations

from typing import Any

from benchmarks.common.cards import model_facts

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
There are no masks of real brains to measure it by; sheets of its answers were looked at.

- Axial slices above the skull base, of T1 with contrast, FLAIR and T1, and slices that were
  stripped: the brain is covered, and the scalp is left out.
- Axial slices at the skull base and coronal slices: mostly right; now and then the jaw, muscles or
  the nose are taken for brain.
- **Sagittal slices: nose, tongue or jaw are taken for brain on about half.** Label maps hold the
  face as large even parts, unlike real ones.
- A dark cyst or cavity at the edge of a stripped brain is left out.

As *Inside brain* it raises the bundled model's Dice of twelve patients' FLAIR from 0.544 to 0.551,
and the slices without a lesion that have a mask are 17 instead of 24 of 273.
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
        real=REAL.strip(),
    )
