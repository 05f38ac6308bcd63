"""The errors a user can meet; each message is one sentence that names the file and the mend."""


class SegmentationError(Exception):
    """Base of every error that is the user's to mend; shown as it is, without a traceback."""


class ConfigError(SegmentationError):
    """A configuration holds an unknown, contradictory or unusable value."""


class NewerVersionError(ConfigError):
    """A file was written by a version of the package that changed the file's layout."""


class NewerVersionWarning(UserWarning):
    """Settings of a newer version of the package are left out."""


class DataError(SegmentationError):
    """A scan, mask, annotation file, data set or session cannot be used."""


class NothingToLearnError(DataError):
    """No accepted slice can be trained on yet; one more may change that."""


class WriteError(DataError):
    """The file system refused a file, a full disk for example; the next one fares no better."""


class CheckpointError(SegmentationError):
    """A model file is not a checkpoint of this package or does not fit its use."""


class EngineError(SegmentationError):
    """Training or prediction failed while the network ran, out of memory for example."""
