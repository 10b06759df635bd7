"""The kinds of classifier: one object each, found by name in the registry."""
