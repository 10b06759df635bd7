"""Turn images into feature vectors with pretrained networks, and use them."""

__version__ = "0.1.0"
