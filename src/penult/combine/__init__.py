"""New feature files of old ones, without images: rows joined, rows reduced."""
