"""A network that takes prompts, trained from the form and asked by Point."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import tifffile

from napari_unet_seg import engine
from napari_unet_seg._napari.segment.chosen_model import POINT, SEGMENT
from napari_unet_seg._napari.tools.prompt_network import PromptNetwork
from napari_unet_seg._napari.train.widget import TrainWidget
from napari_unet_seg.config import PredictConfig
from napari_unet_seg.data.prompts.simulation import click_maps
from napari_unet_seg.io.common.scan import Scan
from napari_unet_seg.models import BUNDLED
from napari_unet_seg.models.header import read_header

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pytestqt.qtbot import QtBot


def squares(folder: Path) -> Path:
    """Write a data set of four noisy slices, each with a square of two categories."""
    random = np.random.default_rng(0)
    for split, count in (("train", 4), ("valid", 2)):
        for kind in ("images", "masks"):
            (folder / split / kind).mkdir(parents=True)
        for i in range(count):
            mask = np.zeros((32, 32), np.uint8)
            mask[4 : 12 + i, 4:14], mask[18 : 26 + i, 16:28] = 1, 2
            image = (mask > 0) * 120 + random.integers(1, 60, mask.shape)
            tifffile.imwrite(folder / split / "images" / f"{split}{i}.tif", image.astype(np.uint8))
            tifffile.imwrite(folder / split / "masks" / f"{split}{i}.tif", mask)
    return folder


def test_a_network_that_takes_prompts_is_trained_and_used_in_point(
    qtbot: QtBot, dock: Callable[[type], Any], tmp_path: Path, notifications: list[str]
) -> None:
    widget: TrainWidget = dock(TrainWidget)
    widget.source.folder.setValue(squares(tmp_path / "squares"))
    widget.output.setValue(tmp_path / "run")
    small = {"epochs": 1, "batch_size": 2, "image_size": 32, "threads": 1, "device": "cpu"}
    small |= {"model.width": 4, "model.depth": 2, "model.prompts": True}
    for name, value in small.items():
        widget.form.editor(name).value = value
    widget.start_button.click()
    assert widget.use_button.isHidden()
    qtbot.waitUntil(lambda: not widget.panel.running)
    best = tmp_path / "run" / "best.safetensors"
    assert (read_header(best).model.prompts, read_header(best).model.classes) == (True, 1)
    assert widget.use_button.text() == "Use in Point" and not widget.use_button.isHidden()
    widget.use_button.click()
    assert (POINT.current(), SEGMENT.current()) == (best, BUNDLED)
    assert notifications[-1].startswith("Point and Carry now ask run")

    image = tifffile.imread(tmp_path / "squares" / "valid" / "images" / "valid0.tif")
    truth = tifffile.imread(tmp_path / "squares" / "valid" / "masks" / "valid0.tif") == 1
    scan, maps = Scan(image, "YX"), click_maps(truth)[:3]
    *_, expected = engine.refine(PredictConfig(device="cpu"), best, scan, maps)
    network = PromptNetwork()
    found = network.find(best, scan, (), maps, np.zeros_like(truth))
    network.close()
    np.testing.assert_array_equal(found[expected.window], expected.mask)
