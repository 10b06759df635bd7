"""Weights: what they are, where they come from, and fitting them to a network.

They are looked for in this order: the file that the user gives, bundled packages, the local cache
of the hub they come from, and that hub.
"""
