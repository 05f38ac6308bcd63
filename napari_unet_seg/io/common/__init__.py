"""Code that all formats share: scans, files, labels, intensity windows."""
