"""Copies and near-duplicates: found, grouped, between the parts of a split, and repaired."""
