"""Scripts that measure the package; started as `python -m benchmarks.FOLDER.SCRIPT`."""
