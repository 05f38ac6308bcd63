"""The any-sequence model's card, written from its scores."""

from __future__ import annotations

from typing import Any

from benchmarks.common.cards import model_facts
from benchmarks.common.records import read_records

Figures = dict[str, Any]

CARD = """\
# The any-sequence model

**Not for clinical use.** It outlines brain tumours on MRI slices of other sequences than
contrast-enhanced T1, FLAIR above all, so that an annotator has something to correct. On
contrast-enhanced T1 of BRISC the bundled model has a slightly higher Dice.

| property | value |
|---|---|
| network | U-Net, width {width}, depth {depth}, {parameters:,} weights, half precision |
| input | {grey_slice} |
| output | one category, `tumour` |
| training data | {train} slices of BRISC 2025 (Fateh et al., CC BY 4.0), T1 contrast-enhanced, \
half of them in other contrasts, some with another look of their tumours; synthetic heads with \
lesions, drawn as usual sequences show them (label maps of SynthSeg, Billot et al. 2023, \
Apache-2.0) |
| held out | a fixed fifth of BRISC ({valid} slices); heads that were never drawn from; all of LGG \
and BraTS |
| training | {steps:,} steps of 12 slices from the bundled model's weights, half of them \
synthetic, with a cosine from 0.0005, in 65 minutes of one core of a server processor with \
AVX-512 bfloat16; then the mean of the weights before and after (a model soup, Wortsman et al. \
2022) |
| train it again | `python -m benchmarks.prompts.cache DATA CACHE --usual 100`, \
`python -m benchmarks.bundled.train_sequences CACHE --steps 4000 --rate 5e-4 --synthetic 0.5`, \
then `python -m benchmarks.bundled.bundle_sequences DATA --cache CACHE` |

## On scans that nothing was learnt on

That the mean is taken, with equal shares, was decided on FLAIR of twelve other patients, the tuning
ones of LGG: 0.520 with the bundled model, 0.556 with the mean, 0.553 with the later weights alone.
800 more steps at a rate of 0.0002 brought them to 0.560 there and cost 0.025 on BRISC.

| mean Dice | bundled model | any-sequence model |
|---|---|---|
{rows}

BraTS is one patient, with a cavity; LGG are twelve, all slices of each together, as the networks
find them. *Carry*, the default for volumes, makes {carried[0]:.3f} and {carried[1]:.3f} of it. Of
heads that were never drawn from, these slices have a mask where none belongs:

| slices | bundled model | any-sequence model |
|---|---|---|
{marked}

## On the held-out fifth of BRISC

| {slices} slices with a tumour | score |
|---|---|
| Dice per slice, mean | **{dice:.3f}** (95 % interval {dice_interval[0]:.3f}–\
{dice_interval[1]:.3f}, bootstrap over slices) |
| Dice per slice, median | {median:.3f} |
| lesions missed altogether | {missed:.1%} |
{groups}
| healthy slices with a false positive | {false} of {healthy} |
| predicted and measured Dice, all slices | correlation {predicted[pearson]:.2f} (Pearson), \
{predicted[spearman]:.2f} (ranks); they differ by {predicted[mean_error]:.2f} on average |

## The worst slices

The twenty slices of each set with the lowest Dice, and those with the largest masks where nothing
is to be found, by `python -m benchmarks.sheets.worst --model any-sequence`:

- BRISC: on all the tumour is missed, and on thirteen nothing is marked. Sixteen are gliomas, dark
  or as grey as the tissue around them, four meningiomas, three of them at the skull base. What is
  marked instead is the pituitary and what lies beside it, a choroid plexus, or tissue next to the
  tumour.
- Healthy slices of BRISC, eight: vessels in a lateral fissure (two, of one head), tissue and fluid
  between the front horns of the ventricles (two, one of them of a CT), what lies above the sella,
  and specks.
- LGG FLAIR: on all the lesion is missed and on nineteen nothing is marked, large and bright lesions
  among them; they are of six of the twelve patients, and mostly of four.
- LGG FLAIR without a lesion: the medulla and the spinal cord (four), the sella and the clivus
  (four), slices next to the lesion, some of them with a bright patch that is not annotated (four),
  the vermis behind the fourth ventricle (three), the top of the head (three), a tongue, a bone.
- BraTS: on the twenty the cavity and its bright rim are missed. Without a lesion the tip of a
  temporal lobe is marked, and in T1 with contrast the medulla.
- Drawn healthy heads: the cerebellum and the brain stem on sagittal slices (half of them), deep
  grey matter on coronal ones, bright fluid below the brain, the neck, the top of the head. Of heads
  with many lesions five slices with bright deep grey matter or ventricles.

## Known failures

- Real slices it has learnt on are T1 with contrast alone; of FLAIR, T2 and T1 it has seen drawings.
  On real scans it was measured on T1 with contrast and on FLAIR, not on T2 or plain T1.
  A round of fine-tuning on ten patients of your own gains more than this model does.
- Large, diffuse lesions and those around a cavity are found in part or not at all.
- Of healthy drawn heads a fourth have a mask, as with the bundled model: bright ventricles, the
  pons, the cerebellum on sagittal slices and what is below the skull are taken for a lesion.
- The predicted Dice is calibrated on T1 with contrast; elsewhere it is too high.
- It sees single slices; a lesion can flicker from slice to slice of a volume.
"""
DICE = ("BRISC", "gliomas", "inverted", "LGG FLAIR", "BraTS FLAIR, whole", "BraTS T1c, core")
MARKED = ("healthy heads", "heads with many lesions")


def render(info: Any, parameters: int, on_brisc: Figures, before: Figures, found: Figures) -> str:
    """Fill in the card; what `accuracy.sequences` tells of the model before, and of this one."""
    rows = [
        f"| {name} | {before[name]:.3f} | {found[name]:.3f} |" for name in DICE if name in found
    ]
    marked = [f"| {name} | {_of(before[name])} | {_of(found[name])} |" for name in MARKED]
    groups = [f"| Dice, {name} | {dice:.3f} |" for name, dice in on_brisc["groups"].items()]
    return CARD.format(
        **on_brisc | model_facts(info, parameters) | {"groups": "\n".join(groups)},
        train=info.summary["train"],
        valid=info.summary["valid"],
        steps=info.epoch,
        rows="\n".join(rows),
        marked="\n".join(marked),
        carried=[_carried(name) for name in ("bundled", "any-sequence")],
    )


def _carried(name: str) -> float:
    """Dice of LGG's carried masks, as `accuracy.volumes` has measured it last."""
    record = next(r for r in read_records("volumes") if r["name"] == name)
    return float(record["sets"]["LGG FLAIR"]["large parts carried"]["dice"])


def _of(counted: list[int]) -> str:
    return f"{counted[0]} of {counted[1]}"
