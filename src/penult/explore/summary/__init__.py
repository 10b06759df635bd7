"""What rows are like, in numbers: a file for each kind of number."""
