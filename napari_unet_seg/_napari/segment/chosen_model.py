"""The model that Segment uses: chosen by the user, or produced by a fine-tuning."""

from __future__ import annotations

import os
from pathlib import Path

from psygnal import Signal

from napari_unet_seg._napari.widgets.settings import recall, remember
from napari_unet_seg.config import PredictConfig
from napari_unet_seg.errors import ConfigError
from napari_unet_seg.models import BUNDLED, OWN, own_name

_MAX_RECENT = 10
_LAST = "model"
"""Key for the checkpoint that was used last; of a model of the package, its name."""


class _Choice:
    chosen = Signal(object)

    def __init__(self) -> None:
        self.path: Path | None = None
        """The checkpoint that is used; None until it is first asked for."""
        self.made = False


_CHOICE = _Choice()
model_chosen = _CHOICE.chosen
"""Emitted with the path of the checkpoint that is used next."""


def current_model() -> Path:
    """Return the checkpoint that Segment uses.

    At first this is the one that was used last, before napari was closed; the bundled one if there
    was none or its file is gone.
    """
    if _CHOICE.path is None:
        last = recall(_LAST, "")
        own = OWN[last].file if last in OWN else BUNDLED
        _CHOICE.path = Path(last) if last and os.path.isfile(last) else own
    return _CHOICE.path


def is_model_chosen() -> bool:
    """Whether the user has chosen a model since napari started, the bundled one included."""
    return _CHOICE.made


def choose_model(path: Path) -> None:
    """Use a checkpoint that the user has chosen, and list it among the recent models."""
    _CHOICE.made = True
    use_model(path)


def use_model(path: Path) -> None:
    """Use a checkpoint that the user has not chosen, and list it among the recent models."""
    add_recent_model(path)
    # A model of the package is another file in another installation.
    remember(_LAST, own_name(path) or str(path))
    if path != current_model():
        _CHOICE.path = path
        _CHOICE.chosen.emit(path)


def last_config() -> PredictConfig:
    """Return the settings of the last prediction; the defaults if another version wrote them."""
    try:
        return PredictConfig.parse(recall("predict", {}), "the remembered settings")
    except ConfigError:
        return PredictConfig()


def add_recent_model(path: Path) -> None:
    """List a checkpoint among the recent models without using it."""
    if not own_name(path):
        others = [str(p) for p in recent_models() if p != path]
        remember("recent_models", [str(path), *others][:_MAX_RECENT])


def recent_models() -> tuple[Path, ...]:
    """Return the recently used or trained checkpoints that still exist, the newest first."""
    return tuple(path for path in map(Path, recall("recent_models", [])) if path.is_file())
