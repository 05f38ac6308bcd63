"""How much work corrections are, and what is learnt from them."""
