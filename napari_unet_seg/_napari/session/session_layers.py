"""Conversion between a session and its layers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_unet_seg._napari.layers.colours import adopt_colours, palette_of
from napari_unet_seg._napari.layers.conversion import (
    add_labels,
    categories_for,
    categories_of,
    grid_of,
    scan_from_layer,
    scan_options,
)
from napari_unet_seg._napari.layers.geometry import geometry_of
from napari_unet_seg._napari.layers.images.case import other_sequences, sequence_of
from napari_unet_seg._napari.layers.images.channels import image_layers
from napari_unet_seg._napari.layers.instances import is_instances
from napari_unet_seg._napari.layers.layer_record import (
    CocoImages,
    LayerRecord,
    ModelFile,
    record_in,
    record_of,
)
from napari_unet_seg._napari.layers.locks import locked_of, set_locked
from napari_unet_seg._napari.layers.prediction import predicted_dice_of
from napari_unet_seg._napari.session.other_masks import add_masks, other_masks
from napari_unet_seg._napari.session.slices.contents import unsegmented_slices
from napari_unet_seg._napari.widgets.messages import show_warning
from napari_unet_seg.errors import DataError
from napari_unet_seg.io.coco.source import CocoSource
from napari_unet_seg.io.common.grids.placement import misplacement
from napari_unet_seg.session.stored.case_files import Placement
from napari_unet_seg.session.stored.record import (
    COCO_COPY,
    CocoOrigin,
    LayersRecord,
    Origin,
)
from napari_unet_seg.session.stored.sequences import OtherSequence

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari.layers import Image, Labels, Layer
    from napari.viewer import ViewerModel

    from napari_unet_seg.io.common.scan import Scan
    from napari_unet_seg.session.session import Session
    from napari_unet_seg.session.stored.other_masks import OtherMask

_PLACEMENT = ("scale", "translate", "rotate", "shear")


def session_arguments(image: Image, mask: Labels, layers: Sequence[Layer] = ()) -> dict[str, Any]:
    """Return the arguments of `Session.create` for two layers, except the folder.

    `layers` are all that are open, among them those of the case's other sequences and masks.

    Raises
    ------
    DataError
        If the mask does not belong to the image, or its labels are objects, not categories.
    """
    record = record_of(mask)
    scan = scan_from_layer(image)
    if mask.multiscale or tuple(mask.data.shape) != scan.grid_shape:
        raise DataError(
            f"The mask {mask.name} is on a grid of {_times(mask.data)} and {image.name} is on "
            f"{'×'.join(map(str, scan.grid_shape))}; choose the mask that belongs to the image."
        )
    if apart := misplacement(scan, scan_from_layer(mask)):
        show_warning(f"{mask.name} and {image.name} have one grid, but {apart}.")
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
        "predicted_dice": predicted_dice_of(mask),
        "unsegmented": unsegmented_slices(mask),
        "origin": _origin(image, mask, scan),
        "layers": _layers(image, mask),
        "sequence": sequence_of(image),
        "others": tuple(map(_other_sequence, other_sequences(image, layers))),
        "masks": other_masks(layers, image, mask),
    }


def show_session(
    viewer: ViewerModel,
    session: Session,
    mask: Any,
    whole: Scan | None = None,
    sequences: Sequence[OtherSequence] = (),
    masks: Sequence[OtherMask] = (),
) -> tuple[Image, Labels, list[Layer]]:
    """Add the layers of a session that was opened.

    Parameters
    ----------
    viewer : napari.Viewer
        The viewer that gets the layers.
    session : Session
        The session to show.
    mask : array
        The labels from `session.load_mask`.
    whole : Scan, optional
        The scan with all channels; its other channels are added as hidden layers.
    sequences : sequence of OtherSequence
        The other sequences of the case, which are added as hidden layers.
    masks : sequence of OtherMask
        The other masks of the case, which are added as hidden layers.

    Returns
    -------
    tuple
        The layers of the scan, of the mask, and of the other channels, sequences and masks.
    """
    shown, origin = session.layers, session.origin
    options = _image_options(session, whole)
    of_sequences = [_add_sequence(viewer, each, origin.case) for each in sequences]
    channels = [] if whole is None else _add_others(viewer, whole, session)
    image = viewer.add_image(session.scan.data, **options)
    of_masks = add_masks(viewer, masks, [image, *of_sequences])
    name = shown.mask or f"{image.name} mask"
    model = ModelFile(str(session.checkpoint)) if session.checkpoint else None
    coco = _coco_images(origin.coco, session.folder)
    palette = dict(shown.palette)
    adopt_colours(palette)
    layer = add_labels(
        viewer,
        mask,
        image,
        session.categories,
        name,
        coco=coco,
        model=model,
        order=tuple(palette),
        merged=session.record.merged,
    )
    for value in shown.locked:
        set_locked(layer, value, True)
    return image, layer, [*of_sequences, *channels, *of_masks]


def _image_options(session: Session, whole: Scan | None) -> dict[str, Any]:
    """Return the options of the layer of a scan, which may be a channel of a whole one."""
    shown, origin = session.layers, session.origin
    name = shown.image or session.folder.name
    # A session that was started on a layer has channels only if the layer was RGB.
    record = LayerRecord(case=origin.case, sequence=session.record.scan.sequence)
    coloured = shown.placement is not None
    options = scan_options(session.scan, name, coloured=coloured, record=record)
    options |= _placement(shown.placement)
    if "C" in session.scan.axes and not options["rgb"]:
        raise DataError(
            f"The scan of the session {session.folder.name} has several channels; open one of "
            "them as an image and start a session there."
        )
    if whole is not None:
        record = record_in(options["metadata"])
        record = replace(record, channel=origin.channel, scan=grid_of(whole))
        options["metadata"] = record.as_metadata()
    return options


def _add_sequence(viewer: ViewerModel, own: OtherSequence, case: str) -> Image:
    record = LayerRecord(case=case, sequence=own.name, channel=own.channel)
    options = scan_options(own.scan, own.layer, record=record) | _placement(own.placement)
    return viewer.add_image(own.scan.data, **{**options, "visible": False})


def _add_others(viewer: ViewerModel, whole: Scan, session: Session) -> list[Image]:
    """Add the other channels of a scan with the geometry of the session's channel."""
    name = session.layers.image.rpartition(" · ")[0] or "scan"
    placement = _placement(session.layers.placement)
    return [
        viewer.add_image(data, **{**options, **placement, "visible": False})
        for data, options, _ in image_layers(whole, name)
        if record_in(options["metadata"]).channel not in (None, session.origin.channel)
    ]


def _other_sequence(image: Image) -> OtherSequence:
    channel = record_of(image).channel
    scan, placement = scan_from_layer(image), _placement_of(image)
    return OtherSequence(sequence_of(image), image.name, scan, channel, placement)


def _placement_of(image: Image) -> Placement:
    geometry = geometry_of(image)
    values: dict[str, Any] = {name: np.asarray(geometry[name]).tolist() for name in _PLACEMENT}
    values["affine"] = np.asarray(image.affine.affine_matrix).tolist()
    values["units"] = [str(unit) for unit in image.units]
    return Placement(**values)


def _layers(image: Image, mask: Labels) -> LayersRecord:
    return LayersRecord(
        image=image.name,
        mask=mask.name,
        placement=_placement_of(image),
        locked=tuple(sorted(locked_of(mask))),
        palette=tuple(palette_of(categories_of(mask), record_of(mask).order).items()),
    )


def _origin(image: Image, mask: Labels, scan: Scan) -> Origin:
    images = record_of(mask).coco
    coco = None
    if images is not None:
        path = str(images.source.path)
        coco = CocoOrigin(path=path, image_ids=images.ids, boxes=images.boxes, drawn=images.drawn)
    path = "" if scan.path is None else str(scan.path)
    record = record_of(image)
    return Origin(scan=path, channel=record.channel, coco=coco, case=record.case)


def _coco_images(origin: CocoOrigin | None, folder: Path) -> CocoImages | None:
    """Return the COCO images for the record of a mask's layer."""
    if origin is None:
        return None
    source = CocoSource(Path(origin.path), copy=folder / COCO_COPY)
    return CocoImages(source, tuple(origin.image_ids), origin.boxes, origin.drawn)


def _placement(stored: Placement | None) -> dict[str, Any]:
    if stored is None:
        return {}
    return {name: value if name == "units" else np.asarray(value) for name, value in stored}


def _existing(path: Any) -> Path | None:
    return Path(path) if path and Path(path).is_file() else None


def _times(data: Any) -> str:
    return "×".join(map(str, data.shape))
