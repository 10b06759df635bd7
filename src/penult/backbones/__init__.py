"""A backbone is a network plus the preprocessing its weights were trained with."""
