"""A model's results as masks on the images of their data set."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari import current_viewer
from napari.layers import Image
from qtpy.QtWidgets import QApplication, QFileDialog

from napari_unet_seg._napari.files.coco.layers import coco_layers
from napari_unet_seg._napari.files.coco.results.dialog import ask_for_results
from napari_unet_seg._napari.files.coco.results.drawing import checksum, draw_results
from napari_unet_seg._napari.layers.conversion import labels_options
from napari_unet_seg._napari.layers.instances import options_of_rows
from napari_unet_seg._napari.layers.layer_record import (
    CocoImages,
    DrawnResults,
    LayerRecord,
    record_in,
)
from napari_unet_seg._napari.widgets.messages import show_warning
from napari_unet_seg._napari.widgets.windows import dialog_parent
from napari_unet_seg.errors import DataError
from napari_unet_seg.io.coco.read import read_coco
from napari_unet_seg.io.coco.results import known_images, results_of

if TYPE_CHECKING:
    from collections.abc import Hashable

    from napari_unet_seg._napari.files.coco.results.dialog import ResultsChoice
    from napari_unet_seg.io.coco.document.parse import ParsedFile
    from napari_unet_seg.io.coco.read import CocoDataset
    from napari_unet_seg.io.coco.results import Results
    from napari_unet_seg.io.common.scan import Scan

LayerData = tuple[Any, dict[str, Any], str]


_GEOMETRY = ("scale", "translate", "rotate", "shear", "affine", "units", "axis_labels")


@dataclass(frozen=True, slots=True, eq=False)
class _Stack:
    """A layer of images of a data set, open or to be opened."""

    name: str
    geometry: dict[str, Any]
    coco: CocoImages
    scan: Scan
    """The images without their pixels."""
    image: Hashable
    """The layer's `unique_id`; None if it is not open."""


def results_layers(file: ParsedFile) -> list[LayerData]:
    """Return masks of the results of a file, after a question for the threshold.

    They are put on the open data set that has most of their images. If none has any, the user is
    asked for the COCO file, whose images and masks are opened too.

    Returns
    -------
    list of LayerData
        Empty if the user cancels.

    Raises
    ------
    DataError
        If the file is no list of results, there is no window to ask in, or no result fits the data
        set.
    """
    path, entries = file.path, file.check("results")
    opened = _open_dataset(entries)
    dataset = opened or _asked_for(path)
    if dataset is None:
        return []
    results = results_of(file, dataset)
    choice = ask_for_results(results, dialog_parent())
    if choice is None:
        return []
    layers = [] if opened else coco_layers(dataset)
    stacks = _open_stacks(dataset) if opened else _new_stacks(layers)
    masks = (_mask(stack, results, choice) for stack in stacks)
    if results.problems:
        listed = "; ".join(" ".join(problem) for problem in results.problems)
        show_warning(f"{path.name}: left out {listed}.")
    return [*layers, *masks]


def _open_dataset(entries: list[Any]) -> CocoDataset | None:
    """Return the open data set that has most images of some results; None if none has any."""
    datasets = [source.dataset() for source in {stack.coco.source for stack in _stacks()}]
    counts = [known_images(entries, dataset) for dataset in datasets]
    return datasets[counts.index(max(counts))] if any(counts) else None


def _asked_for(path: Path) -> CocoDataset | None:
    if QApplication.instance() is None or current_viewer() is None:
        raise DataError(
            f"{path} is a list of a model's results and has no images; open its data set first."
        )
    title = f"Choose the data set of {path.name}"
    kinds = "COCO annotations (*.json)"
    chosen, _ = QFileDialog.getOpenFileName(dialog_parent(), title, str(path.parent), kinds)
    return read_coco(Path(chosen)) if chosen else None


def _stacks() -> list[_Stack]:
    """Return the open layers of images of COCO files."""
    viewer = current_viewer()
    images = [layer for layer in viewer.layers if isinstance(layer, Image)] if viewer else []
    found = (_stack(layer.as_layer_data_tuple()[1], layer.unique_id) for layer in images)
    return [stack for stack in found if stack is not None]


def _stack(options: dict[str, Any], image: Hashable = None) -> _Stack | None:
    record = record_in(options["metadata"])
    if record.coco is None or record.scan is None:
        return None
    geometry = {key: options[key] for key in _GEOMETRY if key in options}
    return _Stack(options["name"], geometry, record.coco, record.scan, image)


def _open_stacks(dataset: CocoDataset) -> list[_Stack]:
    """Return the layers of a data set; of copies of a layer the first."""
    found: dict[Any, _Stack] = {}
    for stack in _stacks():
        if stack.coco.source.path == dataset.path:
            found.setdefault(stack.coco.ids, stack)
    return list(found.values())


def _new_stacks(layers: list[LayerData]) -> list[_Stack]:
    found = (_stack(options) for _, options, kind in layers if kind == "image")
    return [stack for stack in found if stack is not None]


def _mask(stack: _Stack, results: Results, choice: ResultsChoice) -> LayerData:
    """Draw results on the grid of a stack, and return them as a layer."""
    name = f"{stack.name} · {results.path.stem}"
    ids, categories = stack.coco.ids, results.dataset.categories
    drawn = draw_results(results, ids, stack.scan.grid_shape[1:], choice)
    record = LayerRecord(
        coco=CocoImages(stack.coco.source, ids, choice.boxes),
        scan=stack.scan,
        independent=True,
        names=stack.scan.names,
        image=stack.image,
        results=DrawnResults(results, choice.threshold, checksum(drawn.labels)),
    )
    if choice.values == "instances":
        options = options_of_rows(drawn.rows, categories, name, record)
    else:
        options = labels_options(categories, name, record)
    return drawn.labels, options | stack.geometry, "labels"
