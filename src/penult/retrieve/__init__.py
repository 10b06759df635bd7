"""Search: rows near to a query, indexes of them on disk, scores of retrieval, and duplicates."""
