from __future__ import annotations

import json

import pytest
from written_back import write_back

from napari_unet_seg.io.coco.document.style import JsonStyle, style_of
from napari_unet_seg.io.coco.read import read_coco
from napari_unet_seg.io.coco.write import save_coco

DOCUMENT = {
    "info": {"description": 'a "quoted": [1,2] text, Größe', "version": 1.0},
    "categories": [{"id": 0, "name": "tumour"}],
    "images": [{"id": 1, "file_name": "a.png", "width": 40, "height": 30}],
    "annotations": [
        {"id": 2**40, "image_id": 1, "category_id": 0, "segmentation": [[1.5, 2, 9, 2, 9, 8.25]]}
    ],
}
STYLES = [
    JsonStyle(),
    JsonStyle(item_separator=",", key_separator=":", end=""),
    JsonStyle(is_ascii=False),
    JsonStyle(indent="  ", item_separator=","),
    JsonStyle(indent="\t", item_separator=",", key_separator=": ", end=""),
    JsonStyle(indent="    ", item_separator=",", is_ascii=False),
]


@pytest.mark.parametrize("style", STYLES)
def test_a_style_is_found_in_what_it_wrote(style):
    assert style_of("".join(style.pieces(DOCUMENT))) == style


@pytest.mark.parametrize("style", STYLES)
def test_what_was_not_edited_is_written_byte_for_byte(tmp_path, style):
    path = tmp_path / "coco.json"
    path.write_text("".join(style.pieces(DOCUMENT)), encoding="utf-8")
    before = path.read_bytes()
    dataset = read_coco(path)
    save_coco(write_back(dataset, {}), path, style=dataset.style)
    assert path.read_bytes() == before


@pytest.mark.parametrize("text", ["{}", '{"a": 1}', '{"a":[]}', "[1,2]", ""])
def test_short_texts_have_a_style(text):
    assert isinstance(style_of(text), JsonStyle)


def test_real_files_are_written_byte_for_byte(real_data, tmp_path):
    found = 0
    for path in sorted((real_data / "coco-dialects").rglob("*.json")):
        text = path.read_text(encoding="utf-8")
        found += "".join(style_of(text).pieces(json.loads(text))) == text
    assert found
