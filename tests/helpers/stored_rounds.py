"""Rounds of fine-tuning as sessions store them, without any training."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_unet_seg.session.stored.record import Round

if TYPE_CHECKING:
    from napari_unet_seg.session.session import Session


def made_round(**changes: Any) -> Round:
    """Return a round that was good, but for what is changed."""
    figures = {"before": 0.5, "after": 0.6, "train": 3, "held_out": 1, "epochs": 1}
    return Round(**{"number": 1, "checkpoint": "x", "base": "y", **figures, **changes})


def store_round(session: Session, base: Path, **changes: Any) -> Path:
    """Store a round that brought the model it started from; return that model."""
    folder = session.new_round()
    model = Path(shutil.copy(base, folder / "best.safetensors"))
    checkpoint = model.relative_to(session.folder).as_posix()
    place = {"number": int(folder.name), "checkpoint": checkpoint, "base": str(base)}
    session.finish_round(made_round(**place, **changes))
    return model
