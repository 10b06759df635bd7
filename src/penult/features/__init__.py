"""A feature file: rows, the id of each, labels, the recipe, and the images that failed."""
