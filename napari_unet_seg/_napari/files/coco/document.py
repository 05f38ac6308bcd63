"""Writing of masks as COCO: all masks of one COCO file are one document."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Labels

from napari_unet_seg._napari.files.coco.options import coco_options, show_cuts
from napari_unet_seg._napari.files.mask_slices import named_slices, object_categories_of
from napari_unet_seg._napari.layers.colours import chosen_colours
from napari_unet_seg._napari.layers.conversion import categories_for
from napari_unet_seg._napari.layers.layer_record import LayerRecord, record_in, record_of
from napari_unet_seg._napari.widgets.messages import show_info
from napari_unet_seg.config import IGNORE_INDEX
from napari_unet_seg.errors import DataError
from napari_unet_seg.io.coco.categories import with_categories
from napari_unet_seg.io.coco.encode import Encoder
from napari_unet_seg.io.coco.write import labels_to_coco, save_coco
from napari_unet_seg.io.coco.write_back import find_edits, find_instance_edits
from napari_unet_seg.io.masks.labels import check_values, label_dtype

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from napari_unet_seg._napari.layers.layer_record import CocoImages
    from napari_unet_seg.arrays import Array
    from napari_unet_seg.config import Category, Id
    from napari_unet_seg.io.coco.edit import Edit
    from napari_unet_seg.io.coco.merge.keys import Keep

Mask = tuple[Any, dict[str, Any], str]
"""Labels, attributes and type of a layer, as napari hands them to writers."""


def with_others(masks: Sequence[Mask], layers: Iterable[Any]) -> list[Mask]:
    """Add the masks of the other images of the same COCO file, so that they are saved too.

    Only masks that were drawn from the file count, not predictions on its images.

    Parameters
    ----------
    masks : sequence of Mask
        The masks to save.
    layers : iterable of Layer
        The layers of the window; read on the main thread.
    """
    found = [mask for mask in masks if mask[2] == "labels"]
    given = [coco for coco in map(_coco_of, found) if coco is not None and coco.drawn]
    covered = {(id(coco.source), i) for coco in given for i in coco.ids}
    sources = {source for source, _ in covered}
    for layer in layers:
        coco = record_of(layer).coco if isinstance(layer, Labels) else None
        if coco is None or not coco.drawn or id(coco.source) not in sources:
            continue
        own = {(id(coco.source), i) for i in coco.ids}
        # A duplicate of a mask that is saved, or of one before it, does not count.
        if not own & covered:
            names = {"name": layer.name, "metadata": layer.metadata, "features": layer.features}
            found.append((layer.data, names, "labels"))
            covered |= own
    return found


def save_masks(path: Path, masks: Sequence[Mask], keep: Keep | None = None) -> None:
    """Write masks as COCO, with the options that were chosen last.

    Masks of an imported COCO file are written back: annotations that were not edited keep their
    JSON, also as another program has changed them in the meantime. Categories that were added to a
    mask of the file are added to the file. A prediction with categories that the file does not have
    is written as a new document.

    Parameters
    ----------
    path : Path
        The file to write.
    masks : sequence of Mask
        From `with_others`.
    keep : str, optional
        Which version stays of an annotation that another program has changed too.

    Raises
    ------
    ChangedError
        If another program has changed what would be written over.
    DataError
        If the masks are of different files, or a file cannot be read or written.
    """
    encoder = Encoder(coco_options())
    sources = [_source_of(mask) for mask in masks]
    source = sources[0]
    strange = [mask for mask, own in zip(masks[1:], sources[1:], strict=True) if own is not source]
    if strange or (len(masks) > 1 and source is None):
        name, first = (_name(mask) for mask in ((strange or masks[1:])[0], masks[0]))
        raise DataError(
            f"{path} was not written, since {name} is not of the COCO file of {first}; select only "
            "masks of one file."
        )
    if source is None:
        _write_new(path, masks[0], encoder)
    else:
        edits: dict[Id, Edit] = {}
        for mask in masks:
            edits |= _edits(mask, encoder)
        records = [record_in(mask[1]["metadata"]) for mask in masks]
        categories = list(dict.fromkeys(c for record in records for c in record.categories))
        colours = chosen_colours(categories)
        taken = source.save(edits, path, keep=keep, categories=categories, colours=colours)
        if taken:
            show_info(
                f"Another program had changed {path.name}; open it again to see its changes here."
            )
    show_cuts(encoder)


def _name(mask: Mask) -> str:
    return str(mask[1].get("name", "mask"))


def _coco_of(mask: Mask) -> CocoImages | None:
    return record_in(mask[1].get("metadata", {})).coco


def _source_of(mask: Mask) -> Any:
    """Return the COCO file that a mask can be written back to, None if there is none."""
    data, attributes, _ = mask
    record: LayerRecord = record_in(attributes.get("metadata", {}))
    coco = record.coco
    if coco is None or len(coco.ids) != len(data):
        return None
    if record.instances is not None:
        return coco.source
    dataset = coco.source.dataset()
    known = {*categories_for(np.asarray(data), record)} <= {*dataset.categories, *dataset.hidden}
    return coco.source if (known or coco.drawn) and record.values == "classes" else None


def _edits(mask: Mask, encoder: Encoder) -> dict[Id, Edit]:
    data, attributes, _ = mask
    record = record_in(attributes["metadata"])
    if record.coco is None:
        return {}
    planes = dict(zip(record.coco.ids, np.asarray(data), strict=True))
    if record.instances is not None:
        kinds = object_categories_of(attributes)
        return find_instance_edits(record.instances, planes, kinds=kinds, encoder=encoder)
    dataset, own = record.coco.source.dataset(), categories_for(np.asarray(data), record)
    every = (*dataset.hidden, *dataset.categories)
    every += tuple(c for c in own if c.id not in {known.id for known in every})
    names = {image.id: image.file_name for image in dataset.images}
    return find_edits(
        dataset,
        {i: _relabelled(plane, own, every, str(names.get(i))) for i, plane in planes.items()},
        categories=every,
        boxes=record.coco.boxes,
        encoder=encoder,
    )


def _relabelled(
    labels: Array, own: Sequence[Category], every: Sequence[Category], file_name: str
) -> Array:
    """Return labels of a mask's categories as labels of all categories, by their ids.

    Categories of the file that were removed from the mask have no pixels then.
    """
    check_values(labels, f"The mask for {file_name}", len(own))
    places = {category.id: value for value, category in enumerate(every, 1)}
    table = np.arange(max(len(own), IGNORE_INDEX) + 1, dtype=label_dtype(len(every)))
    table[1 : len(own) + 1] = [places[category.id] for category in own]
    relabelled: Array = table[labels]
    return relabelled


def _write_new(path: Path, mask: Mask, encoder: Encoder) -> None:
    data, attributes, _ = mask
    labels, record = np.asarray(data), record_in(attributes.get("metadata", {}))
    categories = categories_for(labels, record)
    if record.coco is not None and path.absolute() == record.coco.source.path.absolute():
        raise DataError(
            f"{path} was not written, since it lacks categories of {_name(mask)}; save the mask "
            "under another name."
        )
    document = labels_to_coco(
        named_slices(labels, attributes),
        categories,
        instances=object_categories_of(attributes),
        encoder=encoder,
    )
    save_coco(with_categories(document, categories, chosen_colours(categories)), path)
