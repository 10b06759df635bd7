"""Rows as points in two dimensions: the methods, how good they are, and tables of coordinates."""
