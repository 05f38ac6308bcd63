"""Samples of cases, whose sequences and masks are read when a sample is."""
