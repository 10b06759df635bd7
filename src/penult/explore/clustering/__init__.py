"""Rows put together that are alike: methods, the choice of how many clusters, scores."""
