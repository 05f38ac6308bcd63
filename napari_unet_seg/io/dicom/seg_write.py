"""Writing of masks as DICOM Segmentation objects that refer to their source series.

The object follows DICOM PS3.3 A.51 and C.8.20.2: SegmentationType BINARY, one segment per
category, one frame per slice and category that has a positive pixel there, each with the position
of its source image and a reference to it. `highdicom`, an extra, is imported when a SEG is
written.
"""

from __future__ import annotations

import json
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
from pydicom.uid import generate_uid

from napari_unet_seg import __version__
from napari_unet_seg.config import IGNORE_INDEX, Category, numbered_categories
from napari_unet_seg.errors import DataError
from napari_unet_seg.io.common.optional_dependencies import require
from napari_unet_seg.io.dicom.codes import Concept, concepts_of
from napari_unet_seg.io.dicom.patient import deidentify, keep_required
from napari_unet_seg.io.dicom.seg_source import source_images
from napari_unet_seg.io.disk.files import atomic
from napari_unet_seg.io.masks.labels import smallest
from napari_unet_seg.io.masks.palette import rgb_of, stored_palette

if TYPE_CHECKING:
    from pathlib import Path

    from pydicom import Dataset

    from napari_unet_seg.arrays import Array
    from napari_unet_seg.io.common.scan import Scan


PRIVATE_GROUP = 0x0075
PRIVATE_CREATOR = "napari-unet-seg"
PRIVATE_ELEMENT = 0x01
"""Element of unlimited text: JSON of the provenance as `description`, and of the `positions` of all
slices."""

_LABEL_LENGTH = 64
"""Largest number of characters of a value of VR LO (PS3.5 6.2)."""


def write_seg(
    path: Path,
    labels: Any,
    like: Scan,
    description: dict[str, Any] | None = None,
    *,
    keep: bool = False,
    identified: bool = True,
) -> None:
    """Write labels as a DICOM SEG that refers to the source series of the scan.

    Every category is a segment, also without pixels. An empty mask is written with empty frames of
    all slices, since the standard requires at least one frame.

    Parameters
    ----------
    path : Path
        A `.dcm` file, which is written atomically.
    labels : array
        Integers of the scan's `grid_shape`, `ZYX`; label value i is the i-th category, from 1.
    like : Scan
        From `read_dicom`; its files must still exist.
    description : dict
        Provenance. `categories` name the segments; `algorithm_type` is `AUTOMATIC`,
        `SEMIAUTOMATIC` or `MANUAL`; by default automatic if there is a `model`, else manual.
    keep : bool
        Whether to keep the previous file as `name.bak.dcm`.
    identified : bool
        Whether the file names the patient, as other files of the study do; see `patient`.

    Raises
    ------
    DataError
        If highdicom is not installed, the scan is not a DICOM series on one grid, its files are
        missing, the labels hold unreviewed pixels, or the file cannot be written.
    """
    highdicom = require("highdicom")
    array = smallest(labels, str(path))
    _check_reviewed(array, path)
    provenance = dict(description or {})
    categories = _categories(array, provenance)
    order, sources = source_images(path, like)
    stored = np.zeros((max(order) + 1, *array.shape[1:]), array.dtype)
    stored[order] = array
    segments = _segments(highdicom, categories, provenance)
    try:
        with warnings.catch_warnings():
            # highdicom warns about values copied from the source, the patient's name for example.
            warnings.simplefilter("ignore", UserWarning)
            seg = _segmentation(highdicom, sources, stored, segments)
    except (ValueError, TypeError, AttributeError, KeyError, IndexError) as error:
        reason = " ".join(str(error).split())[:200].rstrip(".")
        raise DataError(
            f"{path} was not written, since its series does not allow a DICOM SEG ({reason}); save "
            "the mask as .nii.gz."
        ) from error
    keep_required(seg)
    if not identified:
        deidentify(seg)
    _add_private(seg, categories, provenance, like)
    with atomic(path, keep=keep) as temporary:
        seg.save_as(temporary)


def _check_reviewed(array: Array, path: Path) -> None:
    if array.max(initial=0) == IGNORE_INDEX and (array == IGNORE_INDEX).any():
        raise DataError(
            f"{path} was not written, since the mask has unreviewed pixels ({IGNORE_INDEX}), which "
            "DICOM SEG cannot store; review them or save the mask as .nii.gz."
        )


def _categories(array: Array, description: dict[str, Any]) -> list[Category]:
    """Return one category per label value; values without a category are named by number."""
    given = [Category.model_validate(c) for c in description.get("categories") or ()]
    highest = max(int(array.max(initial=0)), 1)
    return [*given, *numbered_categories(highest)[len(given) :]]


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

    palette = stored_palette(description)
    segments = []
    for number, category in enumerate(categories, 1):
        group, what = concepts_of(category.name)
        colour = palette.get(category.name)
        label = category.name.replace("\\", "/").strip()[:_LABEL_LENGTH] or f"label {number}"
        segments.append(
            highdicom.seg.SegmentDescription(
                segment_number=number,
                segment_label=label,
                segmented_property_category=coded(group),
                segmented_property_type=coded(what),
                algorithm_type=kind,
                algorithm_identification=None if kind == "MANUAL" else algorithm,
                display_color=colour and highdicom.color.CIELabColor.from_rgb(*rgb_of(colour)),
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
    """Add provenance and positions as private attributes (PS3.5 7.8), for `read_seg`."""
    # The SEG refers to the source by UIDs; the name of its folder may be the patient's.
    stored = {k: v for k, v in description.items() if k != "source"}
    stored["categories"] = [c.model_dump() for c in categories]
    positions = [list(p) for p in like.meta["positions"]]
    text = json.dumps({"description": stored, "positions": positions}, allow_nan=False)
    block = seg.private_block(PRIVATE_GROUP, PRIVATE_CREATOR, create=True)
    block.add_new(PRIVATE_ELEMENT, "UT", text)
