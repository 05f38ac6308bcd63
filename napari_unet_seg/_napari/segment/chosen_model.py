"""The model that Segment uses: chosen there, or by a training that has finished."""

from __future__ import annotations

from pathlib import Path

from psygnal import Signal

from napari_unet_seg._napari.widgets.settings import recall, remember
from napari_unet_seg.config import PredictConfig
from napari_unet_seg.errors import ConfigError
from napari_unet_seg.models import BUNDLED

_MOST_RECENT = 10


class _Choice:
    chosen = Signal(object)

    def __init__(self) -> None:
        self.path = BUNDLED
        self.made = False


_CHOICE = _Choice()
model_chosen = _CHOICE.chosen
"""Emitted with the path of the checkpoint that is used from now on."""


def current_model() -> Path:
    """Checkpoint that Segment uses; the bundled one until another is chosen."""
    return _CHOICE.path


def was_chosen() -> bool:
    """Whether any model was chosen since napari started, be it the bundled one."""
    return _CHOICE.made


def choose_model(path: Path) -> None:
    """Use a checkpoint from now on, as is wished, and list it among the recent ones."""
    _CHOICE.made = True
    take_up_model(path)


def take_up_model(path: Path) -> None:
    """Use a checkpoint until another one is chosen, or taken up, and list it."""
    add_recent_model(path)
    if path != _CHOICE.path:
        _CHOICE.path = path
        _CHOICE.chosen.emit(path)


def remembered_config() -> PredictConfig:
    """Return how Segment predicted last; the defaults if another version wrote that."""
    try:
        return PredictConfig.parse(recall("predict", {}), "the remembered settings")
    except ConfigError:
        return PredictConfig()


def add_recent_model(path: Path) -> None:
    """List a checkpoint among the recent ones without choosing it."""
    if path != BUNDLED:
        others = [str(p) for p in recent_models() if p != path]
        remember("recent_models", [str(path), *others][:_MOST_RECENT])


def recent_models() -> tuple[Path, ...]:
    """Checkpoints used or trained lately that are still there, the newest first."""
    return tuple(path for path in map(Path, recall("recent_models", [])) if path.is_file())
