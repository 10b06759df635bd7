"""What is wrong with the labels, the layer, or the number of images."""
