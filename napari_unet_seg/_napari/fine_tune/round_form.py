"""The form of the settings of a round, which are remembered."""

from __future__ import annotations

from napari_unet_seg._napari.widgets.form.form import Form
from napari_unet_seg._napari.widgets.settings import recall, remember
from napari_unet_seg.config import FINE_TUNE, TrainConfig
from napari_unet_seg.errors import ConfigError

_BASIC = ("recipe", "epochs", "learning_rate", "batch_size")
_MORE = ("replay", "freeze", "keep_statistics", "augment", "device", "threads", "seed")
_KEY = "fine_tune/config"


class RoundForm(Form[TrainConfig]):
    """Edits the settings of the next round; at first they are those of the last one."""

    def __init__(self) -> None:
        super().__init__(TrainConfig, include=_BASIC, more=_MORE)
        try:
            values = {**FINE_TUNE.model_dump(mode="json"), **recall(_KEY, {})}
            self.setValue(TrainConfig.parse(values, "remembered settings"))
        except ConfigError:
            # Written by another version.
            self.setValue(FINE_TUNE)

    def taken(self) -> TrainConfig:
        """Return the settings for a round that starts now, and remember them.

        Raises
        ------
        ConfigError
            If two values contradict each other.
        """
        config = self.value()
        remember(_KEY, config.model_dump(mode="json"))
        return config
