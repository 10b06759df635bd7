"""What a service keeps of its gallery beside the rows: images, clusters, a map, a review."""
