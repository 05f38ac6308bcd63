"""The bundled model's card, written from its scores."""

from __future__ import annotations

from typing import Any

from benchmarks.common.cards import model_facts

CARD = """\
# The bundled model

**Not for clinical use.** It outlines brain tumours on T1-weighted, contrast-enhanced MRI slices, so
that an annotator has something to correct.

| property | value |
|---|---|
| network | U-Net, width {width}, depth {depth}, {parameters:,} weights, half precision |
| input | {grey_slice} |
| output | one category, `tumour` |
| training data | {train} slices of BRISC 2025 (Fateh et al., CC BY 4.0), T1 contrast-enhanced, \
axial, coronal and sagittal: glioma, meningioma, pituitary tumour, and healthy slices; masks at \
256×256 |
| held out | a fixed fifth ({valid} slices); slices that correlate above 0.98 with one another in \
any of eight orientations stand on one side |
| training | five runs of 22, 22, 14, 12 and {epochs} epochs, each from the weights of the one \
before: batches of {batch_size}, Adam with cosines from 0.002, three times 0.001, and \
{learning_rate:g}, Dice + BCE, from the second on a moving average of the weights ({ema:g}); \
augmented by shifts, small rotations, zoom, mirroring and gamma, from the second on also by \
bending, bias fields, noise and blur, and but for the fourth by quarter turns, inversion and \
skull-stripping, each with a chance of {probability:g}; in the third and the last every healthy \
slice {healthy_times} times an epoch; then the mean of the third's and the last's weights (a model \
soup, Wortsman et al. 2022); {machine} |
| retrain it | `python -m benchmarks.bundled.train_bundled train FOLDER --run runs/first`, then \
`train FOLDER --run runs/second --init runs/first --epochs 22`, `train FOLDER --run runs/third \
--init runs/second --epochs 14` and `measure FOLDER --run runs/third`; \
`python -m benchmarks.accuracy.brisc train FOLDER --name best`; `train FOLDER --run runs/fourth \
--init runs/brisc/best --epochs 6 --rate 5e-4` and `measure FOLDER --run runs/fourth --average \
runs/third` |

## On the held-out fifth

The weights are of the last epochs. That the mean of two runs is taken rather than either was
decided on a third of these slices, where it was the best of the three: 0.814, 0.810 and 0.799.

| {slices} slices with a tumour | score |
|---|---|
| Dice per slice, mean | **{dice:.3f}** (95 % interval {interval[0]:.3f}–{interval[1]:.3f}, \
bootstrap over slices) |
| Dice per slice, median | {median:.3f} |
| IoU per slice, mean | {iou:.3f} |
| Dice of all pixels together | {pooled:.3f} |
| lesions missed altogether | {missed:.1%} |
{groups}
| healthy slices with a false positive | {false} of {healthy} |
| averaged with the mirror image (`views: mirrored`) | Dice {mirrored[dice]:.3f}, missed \
{mirrored[missed]:.1%}, false positives {mirrored[false]} of {healthy} |
| predicted and measured Dice, all slices | correlation {predicted[pearson]:.2f} (Pearson), \
{predicted[spearman]:.2f} (ranks); they differ by {predicted[mean_error]:.2f} on average |

## The worst slices

The twenty slices of each set with the lowest Dice, and those with the largest masks where nothing
is to be found, by `python -m benchmarks.sheets.worst`:

- BRISC: on all twenty the tumour is missed, and on sixteen nothing is marked. Fourteen are gliomas,
  as grey as the tissue around them or dark: without contrast, or a cavity. The others are
  meningiomas of the skull base as grey as the temporal lobe beside them, two of them mirrored
  copies, and masses of the pituitary at a bright skull base. Where something is marked, it is the
  pituitary, what lies beside it, or a choroid plexus.
- Healthy slices of BRISC, six: vessels in a lateral fissure (two, of one head), the half of a
  cerebellum that shines, what lies above the sella, and specks between the front horns of the
  ventricles (two, one of them of a CT).
- LGG FLAIR: large lesions of six of the twelve patients, bright ones too, on which nothing is
  marked.
- LGG FLAIR without a lesion: half are at the top of the head, where the brain or the scalp above it
  is outlined as a whole; the others show the clivus and the sella, the medulla, and tissue around
  the fourth ventricle.
- BraTS: the cavity and its bright rim are missed on all. Without a lesion it marks the tip of a
  temporal lobe, the medulla, and the top of the brain.
- Drawn healthy heads: the brain stem and the cerebellum, on sagittal slices above all, the neck,
  the top of the head, bright cisterns, and the last pieces of a stripped brain. Of heads with many
  lesions two slices of bright deep grey matter, and a speck.

## Known failures

- It knows one kind of image: T1 with contrast. FLAIR, T2 and CT give nonsense.
- Skull-stripped heads it has seen only as heads whose bright rim was taken away.
- It sees single slices; a lesion can flicker from slice to slice of a volume.
- Small and weakly enhancing lesions are missed, and bright vessels, sinuses and the falx are
  sometimes taken for one.
- The data set names no patients: slices of one patient may stand on both sides of the split, as
  long as they are not near-copies, which flatters the scores.
"""


def render(
    info: Any, parameters: int, figures: dict[str, Any], healthy_times: int, machine: str
) -> str:
    """Fill in the card."""
    options = info.summary["options"]
    groups = "\n".join(f"| Dice, {k} | {v:.3f} |" for k, v in figures["groups"].items())
    return CARD.format(
        **model_facts(info, parameters),
        train=info.summary["train"],
        valid=info.summary["valid"],
        epochs=info.epoch,
        batch_size=options["batch_size"],
        learning_rate=options["learning_rate"],
        ema=options["ema"],
        probability=options["augment"]["probability"],
        healthy_times=healthy_times,
        machine=machine,
        slices=figures["slices"],
        dice=figures["dice"],
        iou=figures["iou"],
        interval=figures["dice_interval"],
        median=figures["median"],
        pooled=figures["pooled"],
        missed=figures["missed"],
        groups=groups,
        healthy=figures["healthy"],
        false=figures["false"],
        mirrored=figures["mirrored"],
        predicted=figures["predicted"],
    )
