"""Folders of rows: part files and the manifest that makes one whole of them."""
