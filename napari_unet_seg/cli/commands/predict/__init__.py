"""The command that segments scans: its options, the segmenting, and the files of the masks."""
