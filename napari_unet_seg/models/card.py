"""Model cards (Mitchell et al. 2019, arXiv:1810.03993), from a file or a checkpoint's header."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_unet_seg.models import OWN, own_name
from napari_unet_seg.models.description import model_name
from napari_unet_seg.models.header import read_header

if TYPE_CHECKING:
    from pathlib import Path

    from napari_unet_seg.models.header import CheckpointInfo

_METRICS = {
    "dice": "Dice, mean over held-out slices",
    "iou": "IoU, mean over held-out slices",
    "valid_dice": "Dice on the validation split, of the best epoch",
    "train_loss": "training loss",
}


def card_text(path: Path) -> str:
    """Return a model's card as Markdown.

    Raises
    ------
    CheckpointError
        If the file is not a checkpoint of this package.
    """
    if own := own_name(path):
        return OWN[own].card.read_text(encoding="utf-8")
    info = read_header(path)
    rows = [
        ("file", f"`{path}`"),
        ("network", network(info)),
        ("takes", _sequences(info)),
        ("finds", ", ".join(category.name for category in info.categories)),
        ("training data", str(info.summary.get("source", "unknown"))),
        ("samples", _samples(info)),
        ("epochs", str(info.epoch)),
        *((_METRICS.get(k, k), f"{v:.3f}") for k, v in info.metrics.items()),
        ("fine-tuned from", f"the model with the SHA-256 `{info.parent}`" if info.parent else ""),
        ("written by", f"napari-unet-seg {info.version}"),
    ]
    lines = "".join(f"| {name} | {value} |\n" for name, value in rows if value)
    title = f"# {model_name(path)}\n\n**Not for clinical use.**\n\n"
    return f"{title}| property | value |\n|---|---|\n{lines}"


def network(info: CheckpointInfo) -> str:
    """Return a short description of a network's architecture and size."""
    model = info.model
    kind = {"unet": "U-Net", "vnet": "V-Net"}[model.architecture]
    if model.encoder:
        kind += f" on {model.encoder}"
    size = f"{info.image_size}×{info.image_size}"
    if model.dimensions == 3:
        size = f"{info.patch_slices}×{size}"
    return f"{kind} in {model.dimensions}D, width {model.width}, depth {model.depth}, on {size}"


def _sequences(info: CheckpointInfo) -> str:
    borne = "; any but one may be missing" if info.bears_missing else ""
    return ", ".join(info.sequences) + borne


def _samples(info: CheckpointInfo) -> str:
    counts = [info.summary.get(side) for side in ("train", "valid")]
    if None in counts:
        return ""
    return f"{counts[0]} trained on, {counts[1]} held out"
