"""Which rows are near to others: the ground of retrieval, and of whatever divides rows."""
