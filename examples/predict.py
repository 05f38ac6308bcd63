"""Segment a scan with the bundled model, and save the mask on the scan's own grid."""

from pathlib import Path
from tempfile import mkdtemp

from napari_unet_seg import PredictConfig, PredictFinished, TileDone, predict, read_scan, write_mask
from napari_unet_seg.models import BUNDLED

scan = read_scan(Path(__file__).parents[1] / "sample_data" / "phantom-scan.nii.gz")
out = Path(mkdtemp()) / "mask.nii.gz"

for event in predict(PredictConfig(), BUNDLED, scan):
    match event:
        case TileDone():
            print(f"{event.index} of {event.count}", end="\r")
        case PredictFinished():
            write_mask(out, event.labels, like=scan)
            print(f"{(event.labels > 0).sum()} voxels in {out}, on {event.device}")
