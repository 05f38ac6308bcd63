"""Between a session and the layers it is corrected in."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_unet_seg._napari.files.writer import categories_for
from napari_unet_seg._napari.layers.channels import image_layers
from napari_unet_seg._napari.layers.geometry import (
    converted,
    geometry_of,
    point_of,
    reaches,
    world_units,
)
from napari_unet_seg._napari.layers.instances import is_instances
from napari_unet_seg._napari.layers.layers import (
    METADATA_KEY,
    add_labels,
    grid_of,
    metadata_of,
    scan_from_layer,
    scan_options,
)
from napari_unet_seg._napari.layers.locks import locked_of, set_locked
from napari_unet_seg._napari.layers.prediction import is_untouched
from napari_unet_seg.errors import DataError

if TYPE_CHECKING:
    from napari.layers import Image, Labels
    from napari.viewer import ViewerModel

    from napari_unet_seg.io.common.scan import Scan
    from napari_unet_seg.session.session import Session

_PLACEMENT = ("scale", "translate", "rotate", "shear")
_COCO = ("coco", "image_ids", "boxes")


def session_of(image: Image, mask: Labels) -> dict[str, Any]:
    """Return the arguments of `Session.create`, all but the folder.

    Raises
    ------
    DataError
        If the mask does not belong to the image, or tells objects apart instead of categories.
    """
    known = metadata_of(mask)
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
    model = known.get("checkpoint") or {}
    return {
        "scan": scan,
        "categories": categories_for(np.asarray(mask.data), known),
        "prediction": mask.data,
        "checkpoint": _existing(model.get("path")),
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
    known = {key: extra[key] for key in _COCO if key in extra}
    if "C" in session.scan.axes and not options["rgb"]:
        raise DataError(
            f"The scan of the session {session.folder.name} has several channels; open one of "
            "them as an image and start a session there."
        )
    if whole is not None:
        options["metadata"][METADATA_KEY] |= {"channel": extra["channel"], "scan": grid_of(whole)}
    others = [] if whole is None else _add_others(viewer, whole, extra)
    image = viewer.add_image(session.scan.data, **options)
    name = extra.get("mask", f"{image.name} mask")
    if session.checkpoint:
        known["checkpoint"] = {"path": str(session.checkpoint)}
    layer = add_labels(viewer, mask, image, session.categories, name, known)
    for value in extra.get("locked", ()):
        set_locked(layer, value, True)
    return image, layer, others


def make_editable(mask: Labels) -> None:
    """Let a mask that is read lazily, or must not be written to, be painted on."""
    if not isinstance(mask.data, np.ndarray) or not mask.data.flags.writeable:
        mask.data = np.array(mask.data)


def is_prediction(mask: Labels, place: tuple[int, ...]) -> bool:
    """Whether a slice of a mask is just as Segment left it there."""
    return place in metadata_of(mask).get("predicted", {}) and is_untouched(mask, (place,))


def figures_of(mask: Labels) -> tuple[float | None, ...]:
    """Return the predicted Dice of every slice of a mask, None where it is not known."""
    known = metadata_of(mask).get("predicted_dice", {})
    return tuple(known.get(place) for place in np.ndindex(mask.data.shape[:-2]))


def place_of(viewer: ViewerModel, mask: Labels) -> tuple[int, ...]:
    """Return where the viewer stands along the leading axes of a mask, or next to it."""
    point = point_of(viewer, mask)[:-2]
    sizes = mask.data.shape[:-2]
    return tuple(min(max(round(float(p)), 0), n - 1) for p, n in zip(point, sizes, strict=True))


def volume_axes(mask: Labels) -> int:
    """Return how many axes a volume of a mask has: 2 where its slices are no cuts of a body."""
    return 3 if scan_from_layer(mask).axes[-3:] == "ZYX" else 2


def shows_slice(viewer: ViewerModel) -> bool:
    """Whether the viewer shows slices of the last two axes, not a body or another cut."""
    return sorted(viewer.dims.displayed) == [viewer.dims.ndim - 2, viewer.dims.ndim - 1]


def off_screen(viewer: ViewerModel, layer: Image | Labels) -> str:
    """Say why no slice of a layer is on screen, nothing if one is."""
    if not shows_slice(viewer):
        return "No slice is on screen as a plane; turn the view back."
    if not reaches(viewer, layer):
        return f"No slice of {layer.name} is on screen; go to one of its slices."
    return ""


def place_at(mask: Labels, index: int) -> tuple[int, ...]:
    """Return where a slice lies along the leading axes of a mask."""
    leading = mask.data.shape[:-2]
    return tuple(int(i) for i in np.unravel_index(index, leading)) if leading else ()


def index_of(viewer: ViewerModel, mask: Labels) -> int:
    """Return the slice of a mask that the viewer stands at."""
    place = place_of(viewer, mask)
    return int(np.ravel_multi_index(place, mask.data.shape[:-2])) if place else 0


def go_to(viewer: ViewerModel, mask: Labels, index: int) -> None:
    """Move the viewer to a slice of a mask; the displayed plane stays where it is."""
    leading = mask.data.shape[:-2]
    if not leading:
        return
    place = place_at(mask, index)
    point = point_of(viewer, mask)
    world = mask.data_to_world((*place, *point[-2:]))
    world = converted(world, mask.units, world_units(viewer, mask))
    first = viewer.dims.ndim - mask.ndim
    axes = range(first, first + len(leading))
    viewer.dims.set_point(tuple(axes), tuple(float(w) for w in world[: len(leading)]))


def _add_others(viewer: ViewerModel, whole: Scan, extra: dict[str, Any]) -> list[Image]:
    """Add the channels of a scan but for the one that a session is on, where that lies."""
    name = extra.get("image", "scan").rpartition(" · ")[0] or "scan"
    placement = _placement(extra.get("placement", {}))
    return [
        viewer.add_image(data, **{**options, **placement, "visible": False})
        for data, options, _ in image_layers(whole, name)
        if options["metadata"][METADATA_KEY].get("channel") not in (None, extra["channel"])
    ]


def _extra(image: Image, mask: Labels) -> dict[str, Any]:
    geometry = geometry_of(image)
    placement = {name: np.asarray(geometry[name]).tolist() for name in _PLACEMENT}
    placement["affine"] = np.asarray(image.affine.affine_matrix).tolist()
    placement["units"] = [str(unit) for unit in image.units]
    extra: dict[str, Any] = {"image": image.name, "mask": mask.name, "placement": placement}
    extra["locked"] = sorted(locked_of(mask))
    known = metadata_of(mask)
    scan = scan_from_layer(image)
    if scan.path is not None:
        extra["source"] = str(scan.path)
    if "channel" in metadata_of(image):
        extra["channel"] = metadata_of(image)["channel"]
    if "coco" in known and "image_ids" in known:
        extra |= {"coco": str(known["coco"]), "image_ids": list(known["image_ids"])}
        extra["boxes"] = known.get("boxes", False)
    return extra


def _placement(stored: dict[str, Any]) -> dict[str, Any]:
    return {
        name: tuple(value) if name == "units" else np.asarray(value)
        for name, value in stored.items()
    }


def _existing(path: Any) -> Path | None:
    return Path(path) if path and Path(path).is_file() else None


def _times(data: Any) -> str:
    return "×".join(map(str, data.shape))
