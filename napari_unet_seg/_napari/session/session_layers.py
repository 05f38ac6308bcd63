"""Between a session and the layers it is corrected in."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_unet_seg._napari.layers.carried import CocoImages, ModelFile, carried, carried_in
from napari_unet_seg._napari.layers.channels import image_layers
from napari_unet_seg._napari.layers.geometry import geometry_of
from napari_unet_seg._napari.layers.instances import is_instances
from napari_unet_seg._napari.layers.layers import (
    add_labels,
    categories_for,
    grid_of,
    scan_from_layer,
    scan_options,
)
from napari_unet_seg._napari.layers.locks import locked_of, set_locked
from napari_unet_seg._napari.layers.prediction import figures_of
from napari_unet_seg.errors import DataError
from napari_unet_seg.io.coco.source import CocoSource

if TYPE_CHECKING:
    from napari.layers import Image, Labels
    from napari.viewer import ViewerModel

    from napari_unet_seg.io.common.scan import Scan
    from napari_unet_seg.session.session import Session

_PLACEMENT = ("scale", "translate", "rotate", "shear")


def session_of(image: Image, mask: Labels) -> dict[str, Any]:
    """Return the arguments of `Session.create`, all but the folder.

    Raises
    ------
    DataError
        If the mask does not belong to the image, or tells objects apart instead of categories.
    """
    record = carried(mask)
    scan = scan_from_layer(image)
    if mask.multiscale or tuple(mask.data.shape) != scan.grid_shape:
        raise DataError(
            f"The mask {mask.name} is on a grid of {_times(mask.data)} and {image.name} is on "
            f"{'×'.join(map(str, scan.grid_shape))}; choose the mask that belongs to the image."
        )
    if is_instances(mask):
        raise DataError(
            f"The mask {mask.name} has a label for each object; import it with one label per "
            "category."
        )
    return {
        "scan": scan,
        "categories": categories_for(np.asarray(mask.data), record),
        "prediction": mask.data,
        "checkpoint": _existing(record.model.path if record.model else None),
        "predicted_dice": figures_of(mask),
        "extra": _extra(image, mask),
    }


def show_session(
    viewer: ViewerModel, session: Session, mask: Any, whole: Scan | None = None
) -> tuple[Image, Labels, list[Image]]:
    """Add the scan and the mask of a session that was opened again.

    Parameters
    ----------
    viewer : napari.Viewer
        Where they are added.
    session : Session
        Whose scan is shown.
    mask : array
        As `session.load_mask` read it.
    whole : Scan, optional
        What the scan is a channel of; the other channels are added too, hidden.

    Returns
    -------
    tuple
        The scan, the mask, and the other channels.
    """
    extra = session.extra
    name = extra.get("image", session.folder.name)
    # A session that was started on a layer has channels only where the layer was RGB.
    options = scan_options(session.scan, name, coloured="placement" in extra)
    options |= _placement(extra.get("placement", {}))
    if "C" in session.scan.axes and not options["rgb"]:
        raise DataError(
            f"The scan of the session {session.folder.name} has several channels; open one of "
            "them as an image and start a session there."
        )
    if whole is not None:
        record = carried_in(options["metadata"])
        record = replace(record, channel=extra["channel"], scan=grid_of(whole))
        options["metadata"] = record.as_metadata()
    others = [] if whole is None else _add_others(viewer, whole, extra)
    image = viewer.add_image(session.scan.data, **options)
    name = extra.get("mask", f"{image.name} mask")
    model = ModelFile(str(session.checkpoint)) if session.checkpoint else None
    layer = add_labels(
        viewer, mask, image, session.categories, name, coco=_coco_images(extra), model=model
    )
    for value in extra.get("locked", ()):
        set_locked(layer, value, True)
    return image, layer, others


def _add_others(viewer: ViewerModel, whole: Scan, extra: dict[str, Any]) -> list[Image]:
    """Add the channels of a scan but for the one that a session is on, where that lies."""
    name = extra.get("image", "scan").rpartition(" · ")[0] or "scan"
    placement = _placement(extra.get("placement", {}))
    return [
        viewer.add_image(data, **{**options, **placement, "visible": False})
        for data, options, _ in image_layers(whole, name)
        if carried_in(options["metadata"]).channel not in (None, extra["channel"])
    ]


def _extra(image: Image, mask: Labels) -> dict[str, Any]:
    geometry = geometry_of(image)
    placement = {name: np.asarray(geometry[name]).tolist() for name in _PLACEMENT}
    placement["affine"] = np.asarray(image.affine.affine_matrix).tolist()
    placement["units"] = [str(unit) for unit in image.units]
    extra: dict[str, Any] = {"image": image.name, "mask": mask.name, "placement": placement}
    extra["locked"] = sorted(locked_of(mask))
    record, coco = carried(image), carried(mask).coco
    scan = scan_from_layer(image)
    if scan.path is not None:
        extra["source"] = str(scan.path)
    if record.channel is not None:
        extra["channel"] = record.channel
    if coco is not None:
        extra |= {"coco": str(coco.source.path), "image_ids": list(coco.ids), "boxes": coco.boxes}
    return extra


def _coco_images(extra: dict[str, Any]) -> CocoImages | None:
    if "coco" not in extra:
        return None
    source = CocoSource(Path(extra["coco"]))
    return CocoImages(source, tuple(extra["image_ids"]), extra.get("boxes", False))


def _placement(stored: dict[str, Any]) -> dict[str, Any]:
    return {
        name: tuple(value) if name == "units" else np.asarray(value)
        for name, value in stored.items()
    }


def _existing(path: Any) -> Path | None:
    return Path(path) if path and Path(path).is_file() else None


def _times(data: Any) -> str:
    return "×".join(map(str, data.shape))
