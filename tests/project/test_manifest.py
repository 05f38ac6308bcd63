"""The npe2 manifest: what napari reads of the plugin before it imports any of it."""

from __future__ import annotations

from pathlib import Path

import pytest
from npe2 import PluginManifest

import napari_unet_seg

PACKAGE = Path(napari_unet_seg.__file__).parent


@pytest.fixture(scope="module")
def manifest() -> PluginManifest:
    return PluginManifest.from_distribution("napari-unet-seg")


def test_every_command_can_be_imported(manifest: PluginManifest) -> None:
    manifest.validate_imports()  # raises for one that cannot
    assert len(manifest.contributions.commands) > 10


def test_it_is_the_file_of_this_package(manifest: PluginManifest) -> None:
    assert manifest == PluginManifest.from_file(PACKAGE / "napari.yaml").model_copy(
        update={"package_metadata": manifest.package_metadata}
    )


def test_every_panel_is_listed(manifest: PluginManifest) -> None:
    titles = [widget.display_name for widget in manifest.contributions.widgets]
    assert titles == ["U-Net Seg", "Import COCO", "Train U-Net", "Report"]


def test_the_dock_stands_in_the_layers_menu_too(manifest: PluginManifest) -> None:
    entries = manifest.contributions.menus["napari/layers/segment"]
    assert [entry.command for entry in entries] == ["napari-unet-seg.dock"]


def test_every_command_is_used(manifest: PluginManifest) -> None:
    contributions = manifest.contributions
    used = {
        item.command
        for kind in ("readers", "writers", "sample_data", "widgets")
        for item in getattr(contributions, kind)
    }
    assert {command.id for command in contributions.commands} == used


@pytest.mark.parametrize("suffix", [".tif", ".tiff", ".nii", ".nii.gz", ".dcm", ".json", ".zarr"])
def test_a_mask_can_be_saved_as(manifest: PluginManifest, suffix: str) -> None:
    writers = [w for w in manifest.contributions.writers if suffix in w.filename_extensions]
    # A DICOM SEG with the patient's data, which a name alone chooses, and one without.
    assert len(writers) == (2 if suffix == ".dcm" else 1)
    types = ("image*", "labels+") if suffix == ".json" else ("labels",)
    assert {tuple(writer.layer_types) for writer in writers} == {types}


def test_tiff_reading_stays_naparis(manifest: PluginManifest) -> None:
    patterns = {p for r in manifest.contributions.readers for p in r.filename_patterns}
    assert not any("tif" in pattern for pattern in patterns)


def test_napari_shows_the_plugin_under_its_categories_with_its_icon(
    manifest: PluginManifest,
) -> None:
    assert manifest.is_visible
    assert {str(category) for category in manifest.categories} == {
        "Segmentation",
        "Annotation",
        "IO",
    }
    package, _, name = str(manifest.icon).partition(":")
    assert package == "napari_unet_seg"
    assert (PACKAGE / name).is_file()
