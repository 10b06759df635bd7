"""Scores of predictions, computed from truth and predictions alone."""
