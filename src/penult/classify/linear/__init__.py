"""Linear classifiers, and how they are solved."""
