"""Networks compared on the same images: their scores, what they cost, and what is noise."""
