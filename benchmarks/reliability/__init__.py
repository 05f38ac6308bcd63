"""Campaigns that try to lose work, and the page of what came of them."""
