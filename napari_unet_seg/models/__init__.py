"""The weights in the package and their cards, and the file of a model's name."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from napari_unet_seg.errors import CheckpointError

BUNDLED = Path(__file__).with_name("bundled.safetensors")
ANY_SEQUENCE = Path(__file__).with_name("any_sequence.safetensors")
BRAIN = Path(__file__).with_name("brain.safetensors")
PROMPT_NETWORK = Path(__file__).with_name("prompts.safetensors")


class Own(NamedTuple):
    """A model that comes with the package."""

    file: Path
    title: str
    """How it is called in lists."""
    where: str
    """On which sequences it does best."""

    @property
    def card(self) -> Path:
        """Its purpose, training data, scores and known failures, as Markdown."""
        return self.file.with_suffix(".md")


OWN = {
    "bundled": Own(BUNDLED, "Bundled model", "in T1 with contrast"),
    "any-sequence": Own(ANY_SEQUENCE, "Any-sequence model", "in FLAIR"),
    "brain": Own(BRAIN, "Brain model", "in any sequence"),
    "prompts": Own(PROMPT_NETWORK, "Prompt network", "in any sequence"),
}
"""The models of the package, by the names that stand for their files."""
AUTOMATIC = (BUNDLED, ANY_SEQUENCE, BRAIN)
"""Those that segment without a prompt."""


def own_name(path: Path) -> str:
    """Return the name of a model of the package; empty for any other file."""
    return next((name for name, own in OWN.items() if own.file == path), "")


def checkpoint_path(name: str | Path) -> Path:
    """Resolve a name to a checkpoint file.

    Parameters
    ----------
    name : str or Path
        A name of the package's models: `bundled`, `any-sequence`, `brain`, or `prompts` for the
        prompt network; a run folder (its best checkpoint) or a file.

    Raises
    ------
    CheckpointError
        If there is no such file, or the run folder holds no checkpoint yet.
    """
    if own := OWN.get(str(name)):
        return own.file
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
