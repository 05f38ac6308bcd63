"""Voxel grids in the patient: their placement, orientation, turning and resampling."""
