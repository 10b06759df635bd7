"""The HTTP service: a classifier, a gallery or both, behind one queue in front of the network.

FastAPI, Starlette, uvicorn and prometheus-client are imported in this package alone.
"""
