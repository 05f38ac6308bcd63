"""The page of results in the documentation."""
