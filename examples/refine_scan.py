"""Mark a bright block in a volume, and carry it from slice to slice."""

import numpy as np

from napari_unet_seg import (
    ObjectPrompts,
    PredictConfig,
    Prompts,
    Scan,
    ScanRefined,
    SliceCarried,
    carry,
    refine_scan,
)
from napari_unet_seg.models import PROMPT_NETWORK

volume = np.random.default_rng(0).normal(60, 8, (12, 64, 64))
volume[3:9, 20:40, 24:44] += 120
scan = Scan(volume.clip(0, 255).astype(np.uint8), "ZYX")
config = PredictConfig(precision="float32")

# x, y and z, as in a file of prompts, which read_prompts() reads
block = ObjectPrompts(category="block", boxes=(((22, 18, 6), (46, 42, 6)),))
for event in refine_scan(config, PROMPT_NETWORK, scan, Prompts(objects=(block,)), carry=True):
    if isinstance(event, ScanRefined):
        print(f"{np.count_nonzero(event.labels)} voxels on {event.labels.any((1, 2)).sum()} slices")

# a mask from elsewhere: of a person, or of another model
mask = np.zeros((64, 64), bool)
mask[20:40, 24:44] = True
for found in carry(config, PROMPT_NETWORK, scan, {6: mask}, within=range(4, 9)):
    if isinstance(found, SliceCarried):
        print(f"slice {found.index}: {found.mask.sum()} pixels, certainty {found.certainty:.2f}")
