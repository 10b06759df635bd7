"""How bytes become pixels, and pixels what a network sees."""
