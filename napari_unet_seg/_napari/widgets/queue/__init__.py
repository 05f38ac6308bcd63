"""The list of slices or scans to review: its table, its pictures, and the bar above it."""
