"""Tables in Qdrant: a collection of points, in a server or in a folder of the client's local mode.

A point has two vectors: ``rows`` is the row as it was extracted, which is what is measured and what
comes back; ``directions`` is the row at length one in half precision, by which a graph finds
candidates for the cosine. Qdrant itself scales vectors that it compares by the cosine when they are
stored, so that one vector could not be both.
"""
