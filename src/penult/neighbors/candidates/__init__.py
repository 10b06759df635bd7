"""Rows of which it is proven that the k nearest are among them, found by float32 products."""
