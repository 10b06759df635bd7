"""The steps of a report: rows, a classifier or none, and what the collection itself shows."""
