"""The public names of the package and where each of them lives."""

from .config import (
    FINE_TUNE as FINE_TUNE,
)
from .config import (
    IGNORE_INDEX as IGNORE_INDEX,
)
from .config import (
    PRESETS as PRESETS,
)
from .config import (
    AugmentConfig as AugmentConfig,
)
from .config import (
    Category as Category,
)
from .config import (
    CocoOptions as CocoOptions,
)
from .config import (
    Config as Config,
)
from .config import (
    Device as Device,
)
from .config import (
    LossConfig as LossConfig,
)
from .config import (
    ModelConfig as ModelConfig,
)
from .config import (
    NormaliseConfig as NormaliseConfig,
)
from .config import (
    Precision as Precision,
)
from .config import (
    PredictConfig as PredictConfig,
)
from .config import (
    TrainConfig as TrainConfig,
)
from .config import (
    Views as Views,
)
from .data.dataset import (
    open_dataset as open_dataset,
)
from .engine import (
    evaluate_samples as evaluate_samples,
)
from .engine import (
    predict as predict,
)
from .engine import (
    predict_slices as predict_slices,
)
from .engine import (
    refine as refine,
)
from .engine import (
    train as train,
)
from .errors import (
    CheckpointError as CheckpointError,
)
from .errors import (
    ConfigError as ConfigError,
)
from .errors import (
    DataError as DataError,
)
from .errors import (
    EngineError as EngineError,
)
from .errors import (
    NothingToLearnError as NothingToLearnError,
)
from .errors import (
    SegmentationError as SegmentationError,
)
from .errors import (
    WriteError as WriteError,
)
from .events import (
    AugmentationPreview as AugmentationPreview,
)
from .events import (
    BatchEnd as BatchEnd,
)
from .events import (
    CheckpointSaved as CheckpointSaved,
)
from .events import (
    Command as Command,
)
from .events import (
    DeviceFallback as DeviceFallback,
)
from .events import (
    DiceChange as DiceChange,
)
from .events import (
    EpochEnd as EpochEnd,
)
from .events import (
    Evaluated as Evaluated,
)
from .events import (
    FineTuned as FineTuned,
)
from .events import (
    ItemDone as ItemDone,
)
from .events import (
    PredictFinished as PredictFinished,
)
from .events import (
    PredictStarted as PredictStarted,
)
from .events import (
    Preview as Preview,
)
from .events import (
    Refined as Refined,
)
from .events import (
    SampleMeasured as SampleMeasured,
)
from .events import (
    ScanRefined as ScanRefined,
)
from .events import (
    SliceCarried as SliceCarried,
)
from .events import (
    SlicePredicted as SlicePredicted,
)
from .events import (
    SliceRefined as SliceRefined,
)
from .events import (
    TileDone as TileDone,
)
from .events import (
    TrainFinished as TrainFinished,
)
from .events import (
    TrainStarted as TrainStarted,
)
from .io.common.scan import (
    Scan as Scan,
)
from .io.prompts.entries import (
    ObjectPrompts as ObjectPrompts,
)
from .io.prompts.entries import (
    Prompts as Prompts,
)
from .io.prompts.read import (
    read_prompts as read_prompts,
)
from .io.read import (
    read_labels as read_labels,
)
from .io.read import (
    read_scan as read_scan,
)
from .io.write import (
    write_mask as write_mask,
)
from .prompting.carry import (
    carry as carry,
)
from .prompting.refine_scan import (
    refine_scan as refine_scan,
)

__version__: str
