"""The processes that work is done in, and what they have imported."""
