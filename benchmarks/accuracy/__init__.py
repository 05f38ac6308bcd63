"""How well networks segment."""
