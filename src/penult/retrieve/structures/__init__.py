"""What finds likely neighbours without looking at all rows; faiss's, kept as plain arrays."""
