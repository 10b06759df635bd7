"""Which places of a photo a network, or a classifier on its rows, goes by."""
