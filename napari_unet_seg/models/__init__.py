"""The weights in the package and their cards, and the file of a model's name."""

from __future__ import annotations

from pathlib import Path

from napari_unet_seg.errors import CheckpointError

BUNDLED = Path(__file__).with_name("bundled.safetensors")
MODEL_CARD = Path(__file__).with_name("bundled.md")
PROMPT_NETWORK = Path(__file__).with_name("prompts.safetensors")
PROMPT_CARD = Path(__file__).with_name("prompts.md")


def checkpoint_path(name: str | Path) -> Path:
    """Resolve a name to a checkpoint file.

    Parameters
    ----------
    name : str or Path
        `bundled`, `prompts` for the prompt network, a run folder (its best checkpoint) or a file.

    Raises
    ------
    CheckpointError
        If there is no such file, or the run folder holds no checkpoint yet.
    """
    if own := {"bundled": BUNDLED, "prompts": PROMPT_NETWORK}.get(str(name)):
        return own
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
