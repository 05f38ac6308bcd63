"""What all formats share: scans, files, labels."""
