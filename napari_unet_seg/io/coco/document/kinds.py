"""The kinds of COCO's JSON, told by their content."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from napari_unet_seg.errors import DataError

if TYPE_CHECKING:
    from pathlib import Path

Kind = Literal["dataset", "results", "panoptic", ""]


def kind_of(document: object) -> Kind:
    """Return what parsed JSON is; empty for JSON that is not COCO's.

    A data set is a dict with the lists `images` and `annotations`; results are a list of
    predictions, each with the ids of an image and a category; panoptic annotations have segments.
    """
    if isinstance(document, list):
        first = document[0] if document else None
        keys = first.keys() if isinstance(first, dict) else set()
        return "results" if {"image_id", "category_id"} <= keys else ""
    if not isinstance(document, dict) or not isinstance(document.get("annotations"), list):
        return ""
    annotations = document["annotations"]
    if annotations and isinstance(annotations[0], dict) and "segments_info" in annotations[0]:
        return "panoptic"
    return "dataset" if isinstance(document.get("images"), list) else ""


def check_kind(path: Path, found: Kind, wanted: Literal["dataset", "results"]) -> None:
    """Check that the JSON of a file is of a kind.

    Raises
    ------
    DataError
        If it is of another kind; the message says what to do with that one.
    """
    if found == wanted:
        return
    if found == "panoptic":
        raise DataError(
            f"{path} is panoptic COCO, whose masks are the colours of PNG files; convert it to "
            "instances (panopticapi's panoptic2detection_coco_format) and open the result."
        )
    if found == "results":
        raise DataError(
            f"{path} is a list of a model's results and has no images; open it on its data set: "
            "drop it onto the window, or give it with --results."
        )
    if wanted == "results":
        raise DataError(
            f"{path} is no list of results, each with image_id, category_id, score and a "
            "segmentation or bbox; save the model's predictions in COCO's format for results."
        )
    raise DataError(
        f"{path} is not COCO: it needs the lists `images` and `annotations`; "
        "export it again as COCO instance segmentation."
    )
