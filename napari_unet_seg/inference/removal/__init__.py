"""What is removed from a mask after the prediction."""
