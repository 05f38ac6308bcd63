"""Read a scan and its mask, and tell their grid."""

from pathlib import Path

from napari_unet_seg import read_labels, read_scan

SAMPLES = Path(__file__).parents[1] / "sample_data"

scan = read_scan(SAMPLES / "phantom-scan.nii.gz")
mask = read_labels(SAMPLES / "phantom-scan_truth.nii.gz")
print(f"Scan  {scan.axes} {scan.data.shape}, voxels of {scan.spacing} {scan.unit}")
print(f"Mask  {(mask.data > 0).sum()} voxels of tumour")
