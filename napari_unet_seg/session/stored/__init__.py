"""What a session keeps on disk: its record, its scan, its masks, and who may write them."""
