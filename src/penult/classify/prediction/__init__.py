"""A classifier applied to photos."""
