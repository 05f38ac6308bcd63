"""Labels layers whose labels are single objects: their table, colours and new objects."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from napari.utils.colormaps import DirectLabelColormap

from napari_unet_seg._napari.layers.colours import shades
from napari_unet_seg._napari.layers.conversion import categories_of
from napari_unet_seg._napari.layers.layer_record import EMPTY_RECORD, LayerRecord, record_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from napari.layers import Labels
    from pandas import DataFrame

    from napari_unet_seg.config import Category
    from napari_unet_seg.io.coco.instances import Instance, Instances

_STORED = ("index", "category_id", "annotation_id", "image", "iscrowd", "attributes", "score")
"""Columns in the description of a mask's file, which may hold only the first of them."""
_COLUMNS = ("index", "category", *_STORED[1:])
_MAX_COLOURS = 2**16
"""Labels below this have the plugin's colours; napari draws higher labels in its own."""


def is_instances(layer: Any) -> bool:
    """Whether the labels of a layer are single objects."""
    return layer is not None and record_of(layer).values == "instances"


def instance_options(
    instances: Instances, name: str, record: LayerRecord = EMPTY_RECORD
) -> dict[str, Any]:
    """Return the arguments of a labels layer of single objects, except its geometry.

    Parameters
    ----------
    instances : Instances
        The annotations that the labels stand for.
    name : str
        Name of the layer.
    record : LayerRecord
        Further fields of the layer's record.
    """
    record = replace(record, instances=instances)
    return options_of_rows(rows_of(instances), instances.dataset.categories, name, record)


def rows_of(instances: Instances) -> list[tuple[Any, ...]]:
    """Return a row of the table for each annotation."""
    return [row_of(value, row) for value, row in enumerate(instances.rows, 1)]


def row_of(value: int, row: Instance) -> tuple[Any, ...]:
    """Return the row of a label in the table; only a model's results have a score."""
    annotation = row.annotation
    return (
        value,
        row.category.name,
        row.category.id,
        annotation.get("id"),
        row.image.file_name,
        int(bool(annotation.get("iscrowd"))),
        json.dumps(found) if (found := annotation.get("attributes")) else None,
        annotation.get("score"),
    )


def options_of_rows(
    rows: Iterable[Sequence[Any]],
    categories: Sequence[Category],
    name: str,
    record: LayerRecord,
) -> dict[str, Any]:
    """Return the arguments of a labels layer of single objects with these rows in its table."""
    table = table_of(rows)
    record = replace(record, values="instances", categories=tuple(categories))
    options: dict[str, Any] = {"name": name, "metadata": record.as_metadata(), "features": table}
    if colormap := object_colormap(table):
        options["colormap"] = colormap
    return options


def table_of(rows: Iterable[Sequence[Any]]) -> DataFrame:
    """Return the table of a layer of single objects, background first."""
    return _table([(0, "background", *(None,) * (len(_COLUMNS) - 2)), *rows])


def start_instance(layer: Labels, category: Category, above: int = 0) -> int:
    """Make the next brush stroke an object of a category.

    A selected label without a category gets this category; otherwise a new label is selected.

    Parameters
    ----------
    layer : Labels
        A layer of single objects.
    category : Category
        A category of the layer.
    above : int
        Labels up to this value are in use, even if the table has no rows for them.

    Returns
    -------
    int
        The selected label.
    """
    row_labels = layer.features["index"]
    value = layer.selected_label
    if not value or value in set(row_labels):
        value = max(int(row_labels.max()), above) + 1
    row = (value, category.name, category.id, *(None,) * (len(_COLUMNS) - 3))
    import pandas as pd

    layer.features = pd.concat([layer.features, _table([row])], ignore_index=True)
    if colormap := object_colormap(layer.features):
        layer.colormap = colormap
    layer.selected_label = value
    return int(value)


def rename_instance(layer: Labels, category: Category) -> None:
    """Change the category of the object with the selected label."""
    table = layer.features.copy()
    row = table["index"] == layer.selected_label
    table.loc[row, ["category", "category_id"]] = [category.name, category.id]
    layer.features = table
    if colormap := object_colormap(table):
        layer.colormap = colormap


def category_of(layer: Labels, value: int) -> Category | None:
    """Return the category of an object, None if the object has none yet."""
    return object_categories(layer.features, categories_of(layer)).get(value)


def object_categories(features: DataFrame, categories: Sequence[Category]) -> dict[int, Category]:
    """Return the category of every object in the table of a layer, by label."""
    if not {"index", "category_id"} <= set(features):
        return {}
    by_id = {category.id: category for category in categories}
    rows = zip(features["index"], features["category_id"], strict=True)
    return {int(value): by_id[identity] for value, identity in rows if identity in by_id}


def object_counts(layer: Labels) -> dict[int, int]:
    """Return the number of objects of each category, by its place from 1."""
    found = Counter(object_categories(layer.features, categories_of(layer)).values())
    return {place: found[category] for place, category in enumerate(categories_of(layer), 1)}


def rows_to_store(features: DataFrame) -> list[list[Any]]:
    """Return a row for every object, for a mask's description; the names are in the categories."""
    columns = (features[name] for name in _STORED)
    return [list(row) for row in zip(*columns, strict=True) if row[0]]


def stored_options(
    rows: Sequence[Sequence[Any]], categories: Sequence[Category], name: str, record: LayerRecord
) -> dict[str, Any]:
    """Return the arguments of a labels layer that was saved with `rows_to_store`."""
    names = {category.id: category.name for category in categories}
    blank = (None,) * len(_STORED)
    table = [(v, names[c], c, *(*found, *blank)[: len(_STORED) - 2]) for v, c, *found in rows]
    return options_of_rows(table, categories, name, record)


def _table(rows: Sequence[Sequence[Any]]) -> DataFrame:
    import pandas as pd

    # dtype object, as numbers in a column with missing values would become floats, which lose
    # high ids.
    columns = zip(_COLUMNS, zip(*rows, strict=True), strict=True)
    table = {name: pd.Series(values, dtype=object) for name, values in columns}
    table["index"] = table["index"].astype(int)
    return pd.DataFrame(table)


def object_colormap(table: DataFrame) -> DirectLabelColormap | None:
    """Return a colormap in which the objects of a category have alternating shades."""
    if table["index"].max() >= _MAX_COLOURS:
        return None
    colours: dict[int | None, Any] = {None: "white"}
    for value, name in zip(table["index"], table["category"], strict=True):
        colours[value] = shades(name)[value % len(shades(name))] if value else "transparent"
    return DirectLabelColormap(color_dict=colours)
