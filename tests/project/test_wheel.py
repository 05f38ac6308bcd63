"""The wheel in an environment of its own: napari lists the plugin and opens its samples."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]

OPEN_EVERYTHING = """
import json, sys
import napari, npe2
import napari_unet_seg

manager = npe2.PluginManager.instance()
manager.discover()
viewer = napari.Viewer(show=False)
layers = {}
for key in ("coco", "scan"):
    viewer.open_sample("napari-unet-seg", key)
    layers[key] = [(type(layer).__name__, list(layer.data.shape)) for layer in viewer.layers]
    viewer.layers.clear()
docked = []
for title in ("U-Net Seg", "Import COCO", "Train U-Net"):
    docked.append(type(viewer.window.add_plugin_dock_widget("napari-unet-seg", title)[1]).__name__)
viewer.close()
print(json.dumps({
    "file": napari_unet_seg.__file__,
    "plugins": list(manager._manifests),
    "version": manager.get_manifest("napari-unet-seg").package_version,
    "layers": layers,
    "docked": docked,
}))
"""


def run(*command: str | Path, **options: Any) -> str:
    done = subprocess.run(
        [str(part) for part in command],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        **options,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    pip = (sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation")
    run(*pip, "--wheel-dir", folder, ROOT)
    (found,) = folder.glob("*.whl")
    return found


@pytest.fixture(scope="module")
def environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a new environment with the wheel, the dependencies linked into it."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, symlinks=True)
    ours = Path(sysconfig.get_path("purelib"))
    theirs = Path(sysconfig.get_path("purelib", vars={"base": str(folder)}))
    for path in ours.iterdir():
        # Neither the editable installation nor the paths that it adds.
        if "napari_unet_seg" not in path.name and path.suffix != ".pth":
            (theirs / path.name).symlink_to(path)
    install = (sys.executable, "-m", "pip", "--python", folder / "bin" / "python", "install")
    run(*install, "-q", "--no-deps", "--no-index", wheel)
    return folder


def test_the_sample_data_are_in_the_wheel(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    samples = {
        f"napari_unet_seg/sample_data/{path.relative_to(ROOT / 'sample_data')}"
        for pattern in ("coco/*/*", "*.nii.gz", "*.md")
        for path in (ROOT / "sample_data").glob(pattern)
    }
    assert len(samples) == 24 + 2 + 2 + 1
    assert samples <= names
    assert not any("__pycache__" in name or name.startswith("tests/") for name in names)


def test_the_wheel_holds_what_the_plugin_needs(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {
        "napari_unet_seg/icon.svg",
        "napari_unet_seg/napari.yaml",
        "napari_unet_seg/py.typed",
        "napari_unet_seg/models/bundled.safetensors",
        "napari_unet_seg/models/any_sequence.md",
        "napari_unet_seg/models/any_sequence.safetensors",
        "napari_unet_seg/models/brain.md",
        "napari_unet_seg/models/brain.safetensors",
        "napari_unet_seg/models/prompts.safetensors",
    } <= names
    assert wheel.stat().st_size < 20e6, "four networks are 11 MB of it"


@pytest.mark.gui
def test_napari_lists_and_opens_the_installed_plugin(environment: Path, tmp_path: Path) -> None:
    places = {name: str(tmp_path / name) for name in ("HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME")}
    for place in places.values():
        Path(place).mkdir()
    variables = {**os.environ, **places}
    variables.pop("PYTHONPATH", None)
    python = environment / "bin" / "python"
    output = run(python, "-c", OPEN_EVERYTHING, cwd=tmp_path, env=variables)
    seen = json.loads(output.splitlines()[-1])
    assert Path(seen["file"]).is_relative_to(environment), "the checkout shadows the wheel"
    assert seen["plugins"].count("napari-unet-seg") == 1
    assert seen["docked"] == ["UNetSegWidget", "ImportCocoWidget", "TrainWidget"]
    kinds = {key: [kind for kind, _ in layers] for key, layers in seen["layers"].items()}
    assert kinds == {"coco": ["Image", "Labels"], "scan": ["Image"]}
    assert seen["layers"]["scan"][0][1] == [48, 136, 112]
    assert seen["layers"]["coco"][0][1][1:] == [256, 256]


def test_the_installed_program_runs(environment: Path, tmp_path: Path) -> None:
    output = run(environment / "bin" / "napari-unet-seg", "--help", cwd=tmp_path)
    assert "predict" in output
