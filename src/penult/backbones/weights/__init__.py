"""Weights: found, downloaded, read and fitted."""
