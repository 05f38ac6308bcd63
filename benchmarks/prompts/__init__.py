"""The network that follows prompts: its data, its training, and what it answers."""
