"""The models in use: the one of Segment, and the network that Point and Carry ask."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from psygnal import Signal

from napari_unet_seg._napari.widgets.settings import recall, remember
from napari_unet_seg.config import PredictConfig
from napari_unet_seg.errors import CheckpointError, ConfigError
from napari_unet_seg.io.common.stacking import listed
from napari_unet_seg.models import AUTOMATIC, OWN, PROMPT_NETWORK, own_name
from napari_unet_seg.models.header import read_header

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_unet_seg.models.header import CheckpointInfo

_MAX_RECENT = 10


class ChosenModel:
    """The checkpoint that is used in one place, remembered with those used or trained recently.

    Parameters
    ----------
    place : str
        Name of the place.
    keys : tuple of str
        Keys of the settings with the checkpoint, and with the recent ones.
    own : tuple of Path
        The package's models for the place; the first one is used until another is chosen.
    misfit : callable
        Returns why a model cannot be used in the place, as the end of a sentence; empty if it can.
    """

    chosen = Signal(object)
    """Emitted with the path of the checkpoint that is used next."""

    def __init__(
        self,
        place: str,
        keys: tuple[str, str],
        own: tuple[Path, ...],
        misfit: Callable[[CheckpointInfo], str],
    ) -> None:
        self.place, self.own = place, own
        self._key, self._recent_key = keys
        self.misfit = misfit
        self.path: Path | None = None
        """The checkpoint that is used; None until it is first asked for."""
        self.is_made = False
        """Whether the user has chosen a model since napari started, an own one included."""

    def current(self) -> Path:
        """Return the checkpoint that is used.

        At first this is the one that was used last, before napari was closed; the package's if
        there was none or its file is gone.
        """
        if self.path is None:
            # A model of the package is another file in another installation: its name is stored.
            last = recall(self._key, "")
            own = OWN[last].file if last in OWN else self.own[0]
            self.path = Path(last) if last and os.path.isfile(last) else own
        return self.path

    def choose(self, path: Path) -> None:
        """Use a checkpoint that the user has chosen, and list it among the recent models."""
        self.is_made = True
        self.use(path)

    def use(self, path: Path) -> None:
        """Use a checkpoint that the user has not chosen, and list it among the recent models."""
        self.add_recent(path)
        remember(self._key, own_name(path) or str(path))
        if path != self.current():
            self.path = path
            self.chosen.emit(path)

    def add_recent(self, path: Path) -> None:
        """List a checkpoint among the recent models without using it."""
        if not own_name(path):
            others = [str(p) for p in self.recent() if p != path]
            remember(self._recent_key, [str(path), *others][:_MAX_RECENT])

    def recent(self) -> tuple[Path, ...]:
        """Return the recently used or trained checkpoints that still exist, the newest first."""
        return tuple(path for path in map(Path, recall(self._recent_key, [])) if path.is_file())

    def check(self, path: Path) -> None:
        """Raise CheckpointError if a file cannot be read, or its model not be used here."""
        if misfit := self.misfit(read_header(path)):
            raise CheckpointError(f"The model {path} {misfit}")


def _not_in_segment(info: CheckpointInfo) -> str:
    if info.model.prompts:
        return (
            "takes prompts and finds nothing by itself; choose it as Network below Point, in the "
            "tab Tools."
        )
    return ""


def _not_in_point(info: CheckpointInfo) -> str:
    if not info.model.prompts:
        return "takes no prompts; choose a network that was trained with prompts."
    if info.model.dimensions == 3:
        return "takes prompts in volumes; choose a network of slices, on which Point gives them."
    if len(info.sequences) > 1:
        return (
            f"looks at {listed(info.sequences)} together; choose a network of one sequence, as "
            "Point shows it."
        )
    return ""


SEGMENT = ChosenModel("Segment", ("model", "recent_models"), AUTOMATIC, _not_in_segment)
POINT = ChosenModel(
    "Point", ("point/network", "point/recent_networks"), (PROMPT_NETWORK,), _not_in_point
)

model_chosen = SEGMENT.chosen
current_model, choose_model, use_model = SEGMENT.current, SEGMENT.choose, SEGMENT.use


def is_model_chosen() -> bool:
    """Whether the user has chosen a model of Segment since napari started."""
    return SEGMENT.is_made


def last_config() -> PredictConfig:
    """Return the settings of the last prediction; the defaults if another version wrote them."""
    try:
        return PredictConfig.parse(recall("predict", {}), "the remembered settings")
    except ConfigError:
        return PredictConfig()
