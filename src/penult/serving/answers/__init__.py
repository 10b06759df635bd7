"""What is said of a photo: its row, its class, and what is near to it."""
