"""Masks as DICOM Segmentation objects on the series that they were made on.

The object follows DICOM PS3.3 A.51 and C.8.20.2: SegmentationType BINARY, one segment per
category, one frame per slice and category that has a positive pixel there, each with the position
of its source image and a reference to it. `highdicom`, an extra, is imported when one is written.
"""

from __future__ import annotations

import json
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
from pydicom.uid import generate_uid

from napari_unet_seg import __version__
from napari_unet_seg.config import IGNORE_INDEX, Category
from napari_unet_seg.errors import DataError
from napari_unet_seg.io.common.files import atomic
from napari_unet_seg.io.common.labels import smallest
from napari_unet_seg.io.common.optional_dependencies import require
from napari_unet_seg.io.dicom.codes import Concept, concepts_of
from napari_unet_seg.io.dicom.seg_source import source_images

if TYPE_CHECKING:
    from pathlib import Path

    from pydicom import Dataset

    from napari_unet_seg.arrays import Array
    from napari_unet_seg.io.common.scan import Scan


PRIVATE_GROUP = 0x0075
PRIVATE_CREATOR = "napari-unet-seg"
PRIVATE_ELEMENT = 0x01
"""Unlimited text, JSON: `description` is the provenance, `positions` those of all slices."""

_LABEL_LENGTH = 64
"""Of a value of VR LO, in characters (PS3.5 6.2)."""


def write_seg(
    path: Path,
    labels: Any,
    like: Scan,
    description: dict[str, Any] | None = None,
    *,
    keep: bool = False,
) -> None:
    """Write labels as a DICOM SEG that refers to the series they were made on.

    Every category is a segment, also one that has no pixel. A mask without any positive pixel is
    written with all its slices, empty, since an object without frames is not legal.

    Parameters
    ----------
    path : Path
        A `.dcm` file, written whole or not at all.
    labels : array
        Integers of the scan's `grid_shape`, `ZYX`; a value is the place of its category, from 1.
    like : Scan
        From `read_dicom`, its files still in place.
    description : dict
        Provenance. `categories` name the segments; `algorithm_type` is `AUTOMATIC`,
        `SEMIAUTOMATIC` or `MANUAL`: where it is missing, automatic if a `model` is named, else
        manual.
    keep : bool
        Keep the file that stood there as `name.bak.dcm`.

    Raises
    ------
    DataError
        If highdicom is missing, the scan is no DICOM series on one grid, its files are gone, the
        labels hold unreviewed pixels, or the file cannot be written.
    """
    highdicom = require("highdicom")
    array = smallest(labels, str(path))
    _check_reviewed(array, path)
    told = dict(description or {})
    categories = _categories(array, told)
    order, sources = source_images(path, like)
    stored = np.zeros((max(order) + 1, *array.shape[1:]), array.dtype)
    stored[order] = array
    segments = _segments(highdicom, categories, told)
    try:
        with warnings.catch_warnings():
            # On what stands in the source, its patient's name for example.
            warnings.simplefilter("ignore", UserWarning)
            seg = _segmentation(highdicom, sources, stored, segments)
    except (ValueError, TypeError, AttributeError, KeyError, IndexError) as error:
        reason = " ".join(str(error).split())[:200].rstrip(".")
        raise DataError(
            f"{path} is not written, since its series does not allow a DICOM SEG ({reason}); save "
            "the mask as .nii.gz."
        ) from error
    _add_private(seg, categories, told, like)
    with atomic(path, keep=keep) as temporary:
        seg.save_as(temporary)


def _check_reviewed(array: Array, path: Path) -> None:
    if array.max(initial=0) == IGNORE_INDEX and (array == IGNORE_INDEX).any():
        raise DataError(
            f"{path} is not written, since the mask has pixels that nobody reviewed "
            f"({IGNORE_INDEX}), for which DICOM SEG has no place; review them or save as .nii.gz."
        )


def _categories(array: Array, description: dict[str, Any]) -> list[Category]:
    """Return one category per label value, with a name of its own where none is known."""
    known = [Category.model_validate(c) for c in description.get("categories") or ()]
    highest = max(int(array.max(initial=0)), 1)
    values = range(len(known) + 1, highest + 1)
    return known + [Category(id=value, name=f"label {value}") for value in values]


def _segments(highdicom: Any, categories: list[Category], description: dict[str, Any]) -> list[Any]:
    kind = description.get("algorithm_type")
    kind = kind or ("AUTOMATIC" if description.get("model") else "MANUAL")
    algorithm = highdicom.AlgorithmIdentificationSequence(
        name=PRIVATE_CREATOR,
        family=highdicom.sr.CodedConcept("123109", "DCM", "Manual Processing")
        if kind == "MANUAL"
        else highdicom.sr.CodedConcept("123110", "DCM", "Artificial Intelligence"),
        version=__version__,
    )

    def coded(concept: Concept) -> Any:
        return highdicom.sr.CodedConcept(concept.value, "SCT", concept.meaning)

    segments = []
    for number, category in enumerate(categories, 1):
        group, what = concepts_of(category.name)
        label = category.name.replace("\\", "/").strip()[:_LABEL_LENGTH] or f"label {number}"
        segments.append(
            highdicom.seg.SegmentDescription(
                segment_number=number,
                segment_label=label,
                segmented_property_category=coded(group),
                segmented_property_type=coded(what),
                algorithm_type=kind,
                algorithm_identification=None if kind == "MANUAL" else algorithm,
            )
        )
    return segments


def _segmentation(highdicom: Any, sources: list[Dataset], array: Array, segments: list[Any]) -> Any:
    return highdicom.seg.Segmentation(
        source_images=sources,
        pixel_array=array,
        segmentation_type="BINARY",
        segment_descriptions=segments,
        series_instance_uid=generate_uid(),
        series_number=1000 + abs(int(sources[0].get("SeriesNumber", None) or 0)),
        sop_instance_uid=generate_uid(),
        instance_number=1,
        manufacturer=PRIVATE_CREATOR,
        manufacturer_model_name=PRIVATE_CREATOR,
        software_versions=__version__,
        device_serial_number="0",
        series_description="Segmentation",
        content_label="SEGMENTATION",
        specific_character_set="ISO_IR 192",
        omit_empty_frames=True,
    )


def _add_private(
    seg: Any, categories: list[Category], description: dict[str, Any], like: Scan
) -> None:
    """Add what the standard has no place for (PS3.5 7.8), so that reading gives it all back."""
    # The source is referred to by its identifiers; where it lay on a disk is nobody's concern.
    told = {k: v for k, v in description.items() if k != "source"}
    told["categories"] = [c.model_dump() for c in categories]
    positions = [list(p) for p in like.meta["positions"]]
    text = json.dumps({"description": told, "positions": positions}, allow_nan=False)
    block = seg.private_block(PRIVATE_GROUP, PRIVATE_CREATOR, create=True)
    block.add_new(PRIVATE_ELEMENT, "UT", text)
