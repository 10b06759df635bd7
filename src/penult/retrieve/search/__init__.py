"""Search: from what is asked for to the rows found, a batch of queries at a time."""
