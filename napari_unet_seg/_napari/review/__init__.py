"""The dock that corrects and saves masks."""
