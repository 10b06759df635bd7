"""The classifier and the gallery that are served: opened together and switched as a whole."""
