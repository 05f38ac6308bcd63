"""Errors shown to the user; each message names what happened, the file, and what to do."""

from pathlib import Path


class SegmentationError(Exception):
    """Base class of errors that the user can correct; shown as a message without a traceback."""


class ConfigError(SegmentationError):
    """A configuration holds an unknown, contradictory or unusable value."""


class NewerVersionError(ConfigError):
    """A file was written by a version of the package that changed the file's layout."""


class NewerVersionWarning(UserWarning):
    """Settings of a newer version of the package are left out."""


class DataError(SegmentationError):
    """A scan, mask, annotation file, data set or session cannot be used."""


class NothingToLearnError(DataError):
    """No accepted slice can be used for training yet; accepting another slice may help."""


class UnconfirmedError(DataError):
    """The masks of a training can hardly be meant; it goes on once a person has confirmed them."""

    @property
    def doubts(self) -> str:
        """Sentences that say why."""
        return str(self.args[0])

    def __str__(self) -> str:
        """Return the doubts, and what to do in a script."""
        return f"{self.doubts} Correct the masks, or set SampleSet.confirmed if they are meant."


class WriteError(DataError):
    """The file system refused to write, on a full disk for example; other files fail too."""


class ChangedError(DataError):
    """A file that is to be replaced was changed by another program since it was seen.

    Parameters
    ----------
    message : str
        The message for the user.
    path : Path
        The file.
    """

    def __init__(self, message: str, path: Path = Path()) -> None:
        super().__init__(message)
        self.path = path


class ConflictError(ChangedError):
    """Parts of a file were changed both here and by another program.

    Parameters
    ----------
    message : str
        The message for the user.
    path : Path
        The file.
    parts : tuple of str
        A description of each of these parts.
    """

    def __init__(
        self,
        message: str,
        path: Path = Path(),
        parts: tuple[str, ...] = (),
    ) -> None:
        super().__init__(message, path)
        self.parts = parts


class CheckpointError(SegmentationError):
    """A model file is not a checkpoint of this package or does not fit its use."""


class EngineError(SegmentationError):
    """Training or prediction failed while the network ran, out of memory for example."""
