"""The tab that compares two masks."""
