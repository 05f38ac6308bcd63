"""The bundled weights and their model card, and the file of a model's name."""

from __future__ import annotations

from pathlib import Path

from napari_unet_seg.errors import CheckpointError

BUNDLED = Path(__file__).with_name("bundled.safetensors")
MODEL_CARD = Path(__file__).with_name("bundled.md")


def checkpoint_path(name: str | Path) -> Path:
    """Resolve `bundled`, a run folder (its best checkpoint) or a file to a checkpoint file.

    Raises
    ------
    CheckpointError
        If there is no such file, or the run folder holds no checkpoint yet.
    """
    if str(name) == "bundled":
        return BUNDLED
    path = Path(name).expanduser()
    if path.is_dir():
        best = path / "best.safetensors"
        if not best.is_file():
            raise CheckpointError(
                f"The run {path} holds no best.safetensors; train it for an epoch first."
            )
        return best
    if not path.is_file():
        raise CheckpointError(f"There is no model {path}; give a checkpoint file or a run folder.")
    return path
