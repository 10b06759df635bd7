"""How well a classifier does."""
