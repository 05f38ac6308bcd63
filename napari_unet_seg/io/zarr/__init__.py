"""OME-Zarr images and masks."""
