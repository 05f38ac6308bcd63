"""The ways in which data sets lay out their folders, one module for each."""
