"""How alike two representations of the same images are."""
