"""Segment two slices of a scan, with the Dice that their masks probably have."""

from pathlib import Path

from napari_unet_seg import PredictConfig, SlicePredicted, predict_slices, read_scan
from napari_unet_seg.models import BUNDLED

scan = read_scan(Path(__file__).parents[1] / "sample_data" / "phantom-scan.nii.gz")

for event in predict_slices(PredictConfig(), BUNDLED, scan, [24, 25]):
    if isinstance(event, SlicePredicted):
        print(f"Slice {event.index}: {(event.labels > 0).sum()} pixels, Dice {event.dice:.2f}")
