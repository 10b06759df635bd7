"""Looking at rows without a question in mind: maps of them."""
