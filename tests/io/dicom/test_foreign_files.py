"""Every file that comes with pydicom is read, or refused with the reason that is true of it."""

from __future__ import annotations

import re
from pathlib import Path

import pydicom
import pytest

from napari_unet_seg.errors import DataError
from napari_unet_seg.io.dicom.signature import is_dicom
from napari_unet_seg.io.read import read_scan

ROOT = Path(pydicom.__file__).parent / "data"
OTHER = r"holds no image \(it is of the kind .*\); choose another file"
HEADER = r"holds no DICOM image, or is truncated; copy it again, or remove it"
NO_PIXELS = r"holds a header without pixels, or is truncated; copy it again"
PALETTES = ("fall", "hotiron", "hotmetalblue", "pet", "pet20step", "spring", "summer", "winter")
REFUSED = {
    **dict.fromkeys((f"{name}.dcm" for name in PALETTES), OTHER),
    "ExplVR_BigEndNoMeta.dcm": OTHER,
    "ExplVR_LitEndNoMeta.dcm": OTHER,
    "JPEG2000-embedded-sequence-delimiter.dcm": r"is damaged \(its compressed data hold an image",
    "MR_truncated.dcm": r"8130 vs 8192 bytes.*truncated.*copy it again",
    "UN_sequence.dcm": HEADER,
    "badVR.dcm": r"cannot be read as DICOM \(invalid literal",
    "chrJapMulti.dcm": NO_PIXELS,
    "chrJapMultiExplicitIR6.dcm": NO_PIXELS,
    "chrKoreanMulti.dcm": NO_PIXELS,
    "chrSQEncoding.dcm": HEADER,
    "chrSQEncoding1.dcm": HEADER,
    "empty_charset_LEI.dcm": HEADER,
    "meta_missing_tsyntax.dcm": HEADER,
    "nested_priv_SQ.dcm": HEADER,
    "no_meta.dcm": HEADER,
    "no_meta_group_length.dcm": HEADER,
    "priv_SQ.dcm": HEADER,
    "reportsi.dcm": OTHER,
    "reportsi_with_empty_number_tags.dcm": OTHER,
    "rtplan.dcm": OTHER,
    "rtplan_truncated.dcm": OTHER,
    "rtstruct.dcm": OTHER,
    "test-SR.dcm": OTHER,
    "waveform_ecg.dcm": OTHER,
}
"""Files without an image, and files that are damaged on purpose."""

FILES = sorted(
    path
    for folder in ("test_files", "charset_files", "palettes")
    for path in (ROOT / folder).rglob("*")
    if path.is_file()
    and is_dicom(path)
    and not path.name.startswith("DICOMDIR")
    # Headers alone, which are all alike.
    and "TINY_ALPHA" not in path.parts
)


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_file_of_pydicom(path: Path) -> None:
    if path.name not in REFUSED:
        assert read_scan(path).data.size
        return
    with pytest.raises(DataError) as caught:
        read_scan(path)
    message = str(caught.value)
    assert message.startswith(f"{path} ") and message.endswith(".")
    assert "\n" not in message and len(message.removeprefix(str(path))) < 350
    assert re.search(REFUSED[path.name], message)


def test_the_files_are_there() -> None:
    assert len(FILES) > 100
    assert {path.name for path in FILES} >= REFUSED.keys()


def test_a_header_without_image_is_told() -> None:
    path = next(ROOT.rglob("TINY_ALPHA/PT000000/**/IM000000"))
    with pytest.raises(DataError, match=HEADER):
        read_scan(path)
