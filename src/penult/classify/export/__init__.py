"""A classifier for programs that have no penult."""
