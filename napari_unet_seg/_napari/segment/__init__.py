"""The dock that segments the open scan."""
