"""Classifiers on frozen features; works from a feature file alone, without torch."""
