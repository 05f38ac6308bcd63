"""The dock that trains a network."""
